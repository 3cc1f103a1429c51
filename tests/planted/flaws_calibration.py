"""Scores that promise other chances than they keep, by a known amount."""

from __future__ import annotations

import numpy as np

from audit.cases.case import Cases
from tests.planted.models import Reader, classifier_of
from tests.planted.planting import Check, Flaw, audited, measured, named, together
from tests.planted.scenes import calibrated, cases_of, pictures, sound_cases

PROBE = ("calibration",)
SURE = 0.001  # what the sure negatives promise: one missed in a thousand
SURES, MISSED = 120, 6


def off_by(name: str, temperature: float, shift: float, check: Check, by: str, words: str) -> Flaw:
    audit = audited(lambda: classifier_of(Reader(temperature, shift)), sound_cases, probes=PROBE)
    return Flaw(name, words, by, audit, check)


def sure_and_wrong() -> Cases:
    """Calibrated as the sound ones, but of 120 called normal at 99.9%, 6 are fractures."""
    odds, truth = calibrated()
    sure = np.full(SURES, np.log(SURE / (1 - SURE)))
    odds = np.concatenate([odds, sure])
    truth = np.concatenate([truth, np.arange(SURES) < MISSED])
    return cases_of(pictures(odds, seed=5), truth)


FLAWS = (
    off_by(
        "temperature 2",
        2.0,
        0.0,
        together(measured("calibration_slope", 0.5), named("calibration-overconfident")),
        "`calibration_slope`; probe calibration: `calibration-overconfident`",
        "log-odds twice as large as they should be",
    ),
    off_by(
        "temperature ½",
        0.5,
        0.0,
        together(measured("calibration_slope", 2.0), named("calibration-underconfident")),
        "`calibration_slope`; probe calibration: `calibration-underconfident`",
        "log-odds half as large as they should be",
    ),
    off_by(
        "shifted scores",
        1.0,
        1.0,
        together(measured("calibration_intercept", -1.0), named("calibration-in-the-large")),
        "`calibration_intercept`; probe calibration: `calibration-in-the-large`",
        "log-odds too high by 1 throughout",
    ),
    Flaw(
        "confident misses",
        f"{MISSED} fractures among {SURES} called normal with 99.9%",
        "probe calibration: `confident-misses`",
        audited(lambda: classifier_of(Reader()), sure_and_wrong, probes=PROBE),
        named("confident-misses"),
    ),
)
