"""What the pictures of probes share: levels of a tensor, panels in a row, PNG bytes."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from torch import Tensor

Bytes = npt.NDArray[np.uint8]
SMALLEST = 224  # shown at least this high
SQUEEZED = 1  # of zlib's 9 levels: an eighth larger than at its usual 6, a quarter of its time
GAP = 8


def levels_of(x: Tensor) -> Bytes:
    """(1 or 3, H, W) in [0, 1] -> (H, W, 3) in 8 bits."""
    wide = x.detach().cpu().expand(3, -1, -1).permute(1, 2, 0).clamp(0, 1)
    return np.asarray((wide.numpy() * 255).round(), dtype=np.uint8)


def in_a_row(panels: list[Bytes]) -> Bytes:
    """Panels (H, W, 3) of one height side by side, white between them."""
    gap = np.full((len(panels[0]), GAP, 3), 255, np.uint8)
    joined = [part for panel in panels for part in (gap, panel)]
    return np.concatenate(joined[1:], axis=1)


def png(image: Bytes) -> bytes:
    """(H, W, 3) as PNG, whole times larger where it is small; grey where it has no colour."""
    from PIL import Image

    grey = bool(
        (image[:, :, 0] == image[:, :, 1]).all() and (image[:, :, 0] == image[:, :, 2]).all()
    )
    picture = Image.fromarray(image[:, :, 0] if grey else image)
    times = -(-SMALLEST // image.shape[0])
    if times > 1:
        size = (image.shape[1] * times, image.shape[0] * times)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    stream = io.BytesIO()
    picture.save(stream, format="PNG", compress_level=SQUEEZED)
    return stream.getvalue()
