"""Limits of quality beyond which a picture goes to a human: stated ones, or those of a reference.

The stated limits are not tuned to any result of a model. Each is what the median of 120 sound
radiographs (FracAtlas, train split; Abedeen et al. 2023, CC BY 4.0) measured after a
degradation of a stated severity, rounded; `tests/quality/test_limits.py` repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audit.cases.case import Cases
from audit.classifier import Classifier, prepare_pixels
from audit.errors import HipauditError, did_you_mean
from audit.quality.measures import MEASURES, measures
from audit.results import Preparation

SMALLEST = 112  # pixels of the short side below which shrinking itself looks like blur
FEWEST = 50  # reference images
BATCH = 32
LIMITED = {
    "blur_effect": "blurred",
    "contrast": "low contrast",
    "standard_deviation": "uniform",
    "noise_share": "noise",
    "black": "black",
    "white": "white",
    "border": "empty border",
}
STATED_LOWEST = {
    "contrast": 0.15,  # contrast reduced to a quarter of the image's own
    "standard_deviation": 0.015,  # … to a tenth: as good as nothing in it
}
STATED_HIGHEST = {
    "blur_effect": 0.80,  # Gaussian blur of σ = 1% of the short side; motion of about 5%
    "noise_share": 0.50,  # by definition: half of the variation is white noise
    "black": 0.68,  # the darkest 30% of the grey range lost to black
    "white": 0.13,  # exposure tripled
    "border": 0.75,  # by definition: three quarters of the picture hold nothing
}
# A reference without such faults does not say how many are too many: it may only loosen these.
ONLY_LOOSER = ("noise_share", "black", "white", "border")
KEY = "quality_limits"  # where a checkpoint's training record or model.yaml keeps them


@dataclass(frozen=True)
class Limits:
    """A picture is poor where a measure is below `lowest` or above `highest`.

    `origin` says in words where the numbers come from.
    """

    lowest: Mapping[str, float] = field(default_factory=dict)
    highest: Mapping[str, float] = field(default_factory=dict)
    origin: str = "stated"

    def __post_init__(self) -> None:
        for name, value in (*self.lowest.items(), *self.highest.items()):
            if name not in LIMITED:
                raise HipauditError(
                    "a measure of quality that can be limited",
                    f'"{name[:40]}"',
                    did_you_mean(name, list(LIMITED)),
                )
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1:
                raise HipauditError(f"a limit of {name} from 0 to 1", f"{value!r}"[:40])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in LIMITED if name in self.lowest or name in self.highest)

    def beyond(self, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Measures (N,) -> measure -> (N,) bool: beyond its limit. Not a number is beyond."""
        poor = {}
        for name in self.names:
            value = found[name]
            within = value >= self.lowest.get(name, -np.inf)
            poor[name] = ~(within & (value <= self.highest.get(name, np.inf)))
        return poor

    def poor(self, x: Tensor) -> Tensor:
        """(N, 1 or 3, H, W) in [0, 1] -> (N,) bool: beyond some limit."""
        if not self.names:
            return torch.zeros(len(x), dtype=torch.bool, device=x.device)
        found = self.beyond(measures(x, self.names))
        return torch.stack(list(found.values())).any(0)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: for the training record of a checkpoint, or model.yaml."""
        lowest, highest = dict(self.lowest), dict(self.highest)
        return {"lowest": lowest, "highest": highest, "origin": self.origin}

    def __str__(self) -> str:
        low = [f"{MEASURES[n]} below {v:.3g}" for n, v in self.lowest.items()]
        high = [f"{MEASURES[n]} above {v:.3g}" for n, v in self.highest.items()]
        return "; ".join([*low, *high]) or "none"


def stated_limits(height: int, width: int) -> Limits:
    """The stated limits for a model's input of this size; none of blur below 112 pixels."""
    highest = dict(STATED_HIGHEST)
    origin = "stated in advance, from degradations of known severity"
    if min(height, width) < SMALLEST:
        del highest["blur_effect"]
        origin += f"; blur not judged below {SMALLEST} pixels"
    return Limits(STATED_LOWEST, highest, origin)


