"""What is read off the ROC curve: other thresholds than the deployed one, and part of its area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import Said, of_everyone, valued
from audit.findings.rates import FEWEST, NEGATIVES, POSITIVES, truth
from audit.findings.view import Bools, Floats, View
from audit.metrics.operating import Points, area_limits, curve, point_limits, read, resampled
from audit.results import Finding

POINTS = Points(specificities=(0.9, 0.95), sensitivities=(0.9, 0.95), max_fpr=0.1)
BEYOND = 5  # patients that must lie beyond a fixed point: with fewer its threshold is not known


@dataclass(frozen=True)
class Asked:
    """One number of a curve: `at` a `given` rate, of which `beyond` of the `fixed` class lie."""

    metric: str
    given: str
    at: float
    beyond: float
    fixed: str


ASKED = (
    *(Asked("sensitivity_at_specificity", "specificity", at, 1 - at, NEGATIVES)
      for at in POINTS.specificities),
    *(Asked("specificity_at_sensitivity", "sensitivity", at, 1 - at, POSITIVES)
      for at in POINTS.sensitivities),
    Asked("partial_auroc", "max_fpr", POINTS.max_fpr, POINTS.max_fpr, NEGATIVES),
)  # fmt: skip


def fixed_points(frame: Frame, view: View) -> Iterator[Finding]:
    """Sensitivity at a fixed specificity, the other way round, and the partial AUROC: of everyone,
    without stress, under every defence that changes decisions."""
    if view.label.kind != "clean" or view.label.defence in ONLY_REFER:
        return
    positive = truth(frame.predictions, view)
    sizes = {
        POSITIVES: _size(frame, view, positive),
        NEGATIVES: _size(frame, view, ~positive),
    }
    few = next((words for words, (images, _) in sizes.items() if images < FEWEST), None)
    if few:
        reason = Said(reason=f"fewer than {FEWEST} {few}")
        yield from (_told(frame, view, one, reason) for one in ASKED)
        return
    values = read(curve(view.score, positive), POINTS)[0]
    resampling = frame.resampling(view.cases, stratified=True)
    draws = resampled(view.score, positive, POINTS, resampling)
    for m, one in enumerate(ASKED):
        yield _told(frame, view, one, _said(one, float(values[m]), draws[:, m], sizes))


def _said(one: Asked, value: float, draws: Floats, sizes: dict[str, tuple[int, int]]) -> Said:
    """`sizes`: images and patients of each class."""
    beyond = one.beyond * sizes[one.fixed][1]
    if beyond < BEYOND - 1e-9:
        area = one.given == "max_fpr"
        where = "within a false-positive rate" if area else f"beyond a {one.given}"
        words = f"fewer than {BEYOND} {one.fixed} lie {where} of {one.at:g}"
        return {"reason": words}
    if one.metric == "partial_auroc":
        trials = min(sizes[POSITIVES][1], beyond)
        return valued(value, area_limits(value, draws, trials))
    measured = POSITIVES if one.fixed == NEGATIVES else NEGATIVES
    return valued(value, point_limits(value, draws, *sizes[measured]))


def _size(frame: Frame, view: View, those: Bools) -> tuple[int, int]:
    return int(those.sum()), len(np.unique(frame.patients[view.cases[those]]))


def _told(frame: Frame, view: View, one: Asked, said: Said) -> Finding:
    return of_everyone(frame, view, one.metric, said, params={one.given: one.at})
