"""Decode and resize every case once; training then reads memory, not files."""

from __future__ import annotations

import torch
from torch import Tensor

from audit.cases.case import Cases
from audit.classifier import prepare_pixels
from audit.errors import HipauditError
from audit.results import Preparation


def load_pixels(cases: Cases, way: Preparation) -> Tensor:
    """(N, 1 or 3, H, W) float16 in [0, 1], in the order of `cases`.

    Half precision keeps 11 bits, more than a display and half the memory of float32.
    """
    images = [prepare_pixels(case.load(), way).half() for case in cases]
    channels = max(image.shape[0] for image in images)
    return torch.stack([image.expand(channels, -1, -1) for image in images])


def load_targets(cases: Cases, classes: tuple[str, ...]) -> Tensor:
    """(N,) int64 indices into `classes`. Raises HipauditError for a label not among them."""
    strangers = sorted(set(cases.labels) - set(classes))
    if strangers:
        raise HipauditError(f"labels among {', '.join(classes)}", f'"{strangers[0]}"')
    return torch.tensor([classes.index(case.label) for case in cases])
