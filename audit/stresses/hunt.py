"""Who is still to be fooled: the active set that PGD, APGD and their like share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from audit.results import Scalar
from audit.stresses.looking import Seen, ask, clear_margin, device_of
from audit.stresses.registry import Altered, Attackable, Batch


class Hunt:
    """The best image found for each case, on the model's device, and what it cost.

    A case is settled once an image of it fools clearly and still does after rounding to
    8 bits: going on would cost forwards and change no decision. Of a case that is fooled in
    float32 only, the search goes on to the end of its walk. With `stop_early` False nothing is
    settled, as an image that is to be carried over to another model wants every step. With
    `rounded` False float32 is enough.
    """

    def __init__(
        self, model: Attackable, batch: Batch, stop_early: bool = True, rounded: bool = True
    ) -> None:
        self.model = model
        self.rounded = rounded
        device = device_of(model)
        self.x, self.y = batch.x.to(device), batch.y.to(device)
        self.rngs = batch.rngs
        self.images = self.x.clone()
        self.stop_early = stop_early
        self.clear = clear_margin(model)
        self.margin = torch.full((len(self.x),), -torch.inf, device=device)
        self.blind = torch.ones(len(self.x), dtype=torch.bool, device=device)
        self.some_blind = True
        self.settled = torch.from_numpy(~batch.open).to(device) & stop_early
        self.spent = torch.zeros(len(self.x), dtype=torch.long, device=device)

    def left(self) -> Tensor:
        """Row numbers of the cases that no image fools yet (all, unless `stop_early`)."""
        fooled = self.margin > self.clear
        return torch.nonzero(~(self.settled | (fooled & self.stop_early)))[:, 0]

    def note(self, rows: Tensor, images: Tensor, seen: Seen | Tensor) -> Tensor:
        """Keep what is better than before -> (M,) bool: which of `rows` are to go on.

        `seen`: what one look at `images` (M, C, H, W) gave; margins alone after a forward.
        """
        margin = seen if isinstance(seen, Tensor) else seen.margin
        if isinstance(seen, Seen) and self.some_blind:
            self.blind[rows] &= ~seen.gradient.flatten(1).any(1)
            self.some_blind = bool(self.blind.any())
        self.spent[rows] += 1
        better = margin > self.margin[rows]
        self.margin[rows[better]] = margin[better]
        self.images[rows[better]] = images[better]
        if self.stop_early:
            self._settle(rows, images, margin)
        return ~self.settled[rows]

    def _settle(self, rows: Tensor, images: Tensor, margin: Tensor) -> None:
        fooled = torch.nonzero(margin > self.clear)[:, 0]
        if not len(fooled):
            return
        who = rows[fooled]
        if not self.rounded:
            self.settled[who] = True
            return
        rounded = (images[fooled] * 255).round() / 255
        holds = ask(self.model, rounded, self.y[who]) > self.clear
        self.spent[who] += 1
        self.images[who[holds]] = images[fooled[holds]]
        self.settled[who[holds]] = True

    def altered(self, variant: Mapping[str, Scalar]) -> Altered:
        """What was found so far, and the forwards spent since the last time this was asked."""
        queries = self.spent.tolist()
        self.spent.zero_()
        blind = (self.blind & torch.isfinite(self.margin)).tolist()
        found: list[Mapping[str, Scalar]] = [{"zero_gradient": True} if b else {} for b in blind]
        return Altered(dict(variant), self.images.cpu().clone(), found=found, queries=queries)


def everywhere(epsilon: float, rows: Tensor, like: Tensor) -> Tensor:
    """One radius for all `rows`, in the shape walks take it: (M, 1, 1, 1)."""
    return torch.full((len(rows), 1, 1, 1), epsilon, device=like.device)


@dataclass
class Box:
    """The ε-balls around some images, cut to [0, 1]: `low` and `high` (M, C, H, W)."""

    low: Tensor
    high: Tensor

    def only(self, on: Tensor) -> Box:
        return Box(self.low[on], self.high[on])

    def nearest(self, images: Tensor) -> Tensor:
        """The images of the box that are nearest to these."""
        return images.clamp(self.low, self.high)


def box(x: Tensor, epsilon: Tensor) -> Box:
    """Around x (M, C, H, W) with ε (M, 1, 1, 1)."""
    return Box((x - epsilon).clamp_min(0.0), (x + epsilon).clamp_max(1.0))


def random_start(
    x: Tensor, epsilon: Tensor, inside: Box, rngs: Sequence[np.random.Generator]
) -> Tensor:
    """x plus noise uniform in [-ε, ε] from each case's own generator, kept in the box."""
    noise = np.stack([rng.random(tuple(x.shape[1:]), dtype=np.float32) for rng in rngs])
    return inside.nearest(x + (2 * torch.from_numpy(noise).to(x.device) - 1) * epsilon)
