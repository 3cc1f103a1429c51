"""Scoring many versions of one image that differ from it in a few pixels."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from audit.speed.local import local_scorer
from audit.stresses.registry import Attackable


class PixelScorer(Protocol):
    """Decision logits of one image with some of its pixels replaced."""

    def __call__(self, rows: Tensor, cols: Tensor, values: Tensor) -> Tensor:
        """`rows`, `cols` (M, k) int64 inside the image, `values` (M, k, C) float32 in [0, 1]
        -> decision logits (M, K) float32 on the CPU, without gradient.

        Where the k places of a candidate repeat, the later wins. Each candidate counts as one
        forward, however it is computed.
        """
        ...


def pixel_scorer(model: Attackable, x: Tensor) -> PixelScorer:
    """A scorer for `x` (C, H, W) float32 in [0, 1] under `model`.

    One pixel per candidate is followed locally where the network offers it (`local_scorer`);
    everything else goes through the network as whole images.
    """
    whole, local = dense_scorer(model, x), local_scorer(model, x)
    if local is None:
        return whole

    def score(rows: Tensor, cols: Tensor, values: Tensor) -> Tensor:
        return (local if rows.shape[1] == 1 else whole)(rows, cols, values)

    return score


def dense_scorer(model: Attackable, x: Tensor) -> PixelScorer:
    """Whole images through `model`: a buffer of copies of `x` takes the pixels and is restored.

    Writing k pixels and taking them back costs a thousandth of copying the image M times.
    """
    clean = x.to(getattr(model, "device", x.device))
    buffer = clean[None].clone()

    def score(rows: Tensor, cols: Tensor, values: Tensor) -> Tensor:
        nonlocal buffer
        if len(buffer) < len(rows):
            buffer = clean.expand(len(rows), -1, -1, -1).clone()
        rows, cols = rows.to(clean.device), cols.to(clean.device)
        images = buffer[: len(rows)]
        try:
            with_pixels(images, rows, cols, values)
            with torch.no_grad():
                return model.decision_logits(images).float().cpu()
        finally:
            members = torch.arange(len(rows), device=clean.device)[:, None]
            images[members, :, rows, cols] = clean[:, rows, cols].permute(1, 2, 0)

    return score


def with_pixels(images: Tensor, rows: Tensor, cols: Tensor, values: Tensor) -> None:
    """Write `values` (M, k, C) into `images` (M, C, H, W) in place, the later of the k last."""
    members = torch.arange(len(images), device=images.device)
    values = values.to(images.device, images.dtype)
    for i in range(rows.shape[1]):  # one after the other: an index that repeats has no order
        images[members, :, rows[:, i], cols[:, i]] = values[:, i]
