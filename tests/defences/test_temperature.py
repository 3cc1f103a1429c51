"""Temperature scaling: the fit against other fitters, what it changes and what it must not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.conduct import conduct
from audit.decision import decide
from audit.defences.registry import check_trained, get_defence
from audit.defences.temperature import NAME, calibrated, fit_temperature, scaled
from audit.errors import HipauditError
from audit.fingerprint import model_digest
from audit.options import AuditOptions
from tests.doubles import Brightness, cases_of, classifier_of

STEEP = 6.0  # the log-odds of a fracture are 12 · (brightness - 0.5)


def drawn(count: int, seed: int) -> Cases:
    """Flat images whose labels follow the log-odds that `Brightness(STEEP)` says."""
    rng = np.random.default_rng(seed)
    levels = rng.uniform(0.2, 0.8, count)
    truth = rng.random(count) < expit(2 * STEEP * (levels - 0.5))
    return cases_of(levels.tolist(), ["fracture" if one else "normal" for one in truth])


def model(times: float, threshold: float | None = None) -> Classifier:
    return classifier_of(Brightness(STEEP * times), threshold=threshold)


@pytest.mark.parametrize("times", [0.4, 1.0, 3.0])
def test_for_two_classes_it_is_the_slope_of_a_logistic_regression_without_intercept(
    times: float,
) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (800, 2))
    truth = rng.random(800) < expit(logits[:, 1] - logits[:, 0])
    odds = (logits[:, 1] - logits[:, 0])[:, None] * times
    fitted = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=1000)
    slope = float(fitted.fit(odds, truth).coef_[0, 0])
    found = fit_temperature((logits * times).astype(np.float32), truth.astype(np.int64))
    assert found == pytest.approx(1 / slope, rel=1e-4)


def test_for_three_classes_no_other_temperature_has_a_lower_log_loss() -> None:
    rng = np.random.default_rng(4)
    z = rng.normal(0, 2, (600, 3))
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    targets = np.array([rng.choice(3, p=row) for row in p])
    found = fit_temperature((z * 1.8).astype(np.float32), targets)

    def loss(t: float) -> float:
        scaled_z = z * 1.8 / t
        q = np.exp(scaled_z) / np.exp(scaled_z).sum(1, keepdims=True)
        return float(log_loss(targets, q))

    grid = np.arange(found - 0.2, found + 0.2, 0.002)
    assert abs(grid[np.argmin([loss(t) for t in grid])] - found) < 0.003


@pytest.mark.parametrize("times", [0.5, 1.0, 2.5])
def test_a_planted_temperature_is_found_within_one_per_cent(times: float) -> None:
    rng = np.random.default_rng(5)
    odds = rng.normal(-1, 2, 200_000)
    truth = (rng.random(200_000) < expit(odds)).astype(np.int64)
    logits = np.stack([np.zeros_like(odds), odds * times], axis=1).astype(np.float32)
    assert fit_temperature(logits, truth) == pytest.approx(times, rel=0.01)


def test_logits_are_divided_and_nothing_else_and_gradients_still_flow() -> None:
    plain = model(2.0)
    cool = scaled(plain, 2.5, 100)
    x = torch.rand(6, 1, 8, 8, requires_grad=True)
    assert torch.equal(cool.logits(x), plain.logits(x) / 2.5)
    (one,) = torch.autograd.grad(cool.decision_logits(x).sum(1)[0], x, retain_graph=True)
    (two,) = torch.autograd.grad((plain.logits(x) / 2.5).sum(1)[0], x)
    assert torch.equal(one, two)


def test_under_argmax_no_decision_changes_and_a_threshold_is_held_against_the_scaled_score() -> (
    None
):
    x = torch.linspace(0.2, 0.8, 101)[:, None, None, None].expand(-1, 1, 8, 8)
    for threshold in (None, 0.2):
        plain = model(2.0, threshold)
        cool = scaled(plain, 4.0, 100)
        before, after = (c.decide(c.predict(x).logits) for c in (plain, cool))
        # the rule by hand: a fracture where expit(log-odds / 4) reaches the threshold
        odds = 2 * STEEP * 2.0 * (np.linspace(0.2, 0.8, 101) - 0.5) / 4
        by_hand = np.where(expit(odds) > (threshold or 0.5), 0, 1)
        clear = np.abs(expit(odds) - (threshold or 0.5)) > 1e-3
        assert (after == by_hand)[clear].all()
        assert (before == after).all() == (threshold is None)
    assert np.array_equal(decide(plain.predict(x).logits.numpy() / 4, plain.decision), after)


def test_what_it_was_fitted_to_stands_in_a_note_and_tells_two_temperatures_apart() -> None:
    plain = model(1.0, threshold=0.3)
    cool = scaled(plain, 1.7, 250, left_out=3)
    (note,) = (n for n in cool.description.notes if n.code == "temperature-scaling.temperature")
    for words in ("by 1.7,", "250 separate images", "3 more had no finite output", "0.3"):
        assert words in note.text
    digests = {model_digest(c) for c in (plain, cool, scaled(plain, 1.8, 250))}
    assert len(digests) == 3


def test_fitting_counts_no_forward_of_the_audit() -> None:
    plain = model(2.0)
    calibrated(plain, drawn(200, 1))
    assert plain.forwards == 0


def test_an_audit_shows_what_it_mends_and_that_decisions_stay(tmp_path: Path) -> None:
    plain = model(3.0)
    made = calibrated(plain, drawn(3000, 1))
    asked = AuditOptions(preset="ci", stresses=("fgsm",), defences=(NAME,), probes=())
    audited = drawn(600, 2)
    results = conduct(plain, audited, tmp_path, asked, notes=(), hardened={NAME: made})
    where = {"stress": "clean", "group": {}, "contrast": None}

    def said(metric: str, defence: str) -> float:
        (found,) = results.find(metric, defence=defence, **where)
        return found.value

    assert said("calibration_slope", "none") == pytest.approx(1 / 3, rel=0.25)
    (mended,) = results.find("calibration_slope", defence=NAME, **where)
    assert mended.low < 1 < mended.high
    assert said("brier", NAME) < said("brier", "none")
    assert said("ece", NAME) < said("ece", "none")
    for metric in ("accuracy", "sensitivity", "specificity", "auroc"):
        assert said(metric, NAME) == said(metric, "none")
    assert any(note.code == "temperature-scaling.temperature" for note in results.notes)


class Sometimes(nn.Module):
    """Brightness, but nothing finite for the darkest images."""

    def forward(self, x: Tensor) -> Tensor:
        level = x.mean((1, 2, 3))
        score = torch.where(level < 0.25, torch.nan, 2 * STEEP * (level - 0.5))
        return torch.stack([score, torch.zeros_like(score)], dim=1)


def test_outputs_that_are_not_finite_are_left_out_and_counted() -> None:
    cases = drawn(300, 7)
    dark = sum(float(case.load().mean()) < 0.25 for case in cases)
    made = calibrated(classifier_of(Sometimes()), cases)
    assert dark > 0
    assert f"{dark} more had no finite output" in made.description.notes[-1].text


def test_images_that_tell_no_temperature_are_refused_in_one_line() -> None:
    with pytest.raises(HipauditError, match="at least 10 positive and 10 negative"):
        calibrated(model(1.0), drawn(15, 1))
    apart = cases_of([0.2] * 20 + [0.8] * 20)
    with pytest.raises(HipauditError, match="tell a temperature"):
        calibrated(model(1.0), apart)
    backwards = cases_of([0.2] * 20 + [0.8] * 20, ["fracture"] * 20 + ["normal"] * 20)
    with pytest.raises(HipauditError, match="tell a temperature"):
        calibrated(model(0.1), backwards)


def test_without_calibration_images_it_is_refused_with_the_flag_to_add() -> None:
    with pytest.raises(HipauditError, match="Add --calibration-data PATH"):
        check_trained([NAME], ())
    check_trained([NAME], (NAME,))
    with pytest.raises(HipauditError, match="Add --calibration-data PATH"):
        get_defence(NAME).harden(model(1.0))
    with pytest.raises(HipauditError, match="Add --train-data PATH"):
        check_trained(["adversarial-training"], ())
