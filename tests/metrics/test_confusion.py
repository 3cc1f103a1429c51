"""The 2 × 2 rates against scikit-learn on arbitrary tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from audit.metrics.confusion import (
    Confusion,
    accuracy,
    balanced_accuracy,
    confusion,
    f1,
    precision,
    sensitivity,
    specificity,
)

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_every_rate_is_scikit_learns_where_that_is_defined(pairs: list[tuple[bool, bool]]) -> None:
    truth, called = np.array(pairs).T
    table = confusion(truth, called)
    assert accuracy(table) == pytest.approx(reference.accuracy_score(truth, called))
    if truth.any():
        assert sensitivity(table) == pytest.approx(reference.recall_score(truth, called))
        assert f1(table) == pytest.approx(reference.f1_score(truth, called))
    if not truth.all():
        assert specificity(table) == pytest.approx(reference.recall_score(~truth, ~called))
    if called.any():
        assert precision(table) == pytest.approx(reference.precision_score(truth, called))
    if truth.any() and not truth.all():
        expected = reference.balanced_accuracy_score(truth, called)
        assert balanced_accuracy(table) == pytest.approx(expected)


def test_a_rate_without_a_denominator_is_nan_and_not_zero() -> None:
    only_negatives = Confusion(tp=0, fp=0, tn=5, fn=0)
    assert math.isnan(sensitivity(only_negatives))
    assert math.isnan(precision(only_negatives))
    assert specificity(only_negatives) == 1.0
