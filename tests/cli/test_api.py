from __future__ import annotations

import doctest
import importlib

import pytest

import hipaudit
from audit.errors import HipauditError


@pytest.mark.parametrize(
    "name",
    [
        "audit.gate.rules",
        "audit.gate.wording",
        "audit.gate.evidence",
        "audit.gate.measures",
        "hipaudit.workflow",
        "hipaudit.screen",
        "hipaudit.api",
    ],
)
def test_the_examples_in_docstrings_run(name):
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0


def test_every_public_name_is_there():
    for name in hipaudit.__all__:
        assert getattr(hipaudit, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = hipaudit.nothing


def test_a_mistyped_option_of_run_is_named_with_what_was_meant():
    with pytest.raises(HipauditError, match='Did you mean "max_samples"'):
        hipaudit.run("model.pt", "data", max_sample=3)


def test_a_mistyped_path_is_one_line():
    with pytest.raises(HipauditError, match=r'nothing at "model\.pt"'):
        hipaudit.run("model.pt", "data")
