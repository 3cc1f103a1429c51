"""What each metric means, how it is computed, what it does not say, and where it comes from."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from hipaudit.metric_words.words import Words

__all__ = ["METRICS"]

METRICS: dict[str, Words] = {}
for _module in iter_modules(__path__):
    if _module.name != "words":
        METRICS |= import_module(f"{__name__}.{_module.name}").METRICS
