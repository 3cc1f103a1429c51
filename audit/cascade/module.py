"""The cascade as one network: view → femoral neck → a classifier per view, and a metal filter.

Source: Gale et al. 2017, arXiv:1711.06504.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audit.cascade.crop import crop, in_frame, samples_for
from audit.cascade.link import Link
from audit.cascade.mixing import HardValueSoftGradient, branch_weights, mixture
from audit.cascade.wiring import Wiring


class Cascade(nn.Module):
    """x (N, 1, H, W) in [0, 1] -> log-probabilities (N, K), or one branch's own logits.

    Everything between is differentiable in x: the view network's and the localiser's copies
    are resized from x, and the crop is sampled from x. A deep branch sees the crop only.
    """

    def __init__(
        self,
        branches: Sequence[Link],
        wiring: Wiring,
        *,
        view: Link | None = None,
        localiser: Link | None = None,
        metal: Link | None = None,
    ) -> None:
        """`branches` in the order of `wiring.branches`. Links are checked by `checked`."""
        super().__init__()
        self.wiring = wiring
        self.view = view
        self.localiser = localiser
        self.metal = metal
        self.branches = nn.ModuleList(branches)
        views = view.description.classes if view is not None else ()
        self.register_buffer("table", branch_weights(views, wiring.branches), persistent=False)
        self.register_buffer(
            "known", torch.tensor([v in wiring.branches for v in views]), persistent=False
        )

    table: Tensor
    known: Tensor

    def forward(self, x: Tensor) -> Tensor:
        seen = self.patch(x)
        if self.view is None or len(self.branches) == 1:
            only: Tensor = self.branches[0](seen)
            return only
        views = F.log_softmax(self.view(x), dim=1)  # (N, V)
        if self.wiring.routing == "soft":
            return mixture(self._soft(views), self._every(seen))
        hard = self.table[views.argmax(1)]  # (N, B) log weights
        if not torch.is_grad_enabled():
            return mixture(hard, self._chosen(seen, hard))
        said = self._every(seen)
        out: Tensor = HardValueSoftGradient.apply(
            mixture(hard, said), mixture(self._soft(views), said)
        )
        return out

    def _soft(self, views: Tensor) -> Tensor:
        """log p(view) (N, V) -> log weights of the branches (N, B)."""
        return torch.logsumexp(views[:, :, None] + self.table, dim=1)

    def _every(self, seen: Tensor) -> Tensor:
        """(N, B, K): what every branch says."""
        return torch.stack([F.log_softmax(branch(seen), dim=1) for branch in self.branches], 1)

    def _chosen(self, seen: Tensor, weights: Tensor) -> Tensor:
        """(N, B, K) as `_every`, each branch run on the images that are its own only."""
        said: Tensor | None = None
        for place, branch in enumerate(self.branches):
            rows = torch.nonzero(weights[:, place] > -torch.inf)[:, 0]
            if not len(rows):
                continue
            part = F.log_softmax(branch(seen[rows]), dim=1)
            if said is None:
                said = part.new_zeros(len(seen), len(self.branches), part.shape[1])
            said[rows, place] = part
        if said is None:  # no image: shapes must still come out
            return self._every(seen)
        return said

    def place(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Where the localiser puts the window: centres (N, 2) and sides (N,), as `crop` takes."""
        if self.localiser is None or self.wiring.window is None:
            middle = torch.full((len(x), 2), 0.5, dtype=x.dtype, device=x.device)
            return middle, torch.ones(len(x), dtype=x.dtype, device=x.device)
        smallest, largest = self.wiring.window
        said = torch.sigmoid(self.localiser(x))
        if said.shape[1] == 2:
            return said, torch.full_like(said[:, 0], largest)
        return said[:, :2], smallest + (largest - smallest) * said[:, 2]

    def patch(self, x: Tensor) -> Tensor:
        """(N, 1, S, S): what the branches see; all of x where there is no localiser."""
        if self.localiser is None or self.wiring.window is None:
            return x
        centre, side = self.place(x)
        samples = samples_for(self.wiring.window[1], x.shape[-2], x.shape[-1], self.crop_size)
        return crop(x, centre, side, self.crop_size, samples)

    @property
    def crop_size(self) -> int:
        """Side of the crop in pixels: that of the largest branch."""
        ways = [branch.description.preparation for branch in self._links()]
        return max(max(way.height, way.width) for way in ways)

    def _links(self) -> list[Link]:
        return [branch for branch in self.branches if isinstance(branch, Link)]

    def refers(self, x: Tensor, _logits: Tensor | None = None) -> Tensor:
        """(N,) bool: metal seen, or a view that the cascade does not know or is unsure of."""
        grey = x.mean(1, keepdim=True) if x.shape[1] == 3 else x
        out = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        if self.metal is not None:
            out |= self.metal_seen(grey)
        if self.view is not None:
            best, chosen = F.softmax(self.view(grey), dim=1).max(1)
            if self.wiring.refer_unknown:
                out |= ~self.known[chosen]
            if self.wiring.view_confidence is not None:
                out |= best < self.wiring.view_confidence
        return out

    def metal_seen(self, x: Tensor) -> Tensor:
        """(N,) bool: P(metal) is at or above the metal link's recorded threshold (or one half)."""
        if self.metal is None:
            return torch.zeros(len(x), dtype=torch.bool, device=x.device)
        said = self.metal.description
        share = F.softmax(self.metal(x), dim=1)[:, said.classes.index(said.positive_class)]
        return share >= (0.5 if said.threshold is None else said.threshold)

    def branch_of(self, x: Tensor) -> Tensor:
        """(N,) int64: the branch with the largest weight, the first of equals."""
        if self.view is None or len(self.branches) == 1:
            return torch.zeros(len(x), dtype=torch.int64, device=x.device)
        return self._soft(F.log_softmax(self.view(x), dim=1)).argmax(1)

    def map_in_frame(self, heat: Tensor, x: Tensor) -> Tensor:
        """A map (h, w) of what the branches saw of x (1, 1, H, W), put back into the frame."""
        centre, side = self.place(x)
        return in_frame(heat.to(x.device), centre[0], side[0], x.shape[-2], x.shape[-1])

    def extra_repr(self) -> str:
        """The wiring is part of what identifies a computation."""
        return repr(self.wiring)
