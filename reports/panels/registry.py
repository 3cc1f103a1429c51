"""The table of panels: outline.yaml names them, functions of Material give their blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules

from reports.blocks import Block
from reports.material import Material

Give = Callable[[Material], Sequence[Block]]
PANELS: dict[str, Give] = {}


def panel(name: str) -> Callable[[Give], Give]:
    """Register a panel; an empty sequence prints nothing."""

    def register(give: Give) -> Give:
        PANELS[name] = give
        return give

    return register


def load_panels() -> dict[str, Give]:
    import reports.panels as package

    for module in iter_modules(package.__path__):
        import_module(f"reports.panels.{module.name}")
    return PANELS
