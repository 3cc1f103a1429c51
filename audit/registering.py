"""What the tables of stresses, defences and probes share: filled by import, asked by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from audit.errors import HipauditError, did_you_mean

T = TypeVar("T")


def import_all(package: ModuleType) -> None:
    """Import every module of a package once, so that what it registers is complete."""
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


def chosen(kind: str, name: str, known: Mapping[str, T]) -> T:
    """`known[name]`, or a HipauditError that says which names there are."""
    if name not in known:
        raise HipauditError(f"the name of a {kind}", f'"{name}"', did_you_mean(name, list(known)))
    return known[name]
