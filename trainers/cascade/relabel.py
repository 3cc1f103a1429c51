"""The same cases asked other questions: which view, metal or none, and crops about the neck."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from audit.cascade.crop import crop, samples_for
from audit.cases.case import Case, Cases, Pixels
from audit.classifier import prepare_pixels
from audit.results import Preparation

UNKNOWN = "unknown"
NO_METAL = {"0", "no", "none", "false", "without"}
METAL = ("none", "metal")


def relabelled(cases: Cases, label: Callable[[Case], str | None]) -> Cases:
    """The cases that have such a label, with it in place of their own."""
    named = [(case, label(case)) for case in cases]
    kept = [replace(case, label=name) for case, name in named if name is not None]
    return Cases(kept, cases.description)


def view_of(case: Case) -> str | None:
    """The view, None where it is not known."""
    said = case.attributes.get("view", UNKNOWN)
    return None if said in ("", UNKNOWN) else said


def metal_of(case: Case) -> str | None:
    """ "metal" or "none" from the attribute `hardware`; None where it does not say."""
    said = case.attributes.get("hardware", UNKNOWN).lower()
    if said in ("", UNKNOWN):
        return None
    return METAL[0] if said in NO_METAL else METAL[1]


def with_view(cases: Cases, view: str) -> Cases:
    """The cases of one view, labels as they are."""
    return Cases([case for case in cases if view_of(case) == view], cases.description)


def cropped(
    cases: Cases,
    places: Mapping[str, Tensor],
    side: float,
    size: int,
    frame: Preparation,
    key: str,
) -> Cases:
    """The cases as the branches of the cascade see them, with as many pixels as are sampled.

    `places`: case id -> (2,) centre as shares of the frame. `key` names what put them there;
    it goes into the ids, so that stored pixels and states of other crops are never mistaken
    for these.
    """
    samples = samples_for(side, frame.height, frame.width, size)
    made = [
        replace(
            case,
            id=_renamed(case.id, key),
            load=Cropped(case.load, places[case.id], side, size * samples, frame),
            shape=(size * samples, size * samples),
            boxes=(),
        )
        for case in cases
    ]
    return Cases(made, cases.description)


class Cropped:
    """`Case.load` of a crop: (S, S) float32 in [0, 1]."""

    def __init__(
        self,
        load: Callable[[], Pixels],
        centre: Tensor,
        side: float,
        size: int,
        frame: Preparation,
    ) -> None:
        self._load, self._centre, self._side = load, centre, side
        self._size, self._frame = size, frame

    def __call__(self) -> Pixels:
        x = prepare_pixels(self._load(), self._frame).mean(0, keepdim=True)[None]
        seen = crop(x, self._centre[None], torch.tensor([self._side]), self._size)
        pixels: Pixels = seen[0, 0].clamp(0.0, 1.0).numpy()
        return pixels


def _renamed(case_id: str, key: str) -> str:
    return hashlib.sha256(f"{case_id}\x1f{key}".encode()).hexdigest()[: max(8, len(case_id))]
