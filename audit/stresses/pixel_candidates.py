"""Candidates of a sparse attack: one image with some of its pixels replaced, and its score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audit.results import Scalar

Floats = npt.NDArray[np.float64]
# The same image may score up to 1e-4 apart in batches of another size, and the engine checks
# again in one: a hit closer to the boundary than that does not end a search.
CLEAR = 1e-4
# A comparison of scores that are equal but for such noise must not hang on it: many places
# matter to nothing, and their candidates all score alike.
TIE = 1e-5


@dataclass(frozen=True, slots=True)
class Candidates:
    """M versions of one image (C, H, W), each with k pixels replaced.

    `places` (M, k) int64, row · W + column; where they repeat, the later wins. `levels`
    (M, k, C) int64, 0–255: whole grey levels or colours.
    """

    places: npt.NDArray[np.int64]
    levels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    def part(self, keep: npt.NDArray[np.int64]) -> Candidates:
        return Candidates(self.places[keep], self.levels[keep])

    def values(self) -> Tensor:
        """(M, k, C) float32 in [0, 1]."""
        return torch.from_numpy(self.levels / 255).float()

    def rows_and_columns(self, width: int) -> tuple[Tensor, Tensor]:
        rows, columns = np.divmod(self.places, width)
        return torch.from_numpy(rows), torch.from_numpy(columns)

    def keys(self) -> list[bytes]:
        """Equal for candidates that make the same image."""
        both = np.concatenate([self.places[:, :, None], self.levels], axis=2)
        if both.shape[1] > 1:
            both = _later_wins(both)
            order = np.argsort(both[:, :, 0], axis=1, kind="stable")
            both = np.take_along_axis(both, order[:, :, None], axis=1)
        return [row.tobytes() for row in both]


def _later_wins(both: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(M, k, 1 + C), place first: every pixel carries the level that its place ends up with."""
    pixels = both.shape[1]
    same = both[:, :, None, 0] == both[:, None, :, 0]
    last = pixels - 1 - same[:, :, ::-1].argmax(axis=2)
    return np.take_along_axis(both, last[:, :, None], axis=1)


def log_odds(logits: Floats, target: int) -> Floats:
    """Of the true class, (M,): ordered as its probability, but does not saturate."""
    others = np.delete(logits, target, axis=1)
    top = others.max(axis=1)
    rest = np.log(np.exp(others - top[:, None]).sum(axis=1))
    return np.asarray(logits[:, target] - top - rest)


def margins(logits: Floats, target: int) -> Floats:
    """True logit less the largest other one, (M,): negative where decided otherwise."""
    return np.asarray(logits[:, target] - np.delete(logits, target, axis=1).max(axis=1))


def image_of(x: Tensor, one: Candidates) -> Tensor:
    """(C, H, W) with the pixels of a single candidate put in, in their order."""
    made = x.clone()
    rows, columns = one.rows_and_columns(x.shape[-1])
    for row, column, value in zip(rows[0], columns[0], one.values()[0], strict=True):
        made[:, row, column] = value.to(made.dtype)
    return made


def described(one: Candidates, width: int) -> dict[str, Scalar]:
    """Column x, row y and value in [0, 1] (red, green, blue for colour) of each pixel.

    The second pixel's names end in 2, and so on.
    """
    said: dict[str, Scalar] = {}
    pairs = zip(one.places[0], one.levels[0], strict=True)
    for index, (place, levels) in enumerate(pairs):
        end = "" if index == 0 else str(index + 1)
        names = ["value"] if len(levels) == 1 else ["red", "green", "blue"]
        said |= {f"x{end}": int(place % width), f"y{end}": int(place // width)}
        said |= {f"{n}{end}": float(v) / 255 for n, v in zip(names, levels, strict=True)}
    return said
