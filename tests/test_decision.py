"""The decision rule against hand computations, and torch against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from doubles import Brightness, classifier_of
from scipy.special import expit, log_softmax, logit

from audit.decision import Decision, decide, log_odds, margin


def test_the_margin_is_the_log_odds_of_the_softmax():
    z = np.random.default_rng(0).normal(size=(50, 4)) * 3
    p = np.exp(log_softmax(z, axis=1))[:, 2]
    np.testing.assert_allclose(margin(z, 2), logit(p), rtol=1e-9)


def test_the_margin_does_not_saturate():
    z = np.array([[0.0, 1e4], [0.0, 2e4]], dtype=np.float32)
    assert np.all(np.diff(margin(z, 1)) > 0)


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_threshold_decides_by_probability(threshold, classes):
    z = np.random.default_rng(1).normal(size=(200, classes)) * 2
    p = np.exp(log_softmax(z, axis=1))
    others = p.copy()
    others[:, 1] = -1
    expected = np.where(p[:, 1] >= threshold, 1, others.argmax(1))
    np.testing.assert_array_equal(decide(z, Decision(1, threshold)), expected)


def test_a_row_that_is_not_finite_is_no_class():
    z = np.array([[0.0, np.nan], [np.inf, 0.0], [1.0, 0.0]])
    assert decide(z, Decision(0)).tolist() == [-1, -1, 0]


def test_log_odds_is_the_logit():
    assert log_odds(0.3) == pytest.approx(logit(0.3))
    assert expit(log_odds(0.995)) == pytest.approx(0.995)
    assert log_odds(None) == 0


@pytest.mark.parametrize("threshold", [None, 0.2, 0.8])
def test_what_attacks_see_has_the_deployed_rule_as_its_argmax(threshold):
    model = classifier_of(Brightness(steep=3.0), threshold=threshold)
    x = torch.linspace(0, 1, 101)[:, None, None, None].expand(-1, 1, 8, 8)
    seen = model.decision_logits(x).argmax(1).numpy()
    np.testing.assert_array_equal(seen, model.decide(model.predict(x).logits))
