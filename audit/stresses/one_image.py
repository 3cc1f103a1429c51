"""Any registered stress as one altered image per case, for who wants no table of variants."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.candidates import up_to_the_first
from audit.stresses.registry import Altered, Attackable, Batch, Stress


def first_fooling(
    stress: Stress, params: dict[str, Any], model: Attackable, batch: Batch
) -> Tensor:
    """Per image the first candidate that is decided differently from y, (N, C, H, W).

    Where none is: the last level of a stress of levels, x itself for a search; x itself, too,
    where x is decided differently from y already. Sets `batch.open` as it goes.
    """
    truth = batch.y.numpy().copy()
    batch.open = _decided(model, batch.x) == truth
    chosen = batch.x.clone()
    for altered in stress.perturb(model, batch, **params):
        rows = np.arange(len(chosen)) if altered.rows is None else np.asarray(altered.rows)
        open_ = batch.open[rows]
        rows, images = rows[open_], _stacked(altered, chosen)[torch.from_numpy(open_)]
        if len(rows):
            fooled = _decided(model, images) != truth[rows]
            counted = up_to_the_first(rows.tolist(), fooled)
            rows, images, fooled = rows[counted], images[counted], fooled[counted]
            taken = fooled | (stress.variants == "level")
            chosen[rows[taken]] = images[torch.from_numpy(taken)]
            batch.open[rows[fooled]] = False
        if not batch.open.any():
            break
    return chosen


def _decided(model: Attackable, x: Tensor) -> npt.NDArray[np.int64]:
    with torch.no_grad():
        return model.decision_logits(x).argmax(1).cpu().numpy()


def _stacked(altered: Altered, like: Tensor) -> Tensor:
    """Images of one variant as a tensor; native arrays of an acquisition stress included."""
    if isinstance(altered.images, Tensor):
        return altered.images
    planes = [torch.from_numpy(np.asarray(image, np.float32)) for image in altered.images]
    stacked = torch.stack([p[None] if p.ndim == 2 else p.permute(2, 0, 1) for p in planes])
    if stacked.shape[1:] != like.shape[1:]:
        raise HipauditError(
            "a stress that keeps the size of an image",
            f"{tuple(stacked.shape[1:])} for {tuple(like.shape[1:])}",
            "Run it through hipaudit instead of ART.",
        )
    return stacked


def as_batch(x: Tensor, y: Tensor, stress: Stress, seed: int, room: int) -> Batch:
    """Draws follow the image's content, so that the batch it sits in does not matter.

    `room`: how many images go through the model together.
    """
    names = [hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in x]
    pixels = [
        image[0].numpy() if len(image) == 1 else image.permute(1, 2, 0).numpy() for image in x
    ]
    return Batch(
        x=x,
        y=y,
        rngs=[generator(seed, name, stress.name) for name in names],
        pixels=pixels if stress.domain == "acquisition" else (),
        room=room,
    )


def label_indices(y: Any, model: Attackable, x: Tensor, batch_size: int) -> Tensor:
    """Labels as ART takes them, (N,), (N, 1), one-hot or None for what is said of x -> (N,)."""
    if y is None:
        starts = range(0, len(x), batch_size)
        parts = [_decided(model, x[start : start + batch_size]) for start in starts]
        return torch.from_numpy(np.concatenate(parts)) if parts else torch.zeros(0).long()
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    return torch.from_numpy(labels.reshape(-1).astype(np.int64))
