"""A plan for re-reading what the model would handle alone, so that few misses bound their rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audit.decision import log_odds
from audit.draws import ranked
from audit.errors import HipauditError
from audit.findings.cutoffs import CUT_OFFS, HEADLINE
from audit.findings.rates import FEWEST
from audit.findings.view import confidence
from audit.metrics.spot_check import detection_chance, spot_check_size
from audit.probes.registry import Examination, probe
from audit.results import Finding, Note, ProbeReport, Scalar

LEVELS = (0.005, 0.01)
CONFIDENCE = 0.95
ALLOWED = (0, 1, 2)
MOST_LISTED = 1000


@dataclass(frozen=True)
class Asked:
    """Miss rates to stay below, at which one-sided confidence, with how many misses found."""

    levels: tuple[float, ...]
    confidence: float
    allowed: tuple[int, ...]


@probe("spot_check", "levels", "confidence", "allowed")
def spot_check(examination: Examination) -> ProbeReport:
    """How many automatically handled cases a radiologist must re-read to bound the miss rate.

    Findings: `spot_check_size` [level, confidence, misses_allowed] for cases still to come, and
    [.., cutoff] for those of this set that are handled alone above the cut-off;
    `spot_check_detection` [same]: chance to notice twice the level. Exact numbers, no estimates.
    Details: `draw`, ids of this set above 0.995 in seeded order: the first n are a simple random
    sample of n. Parameters: `levels`, `confidence`, `allowed`. No image is looked at.
    """
    try:
        asked = _asked(examination)
    except HipauditError as error:  # what was asked for is no reason to lose the audit
        return ProbeReport(probe="spot_check", state="failed", reason=str(error)[:300])
    above = {cutoff: _above(examination, cutoff) for cutoff in CUT_OFFS}
    draw = ranked(examination.seed, above[HEADLINE], "spot check")
    return ProbeReport(
        probe="spot_check",
        findings=tuple(_findings(asked, above)),
        notes=tuple(_notes(asked, len(draw), examination.seed)),
        details={
            "handled_above": {f"{cutoff:g}": len(ids) for cutoff, ids in above.items()},
            "cutoff": HEADLINE,
            "seed": examination.seed,
            "draw": draw[:MOST_LISTED],
        },
    )


def _asked(examination: Examination) -> Asked:
    given = examination.params
    levels = tuple(float(level) for level in np.atleast_1d(given.get("levels", LEVELS)))
    sure = float(given.get("confidence", CONFIDENCE))
    allowed = tuple(int(count) for count in np.atleast_1d(given.get("allowed", ALLOWED)))
    if not all(0 < level < 1 for level in levels) or not 0 < sure < 1 or min(allowed) < 0:
        raise HipauditError(
            "levels and a confidence between 0 and 1, and misses allowed of 0 or more",
            f"levels {levels}, confidence {sure:g}, allowed {allowed}",
            "Use levels 0.005 and 0.01, confidence 0.95, allowed 0.",
        )
    return Asked(levels, sure, allowed)


def _above(examination: Examination, cutoff: float) -> list[str]:
    """Ids of the cases the model would handle alone: sure enough, and not referred by itself."""
    predictions = examination.predictions
    rows = predictions.clean().rows
    sure = confidence(rows.logits, predictions.decided(rows.logits)) >= log_odds(cutoff)
    those = rows.case[sure & ~rows.referred]
    return [predictions.subjects[int(index)].id for index in np.unique(those)]


def _findings(asked: Asked, above: dict[float, list[str]]) -> Iterator[Finding]:
    for level in asked.levels:
        for count in asked.allowed:
            params: dict[str, Scalar] = {
                "level": level, "confidence": asked.confidence, "misses_allowed": count
            }  # fmt: skip
            yield from _pair(params, level, count, asked.confidence, None)
            for cutoff, ids in above.items():
                at = {**params, "cutoff": cutoff}
                yield from _pair(at, level, count, asked.confidence, len(ids))


def _pair(
    params: dict[str, Scalar], level: float, allowed: int, sure: float, handled: int | None
) -> Iterator[Finding]:
    """The size, and the chance to notice twice the level; `handled` None: cases still to come."""
    start = Finding(
        metric="spot_check_size", params=params, n=handled or 0, independent=handled is None
    )
    if handled is not None and handled < FEWEST:
        yield start.model_copy(update={"reason": f"fewer than {FEWEST} cases above the cut-off"})
        return
    size = spot_check_size(level, allowed, confidence=sure, population=handled)
    if size is None:
        reason = f"{allowed} misses among {handled} cases are not below the level"
        yield start.model_copy(update={"reason": reason})
        return
    yield start.model_copy(update={"value": float(size)})
    chance = detection_chance(size, allowed, min(1.0, 2 * level), population=handled)
    found = {"metric": "spot_check_detection", "value": chance}
    yield start.model_copy(update=found)


def _notes(asked: Asked, handled: int, seed: int) -> Iterator[Note]:
    level = asked.levels[0]
    size = spot_check_size(level, 0, confidence=asked.confidence)
    text = (
        f"{size} cases re-read without one missed show, at one-sided {asked.confidence:.0%}, that "
        f"fewer than {level:.1%} of the cases handled alone are missed. Draw them at random from "
        "all that were handled alone, before anyone has looked; one per patient, since images of "
        "one patient are not independent; by a reader who does not see the model's answer."
    )
    yield Note(code="spot-check-plan", level="info", text=text)
    text = (
        f"As an example, the {handled} cases of this set above {HEADLINE:.1%} are listed in seeded "
        f"order (seed {seed}): the first n are a simple random sample of n."
    )
    yield Note(code="spot-check-draw", level="info", text=text)
