"""Longer texts of the report, kept as data beside the code."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def text_data(name: str) -> Any:
    """The content of one of our own YAML files in this package."""
    return yaml.safe_load(files("reports").joinpath(name).read_text(encoding="utf-8"))
