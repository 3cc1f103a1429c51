"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

MODULES = [
    "audit.export",
    "audit.metrics.auroc",
    "audit.metrics.confusion",
    "audit.metrics.difference",
    "audit.metrics.proportion",
    "audit.metrics.trend",
    "audit.metrics.spot_check",
    "audit.metrics.label_noise",
    "audit.metrics.confident_learning",
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_gives_what_it_shows(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
