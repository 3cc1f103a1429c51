"""Models that read something else than the lesion, and data that would let them."""

from __future__ import annotations

import numpy as np
from numpy.random import default_rng

from audit.cases.case import Cases
from tests.planted.models import ReadsScanner, classifier_of, reads_marker
from tests.planted.planting import Flaw, audited, either, named
from tests.planted.scenes import calibrated, cases_of, pictures
from tests.planted.scenes import named as words
from tests.planted.sound import reader

PROBE = ("shortcuts",)
OFTEN = 0.9  # how often the shortcut says what the truth is


def agreeing(truth: np.ndarray, seed: int) -> np.ndarray:
    """(N,) true for most fractures and few others."""
    return np.where(default_rng(seed).random(len(truth)) < OFTEN, truth, ~truth)


def marked() -> Cases:
    """A side marker lies in the corner of nine in ten fractures, and of one in ten others."""
    odds, truth = calibrated()
    marker = agreeing(truth, 71)
    attributes = {"marker": words(marker, "yes", "no")}
    return cases_of(pictures(odds, seed=13, marker=marker), truth, attributes)


def scanned() -> Cases:
    """Nine in ten fractures come from the brighter scanner, and one in ten others."""
    odds, truth = calibrated()
    second = agreeing(truth, 72)
    attributes = {"scanner": words(second, "B", "A")}
    return cases_of(pictures(odds, seed=14, offset=0.15 * second), truth, attributes)


def implanted() -> Cases:
    """As in FracAtlas: hardware in 11 of 87 fractures and in none of 474 others."""
    truth = np.arange(561) < 87
    odds = default_rng(15).normal(np.where(truth, 2.5, -2.5), 1.5)
    hardware = np.arange(561) < 11
    return cases_of(pictures(odds, seed=15), truth, {"hardware": words(hardware, "1", "0")})


FLAWS = (
    Flaw(
        "reads the marker only",
        "decides by the side marker in the corner",
        "probe shortcuts: `shortcut-occlusion`",
        audited(lambda: classifier_of(reads_marker()), marked, probes=PROBE),
        named("shortcut-occlusion"),
    ),
    Flaw(
        "reads the scanner only",
        "decides by the brightness of the whole, which is the scanner's",
        "probe shortcuts: `shortcut-matched` or `shortcut-encoded`",
        audited(lambda: classifier_of(ReadsScanner()), scanned, probes=PROBE),
        either("shortcut-matched", "shortcut-encoded"),
    ),
    Flaw(
        "metadata tell the label",
        "nine in ten fractures are from scanner B; the model reads the lesion",
        "probe shortcuts: `shortcut-metadata`, naming the scanner",
        reader(scanned, probes=PROBE),
        named("shortcut-metadata", containing="scanner"),
    ),
    Flaw(
        "hardware",
        "in 11 of 87 fractures and none of 474 others, as in FracAtlas",
        "probe shortcuts: `shortcut-metadata`, naming the hardware",
        reader(implanted, probes=PROBE),
        named("shortcut-metadata", containing="hardware"),
    ),
)
