"""How well two small pictures fit when one is laid over the other."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from audit.speed.threads import one_thread_each, spread

STEPS = 12
SETTLED = 0.01  # pixels: a step that moves no corner further ends the fit
MOST = 0.12  # of the side: how far a corner may move
INSIDE = 0.7  # of the area that must overlap
SCREEN = 0.1  # what falls short of `least` by more in single precision is not computed in double
ONE_WAY = 0.01  # of the squared slopes: less lies across the outlines' main direction
BORDER = 12  # pixels; further than a corner may move
SHARE = 128  # pictures that one thread lays over each other
GROUP = 64  # pictures at a time, of each thread
Pictures = npt.NDArray[np.float32]


def aligned(one: Pictures, other: Pictures, least: float) -> npt.NDArray[np.float64]:
    """Of each two square pictures (N, S, S): correlation of their edges (N,) after the affine map
    of `other` that makes their grey levels fit best; that of the pictures as they lie where it is
    no better.

    So a copy that was cropped or turned a little still fits, which another exposure of the same
    pose does not: its outlines do, its fine structure does not. 0 where nothing has edges.
    Computed in single precision, and again in double where it comes near `least` or above, and
    where single precision might not settle: outlines that all run one way.
    Source of the fit: Lucas & Kanade 1981 on normalised grey levels (Evangelidis & Psarakis 2008,
    doi:10.1109/TPAMI.2008.113); of the edges' compression: a signed square root, which keeps one
    strong border (a collimator, metal) from speaking for all.
    """
    parts = [slice(start, start + SHARE) for start in range(0, len(one), SHARE)]

    def laid(part: slice) -> Tensor:
        first, second = torch.from_numpy(one[part]), torch.from_numpy(other[part])
        found = _aligned(first, second).double()
        near = ((found >= least - SCREEN) | _one_way(second)).nonzero()[:, 0]
        if len(near):
            found[near] = _aligned(first[near].double(), second[near].double())
        return found

    with one_thread_each() as threads:
        found = spread(laid, parts, threads=threads)
    return np.asarray(torch.cat([torch.zeros(0).double(), *found]).numpy())


def _aligned(one: Tensor, other: Tensor) -> Tensor:
    found = torch.empty(len(one), dtype=one.dtype)
    theta, settled = _fitted(one, other)
    for some in _groups(torch.arange(len(one))):
        found[some] = _edges_alike(one[some], other[some])
    for some in _groups(settled.nonzero()[:, 0]):
        places = _places(theta[some], one)
        inside = _inside(places)
        moved = _sampled_smoothly(other[some], places)
        fits = _edges_alike(one[some], moved, _eroded(inside))
        enough = inside.mean((1, 2)) >= INSIDE
        found[some] = torch.where(enough & (fits > found[some]), fits, found[some])
    return found


def _one_way(images: Tensor) -> Tensor:
    """(N,): hardly any slope crosses the others, so that a shift along them is anybody's guess.

    Of 506 radiographs of FracAtlas the least has a share of .03 that does.
    """
    down, across = (torch.empty_like(images) for _ in range(2))
    _slopes(images, down, across)
    one, two, both = (
        (a * b).sum((1, 2)) for a, b in ((down, down), (across, across), (down, across))
    )
    least = (one + two) / 2 - ((one - two) ** 2 / 4 + both**2).sqrt()
    return least <= ONE_WAY * (one + two)


def _groups(places: Tensor) -> list[Tensor]:
    return [places[start : start + GROUP] for start in range(0, len(places), GROUP)]


def _fitted(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Affine maps (N, 2, 3) that lay `other` over `one`, and (N,) where one was found: False where
    the fit ran away."""
    side = one.shape[-1]
    blur = _blur(side).to(one)
    smooth_one, smooth = blur @ one @ blur.T, blur @ other @ blur.T
    theta = torch.zeros(len(one), 2, 3, dtype=torch.float64)
    settled = torch.zeros(len(one), dtype=torch.bool)
    design = torch.empty(GROUP, 9, side, side, dtype=one.dtype)
    still = torch.arange(len(one))  # those that are being fitted
    for _ in range(STEPS):
        steps = [
            _step(smooth_one[some], smooth[some], theta[some], design[: len(some)])
            for some in _groups(still)
        ]
        step = torch.cat(steps)
        theta[still] += step
        away = theta[still].abs().sum(2).amax(1) > MOST * side
        settled[still] = ~away
        still = still[~away & ~(step.abs().amax((1, 2)) < SETTLED)]
        if not len(still):
            break
    return theta, settled


@cache
def _blur(side: int) -> Tensor:
    """A Gaussian blur of one pixel as a matrix (S, S)."""
    return torch.from_numpy(ndimage.gaussian_filter1d(np.eye(side), 1.0, axis=0))


@cache
def _grid(side: int, dtype: torch.dtype) -> Tensor:
    """What the numbers of an affine map multiply (5, S²): places down and across (-1 to 1 between
    the outer borders), 1; and the places themselves, across and down, as `_places` gives them."""
    down, across = np.indices((side, side), dtype=np.float64).reshape(2, -1) - (side - 1) / 2
    one, half = np.ones(side * side), (side - 1) / 2
    rows = [down / (side / 2), across / (side / 2), one, across / half, down / half]
    return torch.from_numpy(np.stack(rows)).to(dtype)


