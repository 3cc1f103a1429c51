"""How each image of a batch is seen: one homography and one change of light, drawn on the CPU.

Source: fastai 1.0.52 (`vision/transform.py`, `vision/image.py`), whose operations the study
used; the draws and their order are those of that library. Each operation draws independently
per image. Coordinates are (x, y) in [-1, 1], pixel edges at the borders.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

CORNERS = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])  # TL, BL, TR, BR
OFTEN = 0.75


@dataclass(frozen=True, slots=True)
class Looks:
    """`matrix` (N, 3, 3): from a point of the output to a point of the image.

    `crop` (N, 3, 3): from the output to the whole resized frame. `shift`, `factor` (N,): logits
    become (logit + shift) · factor; None leaves the light alone.
    """

    matrix: Tensor
    crop: Tensor
    shift: Tensor | None = None
    factor: Tensor | None = None

    def of(self, rows: slice) -> Looks:
        """Those of some images of the batch."""
        if self.shift is None or self.factor is None:
            return Looks(self.matrix[rows], self.crop[rows])
        return Looks(self.matrix[rows], self.crop[rows], self.shift[rows], self.factor[rows])


def study_looks(
    frames: Tensor, height: int, width: int, draw: Generator, *, flip: bool = True
) -> Looks:
    """The study's: warp, rotation, zoom, brightness, contrast and flip, and where the crop lies.

    `frames` (N, 2): height and width of each image resized so that height × width fits in it
    (crop), is it (squish), or holds it (pad).
    """
    n = len(frames)
    tall, wide = frames.double().unbind(1)
    matrix = _geometry(n, (tall / wide).float(), draw)
    if flip:
        matrix = matrix @ _mirror(n, draw)
    crop = _crop(frames, height, width, torch.rand(n, 2, generator=draw))
    shift, factor = _light(n, draw)
    return Looks(matrix @ crop, crop, shift, factor)


def gentle_looks(n: int, draw: Generator, *, flip: bool = True) -> Looks:
    """Shifted by up to 4%, half of them mirrored."""
    matrix = _mirror(n, draw) if flip else torch.eye(3).repeat(n, 1, 1)
    matrix[:, :2, 2] = _uniform(n, -0.08, 0.08, draw, columns=2)  # the frame is 2 wide
    return Looks(matrix, torch.eye(3).expand(n, 3, 3))


def warp_matrix(magnitudes: Tensor) -> Tensor:
    """Four corner magnitudes (N, 4) -> homographies (N, 3, 3) from moved corners to corners."""
    m0, m1, m2, m3 = magnitudes.unbind(1)
    moved = torch.stack(
        [
            torch.stack([-1 - m3, -1 - m1], 1),
            torch.stack([-1 - m2, 1 + m1], 1),
            torch.stack([1 + m3, -1 - m0], 1),
            torch.stack([1 + m2, 1 + m0], 1),
        ],
        dim=1,
    )  # (N, 4, 2)
    return homography(moved, CORNERS.expand_as(moved))


def homography(source: Tensor, target: Tensor) -> Tensor:
    """(N, 4, 2) point pairs -> (N, 3, 3) H with target ~ H · source (direct linear transform)."""
    x, y = source.double().unbind(-1)
    u, v = target.double().unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    top = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], dim=-1)
    low = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], dim=-1)
    solved = torch.linalg.solve(torch.cat([top, low], 1), torch.cat([u, v], 1)[..., None])
    h = torch.cat([solved[..., 0], torch.ones(len(source), 1, dtype=torch.float64)], dim=1)
    return h.view(-1, 3, 3).float()


def geometry(
    angle: Tensor, scale: Tensor, focus: Tensor, magnitudes: Tensor, aspect: Tensor
) -> Tensor:
    """Rotation · zoom, corrected for height / width, after the warp: (N, 3, 3).

    `angle` (N,) radians, `scale` (N,) >= 1, `focus` (N, 2) in [-1, 1] as (x, y): which part
    the zoom keeps, `magnitudes` (N, 4) of the warp, `aspect` (N,) height / width.
    """
    rotate = torch.eye(3).repeat(len(angle), 1, 1)
    rotate[:, 0, 0] = rotate[:, 1, 1] = torch.cos(angle)
    rotate[:, 0, 1] = -torch.sin(angle)
    rotate[:, 1, 0] = torch.sin(angle)
    zoom = torch.eye(3).repeat(len(angle), 1, 1)
    zoom[:, 0, 0] = zoom[:, 1, 1] = 1 / scale
    zoom[:, :2, 2] = focus * (1 - 1 / scale)[:, None]
    affine = rotate @ zoom
    affine[:, 0, 1] *= aspect
    affine[:, 1, 0] /= aspect
    return affine @ warp_matrix(magnitudes)


def _geometry(n: int, aspect: Tensor, draw: Generator) -> Tensor:
    """Warp, rotation and zoom as drawn, each with probability 0.75."""
    magnitudes = _maybe(_uniform(n, -0.2, 0.2, draw, columns=4), draw)
    angle = _maybe(_uniform(n, -10.0, 10.0, draw), draw)[:, 0] * math.pi / 180
    more = _maybe(_uniform(n, 0.0, 0.1, draw), draw)[:, 0]
    focus = _uniform(n, -1.0, 1.0, draw, columns=2)
    return geometry(angle, 1 + more, focus, magnitudes, aspect)


def _crop(frames: Tensor, height: int, width: int, where: Tensor) -> Tensor:
    """The output inside the frame: at a random whole pixel, or centred where it is larger."""
    matrix = torch.eye(3).repeat(len(frames), 1, 1)
    for axis, out in ((1, height), (0, width)):
        full = frames[:, 1 - axis].float()
        spare = full - out
        low = torch.where(
            spare >= 0,
            ((spare + 1) * where[:, axis]).floor().minimum(spare),
            -(-spare / 2).floor(),
        )
        matrix[:, axis, axis] = out / full
        matrix[:, axis, 2] = (out + 2 * low) / full - 1
    return matrix


def _light(n: int, draw: Generator) -> tuple[Tensor, Tensor]:
    """logit(c) of the brightness and factor of the contrast, 0 and 1 where they do not happen."""
    bright = torch.logit(_uniform(n, 0.4, 0.6, draw)[:, 0])
    bright = torch.where(_happens(n, OFTEN, draw), bright, 0.0)
    contrast = torch.exp(_uniform(n, math.log(0.8), math.log(1.25), draw)[:, 0])
    return bright, torch.where(_happens(n, OFTEN, draw), contrast, 1.0)


def _mirror(n: int, draw: Generator) -> Tensor:
    matrix = torch.eye(3).repeat(n, 1, 1)
    matrix[:, 0, 0] = torch.where(_happens(n, 0.5, draw), -1.0, 1.0)
    return matrix


def _maybe(drawn: Tensor, draw: Generator) -> Tensor:
    """(N, K) with the rows of those it does not happen to at zero."""
    return drawn * _happens(len(drawn), OFTEN, draw)[:, None]


def _uniform(n: int, low: float, high: float, draw: Generator, columns: int = 1) -> Tensor:
    return low + (high - low) * torch.rand(n, columns, generator=draw)


def _happens(n: int, p: float, draw: Generator) -> Tensor:
    return torch.rand(n, generator=draw) < p
