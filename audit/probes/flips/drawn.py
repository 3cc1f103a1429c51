"""Pictures of a case under an attack: each ε, the difference magnified, a pixel with its inset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch import Tensor

from audit.cases.case import Case
from audit.classifier import Classifier
from audit.probes.flips.choice import Fallen, OnePixel
from audit.probes.flips.remade import Level, with_pixel
from audit.probes.pictures import Bytes, in_a_row, levels_of, png
from audit.probes.registry import Picture
from audit.results import Scalar, as_levels

TIMES = (100, 50, 20, 10, 5, 2, 1)  # by which a difference may be magnified
WINDOW = 15  # pixels of the neighbourhood on each side
LEAST = 8  # an inset pixel is shown at least this large
MARK = (230, 120, 0)
NOBODY = "no decision"


def magnification(epsilon: float) -> int:
    """The largest of `TIMES` by which a change of ±ε still fits around mid-grey.

    >>> magnification(1 / 255), magnification(8 / 255)
    (100, 10)
    """
    return next((times for times in TIMES if times * epsilon <= 0.5), 1)


def drawn(
    classifier: Classifier, case: Case, one: Fallen, made: Sequence[Level], seed: int
) -> Iterator[Picture]:
    """A picture per ε, and what the attack added at the ε where the decision changed first."""
    common = _common(classifier, case, one, made, seed)
    for place, level in enumerate(made):
        predicted = _name(classifier, level.predicted)
        amount = as_levels(level.epsilon)
        yield Picture(
            name=f"flip-{case.id}-{place}.png",
            png=png(levels_of(level.x)),
            kind="flip",
            title=f"Case {case.id}, ε = {amount}",
            alt=f"Radiograph labelled {case.label} under {one.run.run.stress} at ε = {amount}, "
            f"predicted {predicted}.",
            caption=f"predicted {predicted}, P({predicted}) = {level.probability:.2f}",
            meta={
                **common,
                "outcome": _outcome(classifier, case, level),
                "epsilon": level.epsilon,
                "predicted": predicted,
                "probability": round(level.probability, 6),
                "score": round(level.score, 6),
                "part": "image",
            },
        )
    yield _difference(case, one, made, common)


def _difference(
    case: Case, one: Fallen, made: Sequence[Level], common: dict[str, Scalar]
) -> Picture:
    level = next(level for level in made if level.epsilon == one.epsilon)
    times = magnification(level.epsilon)
    shown = 0.5 + times * (level.x - made[0].x)
    amount = as_levels(level.epsilon)
    return Picture(
        name=f"flip-{case.id}-difference.png",
        png=png(levels_of(shown)),
        kind="flip",
        title=f"Case {case.id}, what was added at ε = {amount}",
        alt=f"What the attack added to the radiograph at ε = {amount}, magnified {times} times "
        "around mid-grey.",
        caption=f"difference × {times}; mid-grey: unchanged",
        meta={**common, "epsilon": level.epsilon, "part": "difference", "times": times},
    )


def _common(
    classifier: Classifier, case: Case, one: Fallen, made: Sequence[Level], seed: int
) -> dict[str, Scalar]:
    truth = classifier.classes.index(case.label)
    level = next(level for level in made if level.epsilon == one.epsilon)
    return {
        "case": case.id,
        "label": case.label,
        "positive": classifier.description.positive_class,
        "view": case.attributes.get("view", ""),
        "series": f"flip-{case.id}",
        "stress": one.run.run.stress,
        "first": one.epsilon,
        "flips": level.predicted != truth,
        "flips_in_8_bits": one.eight,
        "seed": seed,
    }


def _outcome(classifier: Classifier, case: Case, level: Level) -> str:
    """TP, FP, FN or TN, the positive class against the rest."""
    positive = classifier.decision.positive
    said, true = level.predicted == positive, case.label == classifier.classes[positive]
    return ("T" if said == true else "F") + ("P" if said else "N")


def _name(classifier: Classifier, k: int) -> str:
    return classifier.classes[k] if k >= 0 else NOBODY


def pixel_picture(
    classifier: Classifier, case: Case, x: Tensor, found: OnePixel, made: Sequence[Level], seed: int
) -> Picture:
    """The image with the place framed; its neighbourhood before and after, the pixel framed.

    `made`: what the model says before and after.
    """
    altered, column, row = with_pixel(x, found)
    before, after = levels_of(x), levels_of(altered)
    old, new = (_level(image[row, column]) for image in (before, after))
    said = [_name(classifier, level.predicted) for level in made]
    stress = found.run.run.stress
    return Picture(
        name=f"one-pixel-{case.id}.png",
        png=png(pixel_panels(before, after, column, row)),
        kind="one_pixel",
        title=f"Case {case.id}, one pixel",
        alt=f"Radiograph labelled {case.label} with the place of one pixel framed; beside it the "
        f"neighbourhood magnified, before and after: predicted {said[0]}, then {said[1]}.",
        caption=f"column {column}, row {row}: {old} to {new} of 255",
        meta={
            "case": case.id,
            "label": case.label,
            "positive": classifier.description.positive_class,
            "view": case.attributes.get("view", ""),
            "outcome": _outcome(classifier, case, made[1]),
            "stress": stress,
            "column": column,
            "row": row,
            "before": old,
            "after": new,
            "predicted_before": said[0],
            "predicted": said[1],
            "score_before": round(made[0].score, 6),
            "probability": round(made[1].probability, 6),
            "score": round(made[1].score, 6),
            "flips": said[0] != said[1],
            "seed": seed,
        },
    )


def _level(pixel: Bytes) -> str:
    """ "112", or "112, 90, 87" for red, green and blue."""
    return ", ".join(str(int(v)) for v in (pixel if len(set(pixel.tolist())) > 1 else pixel[:1]))


def pixel_panels(before: Bytes, after: Bytes, column: int, row: int) -> Bytes:
    """(H, W, 3) twice -> the marked image, the inset before, the inset after, in a row."""
    height, width = before.shape[:2]
    side = min(WINDOW, height, width)
    top = min(max(0, row - side // 2), height - side)
    left = min(max(0, column - side // 2), width - side)
    times = max(LEAST, height // side)
    at = (row - top) * times, (column - left) * times
    insets = [
        _framed(_enlarged(image[top : top + side, left : left + side], times), at, times)
        for image in (before, after)
    ]
    tall = max(height, side * times)
    marked = _framed(after, (top, left), side)
    return in_a_row([_padded(panel, tall) for panel in (marked, *insets)])


def _enlarged(image: Bytes, times: int) -> Bytes:
    return image.repeat(times, axis=0).repeat(times, axis=1)


def _framed(image: Bytes, at: tuple[int, int], side: int) -> Bytes:
    """A frame one pixel wide just outside the square of `side` at (top, left)."""
    framed = image.copy()
    (top, left), (height, width) = at, image.shape[:2]
    inside = np.zeros((height, width), bool)
    around = np.zeros((height, width), bool)
    inside[top : top + side, left : left + side] = True
    around[max(0, top - 1) : top + side + 1, max(0, left - 1) : left + side + 1] = True
    framed[around & ~inside] = MARK
    return framed


def _padded(image: Bytes, tall: int) -> Bytes:
    """White below, up to `tall`."""
    missing = np.full((tall - len(image), *image.shape[1:]), 255, np.uint8)
    return np.concatenate([image, missing])