def _places(theta: Tensor, like: Tensor) -> Tensor:
    """Where each pixel comes from (N, 2, S, S): across and down, -1 to 1 between the middles of
    the outermost pixels."""
    side = like.shape[-1]
    grid = _grid(side, like.dtype)
    still = torch.eye(2, dtype=theta.dtype).expand(len(theta), 2, 2)
    numbers = torch.cat([theta.flip(1) * (2 / (side - 1)), still], dim=2)
    return (numbers.to(like) @ grid).view(-1, 2, side, side)


def _inside(places: Tensor) -> Tensor:
    """(N, S, S): 1 where a place lies in the picture, else 0."""
    at = places.numpy()  # whose comparisons take a fifth of the time of PyTorch's
    inside = np.abs(at) <= 1
    return torch.from_numpy((inside[:, 0] & inside[:, 1]).astype(at.dtype))


def _sampled(images: Tensor, places: Tensor) -> Tensor:
    """Bilinear, the nearest pixel outside."""
    grid = places.permute(0, 2, 3, 1)
    return grid_sample(images[:, None], grid, padding_mode="border", align_corners=True)[:, 0]


def _step(one: Tensor, other: Tensor, theta: Tensor, design: Tensor) -> Tensor:
    """(N, 2, 3) Gauss-Newton step of the affine map, grey levels free in scale and offset.
    `design` (N, 9, S, S) is overwritten."""
    n, side = one.shape[:2]
    places = _places(theta, one)
    inside = _inside(places)
    moved = _sampled(other, places)
    down, across = design[:, 2], design[:, 5]
    _slopes(moved, down, across)
    down *= inside
    across *= inside
    grid = _grid(side, one.dtype).view(5, side, side)
    for slope, at in ((down, 0), (across, 3)):
        torch.mul(slope, grid[0], out=design[:, at])
        torch.mul(slope, grid[1], out=design[:, at + 1])
    # These two let brightness and contrast follow, so that they pull nothing askew.
    torch.mul(moved, inside, out=design[:, 6])
    design[:, 7] = inside
    torch.sub(one, moved, out=design[:, 8])
    rows = design.view(n, 9, -1)
    sums = (rows @ rows[:, :8].mT).double()
    normal, left = sums[:, :8], sums[:, 8]
    normal.diagonal(dim1=1, dim2=2).mul_(1 + 1e-6).add_(1e-12)
    found: Tensor
    found, wrong = torch.linalg.solve_ex(normal, left)
    found[wrong != 0] = 0
    return found[:, :6].reshape(n, 2, 3)


def _slopes(images: Tensor, down: Tensor, across: Tensor) -> None:
    """Into `down` and `across`, as np.gradient gives them."""
    for values, slope in ((images, down), (images.mT, across.mT)):
        torch.sub(values[:, 2:], values[:, :-2], out=slope[:, 1:-1])
        slope[:, 1:-1] *= 0.5
        torch.sub(values[:, 1], values[:, 0], out=slope[:, 0])
        torch.sub(values[:, -1], values[:, -2], out=slope[:, -1])


def _sampled_smoothly(images: Tensor, places: Tensor) -> Tensor:
    """Cubic B-splines, which blur fine structure least, of the picture with its border repeated:
    scipy's map_coordinates of order 3, mode "nearest".

    Four bilinear samples weigh the sixteen coefficients: Sigg & Hadwiger 2005 (GPU Gems 2, 20).
    """
    side = images.shape[-1]
    spline = _spline(side)
    coefficients = (spline @ images.double() @ spline.T).to(images)
    at = (places + 1) * ((side - 1) / 2) + BORDER
    whole = at.floor()
    part = at - whole
    rest = 1 - part
    far = part * part * part / 6  # weights of the last of four coefficients, and of the last two
    after = (((3 - 2 * part) * part + 3) * part + 1) / 6
    before = 1 - after
    last = side + 2 * BORDER - 1
    lower = (whole - rest * rest * rest / 6 / before) * (2 / last) - 1
    upper = (whole + 1 + far / after) * (2 / last) - 1
    found = torch.zeros_like(images)
    for across, wide in ((lower, before), (upper, after)):
        for down, high in ((lower, before), (upper, after)):
            four = torch.stack([across[:, 0], down[:, 1]], dim=1)
            found += _sampled(coefficients, four) * wide[:, 0] * high[:, 1]
    return found


@cache
def _spline(side: int) -> Tensor:
    """From the pixels of a row to its spline's coefficients (S + 2 BORDER, S)."""
    wide = np.pad(np.eye(side), ((BORDER, BORDER), (0, 0)), mode="edge")
    return torch.from_numpy(ndimage.spline_filter1d(wide, axis=0, mode="nearest"))


def _eroded(inside: Tensor) -> Tensor:
    """0 also where a neighbour up, down, left or right is 0."""
    wide = pad(inside, (1, 1, 1, 1), value=1.0)
    upright = wide[:, :-2, 1:-1] * wide[:, 2:, 1:-1]
    return inside * upright * wide[:, 1:-1, :-2] * wide[:, 1:-1, 2:]


def _edges_alike(one: Tensor, other: Tensor, inside: Tensor | None = None) -> Tensor:
    """(N,) correlations of the signed square roots of the slopes, `inside` only."""
    first, second = (torch.empty(2, *one.shape, dtype=one.dtype) for _ in range(2))
    _slopes(one, *first)
    _slopes(other, *second)
    if inside is not None:
        first *= inside
        second *= inside
    both = first * second
    norm = (first.abs_().sum((0, 2, 3)) * second.abs_().sum((0, 2, 3))).sqrt()
    top = both.abs().sqrt_().copysign_(both).sum((0, 2, 3))
    return torch.where(norm > 0, top / norm, 0.0)
