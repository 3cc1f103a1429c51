"""Which cases a gallery shows, and how a map is drawn over a radiograph."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from audit.cases.case import Case
from audit.classifier import Classifier, prepare_pixels
from audit.draws import ranked
from audit.evidence import Predictions
from audit.probes.registry import Examination, Picture
from audit.results import Preparation

Array = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
SMALLEST = 224  # shown at least this high
GAP = 8
OUTLINE = (0, 230, 230)
NOTHING = "No positive evidence: the map is zero everywhere."


@dataclass(frozen=True)
class Shown:
    """A case with its outcome (positive class against the rest) and its predicted class."""

    case: str
    outcome: str
    view: str
    predicted: int
    probability: float


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
        shares = np.exp(logits[row] - logits[row].max())
        probability = float(shares[said] / shares.sum())
        found.append(Shown(subject.id, name, subject.attributes.get("view", ""), said, probability))
    return found


def choose(
    found: list[Shown], cases: Mapping[str, Case], examination: Examination
) -> tuple[list[Shown], dict[str, dict[str, int]]]:
    """The first `per_cell` of every outcome and view in seeded order, and the cells' sizes."""
    cells: dict[tuple[str, str], list[Shown]] = defaultdict(list)
    for place in found:
        cells[place.outcome, place.view].append(place)
    chosen, sizes = [], {}
    for (outcome, view), members in sorted(cells.items()):
        showable = {m.case: m for m in members if cases[m.case].burned_in is not True}
        order = ranked(examination.seed, list(showable), "gradcam")
        kept = order[: int(examination.params.get("per_cell", 3))]
        chosen += [showable[case_id] for case_id in kept]
        sizes[f"{outcome} {view}".strip()] = {"cases": len(members), "shown": len(kept)}
    return chosen, sizes


def enlarged(heat: Array, height: int, width: int) -> Array:
    """(h, w) -> (height, width), bilinear."""
    wide = F.interpolate(
        torch.from_numpy(heat)[None, None], (height, width), mode="bilinear", align_corners=False
    )
    return np.asarray(wide[0, 0].numpy(), dtype=np.float32)


def box_mask(case: Case, native: tuple[int, ...], way: Preparation) -> npt.NDArray[np.bool_]:
    """Union of a case's boxes as the model's input shows it: (height, width) bool.

    The boxes take the way of the pixels, so that resize, crop and padding agree exactly.
    """
    mask = np.zeros(native[:2], dtype=np.float32)
    for left, top, right, bottom in case.boxes:
        rows = slice(max(0, round(top)), max(0, round(bottom)))
        mask[rows, max(0, round(left)) : max(0, round(right))] = 1.0
    smooth = way if way.interpolation != "bicubic" else way.model_copy(update=_BILINEAR)
    return np.asarray(prepare_pixels(mask, smooth)[0].numpy() > 0.5)


_BILINEAR = {"interpolation": "bilinear"}  # a bicubic mask would overshoot at its edges


def draw(
    place: Shown, case: Case, x: Tensor, heat: Array, classifier: Classifier, seed: int
) -> Picture:
    """The prepared image beside itself with the map over it, and the boxes outlined if any."""
    height, width = x.shape[-2:]
    grey = (x.expand(3, -1, -1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    top = float(heat.max())
    strength = enlarged(heat / top, height, width) if top > 0 else np.zeros((height, width), "f4")
    right = overlaid(grey, strength)
    if case.boxes:
        mask = box_mask(case, case.load().shape, classifier.preparation)
        for panel in (grey, right):
            panel[_edge(mask)] = OUTLINE
    where = f"{place.view}, " if place.view else ""
    predicted = classifier.classes[place.predicted]
    caption = f"P({predicted}) = {place.probability:.2f}"
    seen = (
        f"regions associated with the score for {predicted} in colour"
        if top > 0
        else f"no region with positive evidence for {predicted}"
    )
    return Picture(
        name=f"gradcam-{place.outcome}-{case.id}.png",
        png=_png(np.concatenate([grey, np.full((height, GAP, 3), 255, np.uint8), right], axis=1)),
        kind="gradcam",
        title=f"{place.outcome}, {where}case {case.id}",
        alt=f"Radiograph, {where}labelled {case.label}, predicted {predicted}; beside it the same "
        f"with {seen}" + (" and lesion boxes outlined." if case.boxes else "."),
        caption=caption if top > 0 else f"{caption}. {NOTHING}",
        meta={
            "case": case.id,
            "outcome": place.outcome,
            "view": place.view,
            "predicted": predicted,
            "probability": round(place.probability, 6),
            "positive_evidence": top > 0,
            "boxes": len(case.boxes),
            "seed": seed,
        },
    )


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


def _png(image: Bytes) -> bytes:
    from PIL import Image

    picture = Image.fromarray(image)
    if image.shape[0] < SMALLEST:
        times = -(-SMALLEST // image.shape[0])
        picture = picture.resize(
            (image.shape[1] * times, image.shape[0] * times), Image.Resampling.NEAREST
        )
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return stream.getvalue()