def limits_from(
    reference: Cases | Tensor, preparation: Preparation | None = None, *, share: float = 0.01
) -> Limits:
    """The limits beyond which at most `share` of the reference images lie.

    `reference`: Cases (with the model's `preparation`) or prepared pixels (N, C, H, W). Use
    training images, never those of the audit. All measures are tightened together, image by
    image, until one more step would refer more than `share`. A share (noise, black, white,
    border) is never made stricter than the stated limits. Raises HipauditError for fewer than
    50 images or a share outside [0, 0.5].
    """
    if not 0 <= share <= 0.5:
        raise HipauditError("a share from 0 to 0.5", f"{share:g}", "Use 0.01 for one per cent.")
    if len(reference) < FEWEST:
        raise HipauditError(
            f"at least {FEWEST} reference images", f"{len(reference)}", "Give more, or none."
        )
    found = _measured(reference, preparation)
    best = _at_rank(found, 0)
    for rank in range(1, len(reference)):
        tighter = _at_rank(found, rank)
        if _referred(tighter, found) > share:
            break
        best = tighter
    kept = _referred(best, found)
    origin = (
        f"of {len(reference)} reference images, {kept:.2%} beyond them (asked: at most {share:.2%})"
    )
    return Limits(best.lowest, best.highest, origin)


def limits_of(classifier: Classifier) -> Limits:
    """The limits a model brings (training record or model.yaml), else the stated ones.

    Raises HipauditError where what it brings are no limits.
    """
    way = classifier.preparation
    given = classifier.description.training.get(KEY)
    return read_limits(given) if given is not None else stated_limits(way.height, way.width)


def read_limits(given: Any) -> Limits:
    """Limits from plain data: {"lowest": {measure: number}, "highest": {…}, "origin": words}."""
    expected = f"{KEY} as {{lowest: {{measure: number}}, highest: {{…}}, origin: words}}"
    if not isinstance(given, Mapping) or not given.keys() <= {"lowest", "highest", "origin"}:
        raise HipauditError(expected, "something else", "Write what Limits.as_dict() gives.")
    sides = [given.get(side) or {} for side in ("lowest", "highest")]
    if not all(isinstance(side, Mapping) for side in sides):
        raise HipauditError(expected, "a side that is no table", "Write measure: number.")
    lowest, highest = ({str(name): value for name, value in side.items()} for side in sides)
    origin = " ".join(str(given.get("origin", "given with the model")).split())[:120]
    return Limits(lowest, highest, origin)


def _measured(reference: Cases | Tensor, way: Preparation | None) -> dict[str, Tensor]:
    parts: list[dict[str, Tensor]] = []
    for start in range(0, len(reference), BATCH):
        parts += _batch(reference, slice(start, start + BATCH), way)
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in LIMITED}


def _batch(
    reference: Cases | Tensor, rows: slice, way: Preparation | None
) -> Sequence[dict[str, Tensor]]:
    if isinstance(reference, Tensor):
        return [measures(reference[rows], tuple(LIMITED))]
    if way is None:
        raise HipauditError("the model's preparation with cases", "none", "Give preparation=….")
    images = [prepare_pixels(case.load(), way) for case in reference[rows]]
    return [measures(image[None], tuple(LIMITED)) for image in images]  # grey and colour mix


def _at_rank(found: Mapping[str, Tensor], rank: int) -> Limits:
    """Limits that leave at most `rank` images beyond each of them."""
    lowest, highest = {}, {}
    for name, values in found.items():
        ordered = values.sort().values
        if name in STATED_LOWEST:
            lowest[name] = float(ordered[rank])
        else:
            limit = float(ordered[-1 - rank])
            stated = STATED_HIGHEST[name]
            highest[name] = max(limit, stated) if name in ONLY_LOOSER else limit
    return Limits(lowest, highest)


def _referred(limits: Limits, found: Mapping[str, Tensor]) -> float:
    return float(torch.stack(list(limits.beyond(found).values())).any(0).double().mean())
