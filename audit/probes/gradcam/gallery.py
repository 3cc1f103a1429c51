"""Which cases a gallery shows, and how a map is drawn over a radiograph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit, logsumexp
from torch import Tensor
from torch.nn import functional as F

from audit.cases.case import Case
from audit.classifier import Classifier, prepare_pixels
from audit.draws import ranked
from audit.evidence import Predictions
from audit.probes.pictures import Bytes, in_a_row, levels_of, png
from audit.probes.registry import Examination, Picture
from audit.results import Preparation

Array = npt.NDArray[np.float32]
OUTLINE = (0, 230, 230)
PER_CELL = 3
SUREST = 4
SEEDED = "seeded order"
CONFIDENT = "most confident"
NOTHING = "No positive evidence: the map is zero everywhere."


@dataclass(frozen=True)
class Shown:
    """A case with its outcome (positive class against the rest) and its predicted class.

    `log_odds` of the predicted class against all others. `picked`: by which rule it is shown,
    and `rank`, from 1, its place by that rule.
    """

    case: str
    outcome: str
    view: str
    predicted: int
    probability: float
    log_odds: float = 0.0
    picked: str = SEEDED
    rank: int = 0


def outcomes(predictions: Predictions) -> list[Shown]:
    """Every case that was decided without stress, with TP, FP, FN or TN and its view.

    With more than two classes the positive class stands against all others. `probability`
    is the softmax of the predicted class. A case whose logits are not finite is left out.
    """
    logits = predictions.clean_logits().astype(np.float64)
    decided = predictions.decided(logits.astype(np.float32))
    positive = predictions.decision.positive
    found = []
    for row, subject in enumerate(predictions.subjects):
        said = int(decided[row])
        if said < 0:
            continue
        name = ("T" if (said == positive) == (subject.target == positive) else "F") + (
            "P" if said == positive else "N"
        )
        odds = float(logits[row, said] - logsumexp(np.delete(logits[row], said)))
        view = subject.attributes.get("view", "")
        found.append(Shown(subject.id, name, view, said, float(expit(odds)), odds))
    return found


def choose(
    found: list[Shown], cases: Mapping[str, Case], examination: Examination
) -> tuple[list[Shown], dict[str, dict[str, int]]]:
    """What the gallery shows by a fixed rule, each case once, and the cells' sizes.

    The first `per_cell` of every outcome and view in seeded order; then the `surest` correct
    and the `surest` wrong decisions by log-odds.
    """
    cells: dict[tuple[str, str], list[Shown]] = defaultdict(list)
    for place in found:
        cells[place.outcome, place.view].append(place)
    chosen: dict[str, Shown] = {}
    sizes = {}
    for (outcome, view), members in sorted(cells.items()):
        showable = {m.case: m for m in members if cases[m.case].burned_in is not True}
        order = ranked(examination.seed, list(showable), "gradcam")
        kept = order[: int(examination.params.get("per_cell", PER_CELL))]
        for rank, case_id in enumerate(kept, 1):
            chosen[case_id] = replace(showable[case_id], rank=rank)
        sizes[f"{outcome} {view}".strip()] = {"cases": len(members), "shown": len(kept)}
    for place in _surest(found, cases, int(examination.params.get("surest", SUREST))):
        chosen[place.case] = place
    return list(chosen.values()), sizes


def _surest(found: list[Shown], cases: Mapping[str, Case], most: int) -> list[Shown]:
    """The correct and the wrong decisions with the largest log-odds, `most` of each."""
    order = sorted(found, key=lambda place: (-place.log_odds, place.case))
    showable = [place for place in order if cases[place.case].burned_in is not True]
    kept = []
    for right in (True, False):
        same = [place for place in showable if place.outcome.startswith("T") is right]
        kept += [replace(p, picked=CONFIDENT, rank=r) for r, p in enumerate(same[:most], 1)]
    return kept


def enlarged(heat: Array, height: int, width: int) -> Array:
    """(h, w) -> (height, width), bilinear."""
    wide = F.interpolate(
        torch.from_numpy(heat)[None, None], (height, width), mode="bilinear", align_corners=False
    )
    return np.asarray(wide[0, 0].numpy(), dtype=np.float32)


def box_mask(case: Case, way: Preparation) -> npt.NDArray[np.bool_]:
    """Union of a case's boxes as the model's input shows it: (height, width) bool.

    The boxes take the way of the pixels, so that resize, crop and padding agree exactly.
    """
    mask = np.zeros(case.shape[:2], dtype=np.float32)
    for left, top, right, bottom in case.boxes:
        rows = slice(max(0, round(top)), max(0, round(bottom)))
        mask[rows, max(0, round(left)) : max(0, round(right))] = 1.0
    smooth = way if way.interpolation != "bicubic" else way.model_copy(update=_BILINEAR)
    return np.asarray(prepare_pixels(mask, smooth)[0].numpy() > 0.5)


_BILINEAR = {"interpolation": "bilinear"}  # a bicubic mask would overshoot at its edges


def draw(
    place: Shown,
    case: Case,
    x: Tensor,
    heat: Array,
    classifier: Classifier,
    seed: int,
    control: Array | None = None,
) -> Picture:
    """The prepared image, the same under its map and under the control's; boxes outlined if any.

    `heat`, `control` (h, w) of any size: maps of the classifier, and of it with randomised
    weights.
    """
    maps = [heat] if control is None else [heat, control]
    grey = levels_of(x)
    panels = [grey, *(overlaid(grey, _scaled(heat, x)) for heat in maps)]
    if case.boxes:
        edge = _edge(box_mask(case, classifier.preparation))
        for panel in panels:
            panel[edge] = OUTLINE
    something = bool(heat.max() > 0)
    predicted = classifier.classes[place.predicted]
    where = f"{place.view}, " if place.view else ""
    return Picture(
        name=f"gradcam-{place.outcome}-{case.id}.png",
        png=png(in_a_row(panels)),
        kind="gradcam",
        title=f"{place.outcome}, {where}case {case.id}",
        alt=_told(place, case, predicted, something=something, beside=control is not None),
        caption=_caption(place, predicted, something=something),
        meta={
            "case": case.id,
            "label": case.label,
            "outcome": place.outcome,
            "view": place.view,
            "predicted": predicted,
            "probability": round(place.probability, 6),
            "log_odds": round(place.log_odds, 4),
            "picked": place.picked,
            "rank": place.rank,
            "positive_evidence": something,
            "boxes": len(case.boxes),
            "seed": seed,
        },
    )


def _scaled(heat: Array, x: Tensor) -> Array:
    """A map at the size of x, with its own maximum at 1; zero where there is nothing."""
    height, width = x.shape[-2:]
    top = float(heat.max())
    return enlarged(heat / top, height, width) if top > 0 else np.zeros((height, width), "f4")


def _told(place: Shown, case: Case, predicted: str, *, something: bool, beside: bool) -> str:
    where = f"{place.view}, " if place.view else ""
    seen = (
        f"regions associated with the score for {predicted} in colour"
        if something
        else f"no region with positive evidence for {predicted}"
    )
    under = ", and under the map of randomised weights" if beside else ""
    boxes = "; lesion boxes outlined" if case.boxes else ""
    return (
        f"Radiograph, {where}labelled {case.label}, predicted {predicted}; beside it the same "
        f"with {seen}{under}{boxes}."
    )


def _caption(place: Shown, predicted: str, *, something: bool) -> str:
    words = f"P({predicted}) = {place.probability:.2f}, log-odds {place.log_odds:.1f}"
    if place.picked == CONFIDENT:
        kind = "correct" if place.outcome.startswith("T") else "wrong"
        words += f"; number {place.rank} of the most confident {kind} decisions"
    return words if something else f"{words}. {NOTHING}"


def overlaid(grey: Bytes, strength: Array) -> Bytes:
    """(H, W, 3) with colour over it, the more the higher the map (H, W) in [0, 1]; none at 0.

    "plasma" rises evenly in lightness, so order survives colour vision deficiency and print.
    """
    from matplotlib import colormaps

    colours = colormaps["plasma"](strength)[:, :, :3]
    share = 0.7 * np.sqrt(strength)[:, :, None]  # the root keeps weaker regions visible
    mixed = (1 - share) * grey / 255 + share * colours
    return np.asarray((mixed * 255).round(), dtype=np.uint8)


def _edge(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The pixels of a region that touch its outside."""
    padded = np.pad(inside, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~core
