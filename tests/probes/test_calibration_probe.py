"""The calibration probe: planted temperatures and misses are named, sound scores left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom

from audit.decision import Decision
from audit.evidence import Predictions, Subject
from audit.probes.calibration import calibration
from audit.probes.registry import Examination
from audit.results import ProbeReport
from tests.tables import evidence, rows


def predictions(
    odds: np.ndarray, truth: np.ndarray, per: int = 1, defence: str = "none"
) -> Predictions:
    subjects = tuple(Subject(f"c{i:05d}", int(y), f"P{i // per}", {}) for i, y in enumerate(truth))
    logits = np.stack([np.zeros_like(odds), odds], axis=1)
    clean = evidence(rows(range(len(odds)), logits), range(len(odds)), defence=defence)
    return Predictions(subjects, ("normal", "fracture"), Decision(1), (clean,))


def drawn(seed: int, n: int = 600, spread: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """True log-odds and outcomes that follow them."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, spread, n)
    return odds, rng.random(n) < expit(odds)


def report(found: Predictions) -> ProbeReport:
    # No classifier and no cases: the probe reads the table alone.
    return calibration(Examination(None, None, found, 0, 1, lambda _: None))  # type: ignore[arg-type]


def flags(found: Predictions) -> set[str]:
    return {note.code for note in report(found).notes if note.level == "warning"}


@pytest.mark.parametrize("times", [2.0, 4.0])
def test_scores_too_large_by_a_known_temperature_are_overconfident(times: float) -> None:
    odds, truth = drawn(1)
    said = report(predictions(odds * times, truth))
    assert "calibration-overconfident" in {n.code for n in said.notes}
    told = said.details["none"]["slope"]
    assert told["low"] < 1 / times < told["high"]


def test_scores_too_small_are_underconfident() -> None:
    odds, truth = drawn(2)
    found = flags(predictions(odds / 2, truth))
    assert "calibration-underconfident" in found
    assert "calibration-overconfident" not in found


def test_scores_that_promise_too_few_positives_are_wrong_in_the_large() -> None:
    odds, truth = drawn(3)
    assert flags(predictions(odds - 1.5, truth)) == {"calibration-in-the-large"}
    (note,) = (n for n in report(predictions(odds - 1.5, truth)).notes if n.level == "warning")
    assert note.text.startswith("There are more positives")


def test_fractures_missed_with_confidence_are_named_and_tested_exactly() -> None:
    odds, truth = drawn(4)
    odds[np.flatnonzero(truth)[:4]] = -9.0  # four fractures at p < .0002
    said = report(predictions(odds, truth))
    assert "confident-misses" in {n.code for n in said.notes}
    told = said.details["none"]["above"]
    above = odds <= -np.log(0.995 / 0.005)
    promised = expit(odds[above]).sum()
    assert told["called_negative"] == above.sum()
    assert told["missed"] == truth[above].sum()
    assert told["promised"] == pytest.approx(promised, rel=1e-4)
    p = binom.sf(truth[above].sum() - 1, above.sum(), promised / above.sum())
    assert told["p"] == pytest.approx(p, rel=1e-4)


def test_one_miss_is_not_enough_whatever_its_score_and_nor_are_two_images_of_one_patient() -> None:
    odds, truth = np.tile([-9.0, 9.0], 300), np.tile([False, True], 300)
    odds[1] = -30.0
    assert "confident-misses" not in flags(predictions(odds, truth))
    odds[3] = -30.0
    assert "confident-misses" in flags(predictions(odds, truth))
    assert "confident-misses" not in flags(predictions(odds, truth, per=4))


@pytest.mark.parametrize("per", [1, 3])
def test_sound_scores_are_left_alone_in_at_least_95_of_100_draws(per: int) -> None:
    """Each of the flags has a level of .01; three per cent were measured in 5,000 draws."""
    rng = np.random.default_rng(5)
    warned = 0
    for _ in range(100):
        taste = rng.normal(0, 3, 300 // per).repeat(per)
        odds = taste - 1.5
        luck = rng.random(300 // per).repeat(per)  # a patient's images share their outcome
        warned += bool(flags(predictions(odds, luck < expit(odds), per)))
    assert warned <= 8  # binomial(100, .03) exceeds 8 once in 300


def test_where_nothing_can_be_tested_it_says_so_and_warns_of_nothing() -> None:
    odds, truth = drawn(6, n=30)
    few = predictions(odds, np.arange(30) < 5)
    codes = {n.code for n in report(few).notes}
    assert codes == {"calibration-not-tested", "calibration-none"}
    apart = predictions(np.where(truth, 5.0, -5.0) + odds / 100, truth)
    assert "calibration-not-tested" in {n.code for n in report(apart).notes}
    alike = predictions(np.full(30, -1.0), np.arange(30) < 12)
    assert "calibration-not-tested" in {n.code for n in report(alike).notes}


def test_every_defence_with_scores_of_its_own_is_examined() -> None:
    odds, truth = drawn(7)
    plain = predictions(odds * 3, truth)
    others = tuple(
        predictions(part, truth, defence=name).runs[0]
        for name, part in (("tta", odds), ("referral", odds * 3))
    )
    said = report(replace(plain, runs=(*plain.runs, *others)))
    assert set(said.details) == {"none", "tta"}
    assert all("without a defence" in n.text for n in said.notes if n.level == "warning")


def test_outputs_that_are_not_finite_are_as_if_they_were_not_there() -> None:
    odds, truth = drawn(8)
    broken = np.where(np.arange(len(odds)) < 20, np.nan, odds)
    told = report(predictions(broken, truth)).details["none"]
    assert told == report(predictions(odds[20:], truth[20:])).details["none"]


def test_without_a_complete_run_it_is_not_applicable() -> None:
    odds, truth = drawn(9, n=40)
    whole = predictions(odds, truth)
    failed = replace(whole.runs[0], run=whole.runs[0].run.model_copy(update={"state": "failed"}))
    assert report(replace(whole, runs=(failed,))).state == "not applicable"
