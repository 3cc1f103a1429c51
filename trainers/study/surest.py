"""Figures 4 and 5 of the study, of one model: the surest right and the least sure wrong decisions.

Which image is shown follows from its id and the model's output alone; nobody chooses. Images
with text burned in are never shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.decision import log_odds, margin
from audit.evidence import Predictions
from audit.probes.gradcam.gallery import Shown, draw, outcomes
from audit.probes.gradcam.probe import NoMap, grad_cam
from audit.probes.registry import Picture

SHOWN = 4  # of each gallery
READING = (
    "Grad-CAM shows regions associated with the score, not what caused the decision; a plausible "
    "map is no evidence that a decision is right."
)


@dataclass(frozen=True)
class Sight:
    """A tested model to picture: `name` as in study.json."""

    name: str
    classifier: Classifier
    cases: Cases
    predictions: Predictions
    seed: int


def galleries(sight: Sight) -> Iterator[Picture]:
    """Grad-CAM of the surest right and the least sure wrong decisions; none without a layer."""
    if sight.classifier.description.cam_layer is None or not sight.classifier.has_gradients:
        return
    sure, unsure = ranked_decisions(sight)
    cam = grad_cam(sight.classifier)
    cases = sight.cases.by_id()
    for kind, title, found in (
        ("confident-correct", "Most confident and correct", sure),
        ("unsure-wrong", "Least confident and wrong", unsure),
    ):
        for rank, place in enumerate(found[:SHOWN], start=1):
            case = cases[place.case]
            x = sight.classifier.prepare(case)
            try:
                heat = cam(x, place.predicted)
            except NoMap:
                return
            drawn = draw(place, case, x, heat, sight.classifier, sight.seed)
            yield replace(
                drawn,
                name=f"{kind}-{rank}.png",
                kind=kind,
                title=f"{title} ({rank}): {drawn.title}",
                caption=f"Labelled {case.label}. {drawn.caption.rstrip('.')}. {READING}",
                meta={**drawn.meta, "model": sight.name, "rank": rank},
            )


def ranked_decisions(sight: Sight) -> tuple[list[Shown], list[Shown]]:
    """(right decisions, farthest from the threshold first; wrong ones, nearest first).

    Distance is in log-odds, which do not saturate; ties go by case id.
    """
    cases, rule = sight.cases.by_id(), sight.predictions.decision
    scores = margin(sight.predictions.clean_logits(), rule.positive) - log_odds(rule.threshold)
    distance = {
        subject.id: abs(float(score))
        for subject, score in zip(sight.predictions.subjects, scores, strict=True)
    }
    shown = [s for s in outcomes(sight.predictions) if cases[s.case].burned_in is not True]
    right = [s for s in shown if _is_right(s, cases[s.case], sight)]
    wrong = [s for s in shown if not _is_right(s, cases[s.case], sight)]
    return (
        sorted(right, key=lambda s: (-distance[s.case], s.case)),
        sorted(wrong, key=lambda s: (distance[s.case], s.case)),
    )


def _is_right(shown: Shown, case: Case, sight: Sight) -> bool:
    return sight.classifier.classes[shown.predicted] == case.label
