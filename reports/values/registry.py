"""The table of values: outline.yaml names them, functions of Material give them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from reports.material import Material

Value = str | list[str] | None
Give = Callable[[Material], Value]
VALUES: dict[str, Give] = {}


def value(name: str) -> Callable[[Give], Give]:
    """Register a value; None means that this run holds nothing to fill the field with."""

    def register(give: Give) -> Give:
        VALUES[name] = give
        return give

    return register


def load_values() -> dict[str, Give]:
    import reports.values as package

    for module in iter_modules(package.__path__):
        import_module(f"reports.values.{module.name}")
    return VALUES
