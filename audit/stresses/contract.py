"""What the engine checks on every altered image before it believes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from audit.errors import StressFailed
from audit.stresses.registry import Altered, Stress, variant_key

TOLERANCE = 1e-5


def check_altered(
    stress: Stress,
    params: Mapping[str, Any],
    altered: Altered,
    images: Tensor,
    originals: Tensor,
) -> None:
    """Shape, dtype, finiteness, range [0, 1] and budget; (M, C, H, W) against the same of x.

    Raises StressFailed naming stress, variant and what was broken.
    """
    where = f"{stress.name} {variant_key(altered.variant)}".strip()
    if images.shape != originals.shape or images.dtype != torch.float32:
        raise StressFailed(
            f"{where}: expected {tuple(originals.shape)} float32, "
            f"found {tuple(images.shape)} {images.dtype}"
        )
    low, high = (float(end) for end in images.aminmax())  # NaN where any pixel is
    if not (math.isfinite(low) and math.isfinite(high)):
        raise StressFailed(f"{where}: altered images are not finite")
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        raise StressFailed(f"{where}: expected pixels in [0, 1], found {low:g} to {high:g}")
    told = {"found": altered.found, "queries": altered.queries, "variants": altered.variants}
    for name, given in told.items():
        if given and len(given) != len(images):
            raise StressFailed(f"{where}: {name} has {len(given)} entries for {len(images)} images")
    rows = altered.rows or ()
    if stress.variants != "search" and (altered.variants or len(set(rows)) < len(rows)):
        raise StressFailed(f"{where}: a case has one image per variant, except in a search")
    _check_budget(stress, params, altered, images, originals, where)


def _check_budget(
    stress: Stress,
    params: Mapping[str, Any],
    altered: Altered,
    images: Tensor,
    originals: Tensor,
    where: str,
) -> None:
    if stress.budget is None:
        return
    distances = distance(images, originals, stress.norm).tolist()
    for variant, spent in zip(altered.each, distances, strict=True):
        allowed = stress.budget(params, variant)
        if allowed is not None and spent > allowed + TOLERANCE:
            raise StressFailed(f"{where}: expected {stress.norm} <= {allowed:g}, found {spent:g}")


def distance(images: Tensor, originals: Tensor, norm: str | None) -> Tensor:
    """Per-image distance (M,): "linf" in pixels, "l2" Euclidean, "l0" number of changed pixels."""
    difference = (images - originals).abs()
    if norm == "linf":
        return difference.flatten(1).amax(1)
    if norm == "l2":
        return difference.flatten(1).square().sum(1).sqrt()
    if norm == "l0":
        return (difference.amax(1) > 0).flatten(1).sum(1).float()
    raise StressFailed(f"norm {norm!r} is not one of linf, l2, l0")
