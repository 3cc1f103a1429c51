"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

METRICS = Path(__file__).parents[2] / "audit" / "metrics"
MODULES = [
    *("audit.export", "hipaudit.shares", "reports.operating"),
    *(f"audit.metrics.{path.stem}" for path in sorted(METRICS.glob("*.py"))
      if ">>>" in path.read_text(encoding="utf-8")),
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_every_example_gives_what_it_shows(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
