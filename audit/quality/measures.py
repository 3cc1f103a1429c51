"""Measures of image quality that need no reference image: one number per image and measure.

They see what the model sees, the prepared input, so a filter and the model never disagree about
which picture is meant. They say nothing about what the picture shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from audit.quality.content import Content, content_of

LOW, HIGH = 0.01, 0.99  # the percentiles between which contrast is measured
REBLUR = 0.05  # width of the blur an image is compared with, as a share of its short side
BINS = 256

# What each measure is called in words, in the order they are reported.
MEASURES = {
    "blur_effect": "blur (0 sharp, 1 blurred)",
    "contrast": "contrast (1st to 99th percentile)",
    "standard_deviation": "standard deviation of the grey values",
    "entropy": "entropy of the grey values (bits)",
    "noise_share": "share of the standard deviation that is noise",
    "black": "share of black pixels",
    "white": "share of white pixels",
    "border": "share of the picture that is empty border",
    "laplacian_variance": "variance of the Laplacian",
    "high_frequency_share": "share of spectral power in high frequencies",
}


@dataclass(frozen=True)
class _Seen:
    """Grey (N, 1, H, W), where its content lies, and the histogram (N, 256) of that content."""

    grey: Tensor
    content: Content
    counts: Tensor

    @cached_property
    def deviation(self) -> Tensor:
        return _variance(self.grey, self.content, 0).sqrt()


def measures(x: Tensor, names: Sequence[str] = tuple(MEASURES)) -> dict[str, Tensor]:
    """(N, 1 or 3, H, W) in [0, 1] -> those of MEASURES as (N,) float64 on the same device.

    An empty border (padding, collimation to black) is left out of all but `border` and the
    spectrum. An image without content measures as blurred, flat and all border.
    """
    grey = x.detach().float()
    if grey.shape[1] > 1:
        grey = grey.mean(1, keepdim=True)
    content = content_of(grey)
    seen = _Seen(grey, content, _histogram(grey, content))
    return {name: _MEASURED[name](seen) for name in names}


def _blur_effect(seen: _Seen) -> Tensor:
    """How little an image changes by blurring it, the worse of its two directions: 0 to 1.

    A sharp image loses variation between neighbours when blurred, a blurred one has none to
    lose. Unmoved by brightness and contrast; the comparison blur grows with the image, so that
    the same blur of the same scene measures about the same at any resolution. Noise looks sharp.
    Source: Crete et al. 2007, doi:10.1117/12.702790 (skimage.measure.blur_effect).
    """
    size = reblur_width(seen.grey.shape[-2:])
    margin = size // 2 + 2
    mask, count = seen.content.inside(margin)[..., 1:-1, 1:-1], seen.content.count(margin)
    worse = [_lost_variation(seen.grey, turned, size, mask, count) for turned in (False, True)]
    return torch.stack(worse).amax(0)


def _lost_variation(grey: Tensor, turned: bool, size: int, mask: Tensor, count: Tensor) -> Tensor:
    sharp, soft = (_sobel(g, turned).abs_() for g in (grey, _blurred(grey, turned, size)))
    before = _sum(sharp * mask)
    lost = _sum((sharp - soft).clamp_min_(0.0).mul_(mask))
    # Below a thousandth of a grey level per pixel there is no variation to speak of.
    flat = before <= 1e-3 / 255 * count
    return torch.where(flat, torch.ones_like(before), (before - lost) / before.clamp_min(1e-12))


def _blurred(grey: Tensor, turned: bool, size: int) -> Tensor:
    """The mean of `size` pixels down, or across when `turned`; outside lies black.

    avg_pool2d's numbers, from whole rows at a time: several times as fast on a CPU.
    """
    reach = size // 2
    beside = F.pad(grey, (reach, reach, 0, 0) if turned else (0, 0, reach, reach))
    along, length = (3, grey.shape[3]) if turned else (2, grey.shape[2])
    total = beside.narrow(along, 0, length).clone()
    for start in range(1, size):
        total += beside.narrow(along, start, length)
    return total.div_(size)


def reblur_width(size: tuple[int, ...] | torch.Size) -> int:
    """Odd width in pixels of the blur that `blur_effect` compares with: 11 at 224."""
    return max(3, 2 * int(REBLUR * min(size) / 2) + 1)


def _sobel(grey: Tensor, turned: bool) -> Tensor:
    """Sobel's derivative down, or across when `turned`: (N, 1, H, W) -> (N, 1, H - 2, W - 2)."""
    if turned:
        smooth = torch.add(grey[..., :-2, :], grey[..., 1:-1, :], alpha=2).add_(grey[..., 2:, :])
        return smooth[..., 2:] - smooth[..., :-2]
    smooth = torch.add(grey[..., :-2], grey[..., 1:-1], alpha=2).add_(grey[..., 2:])
    return smooth[..., 2:, :] - smooth[..., :-2, :]


def _laplacian_variance(seen: _Seen) -> Tensor:
    """Variance of the four-neighbour Laplacian: falls with blur, rises with contrast and noise.

    Source: Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548.
    """
    g = seen.grey
    beside = g[..., 1:-1, :-2] + g[..., 1:-1, 2:] + g[..., :-2, 1:-1] + g[..., 2:, 1:-1]
    return _variance(beside.sub_(g[..., 1:-1, 1:-1], alpha=4), seen.content, 1)


def _high_frequency_share(seen: _Seen) -> Tensor:
    """Share of the spectral power above a quarter of the sampling frequency, mean left out.

    A Hann window keeps the edges of the picture out of the spectrum.
    Source: De & Masilamani 2013, doi:10.1016/j.proeng.2013.09.086.
    """
    rows, columns, fast = _spectrum(*seen.grey.shape[-2:], seen.grey.device)
    centred = seen.grey[:, 0].double()
    centred -= centred.mean((1, 2), keepdim=True)
    half = torch.fft.rfft2(centred.mul_(rows).mul_(columns))
    power = half.real.square().add_(half.imag.square())
    # The other half of a real picture's spectrum is alike.
    power[..., 1 : (seen.grey.shape[-1] + 1) // 2] *= 2
    total = power.sum((1, 2))
    share = power.mul_(fast).sum((1, 2)) / total.clamp_min(1e-30)
    return torch.where(total > 0, share, 0.0 * total)


@lru_cache(maxsize=4)  # the pictures of an audit are of one size
def _spectrum(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Hann windows (H, 1) and (W,); and (H, W // 2 + 1), 1 where a frequency is high; float64."""
    rows = torch.hann_window(height, periodic=False, dtype=torch.float64, device=device)
    columns = torch.hann_window(width, periodic=False, dtype=torch.float64, device=device)
    up = torch.fft.fftfreq(height, device=device)[:, None]
    across = torch.fft.rfftfreq(width, device=device)
    return rows[:, None], columns, (torch.hypot(up, across) > 0.25).double()


def _contrast(seen: _Seen) -> Tensor:
    """Range from the 1st to the 99th percentile of the content, to one of 256 grey levels.

    Source: the percentiles of skimage.exposure.is_low_contrast.
    """
    return _percentile(seen, HIGH) - _percentile(seen, LOW)


def _percentile(seen: _Seen, share: float) -> Tensor:
    """The smallest grey level at or below which at least `share` of the content lies."""
    running = seen.counts.cumsum(1)
    reached = running >= share * running[:, -1:]
    return reached.int().argmax(1).double() / (BINS - 1)


def _entropy(seen: _Seen) -> Tensor:
    """Shannon entropy of the 256 grey levels of the content, in bits: 0 (one level) to 8."""
    shares = seen.counts / seen.counts.sum(1, keepdim=True)
    nats: Tensor = torch.special.entr(shares).sum(1)
    return nats / math.log(2)


def _noise(seen: _Seen) -> Tensor:
    """Standard deviation of white noise, by a mask that no plane or line answers to.

    Texture counts as noise too. Source: Immerkær 1996, doi:10.1006/cviu.1996.0060.
    """
    g = seen.grey
    across = torch.sub(g[..., :-2], g[..., 1:-1], alpha=2).add_(g[..., 2:])
    found = torch.sub(across[..., :-2, :], across[..., 1:-1, :], alpha=2).add_(across[..., 2:, :])
    inside = seen.content.inside(1)[..., 1:-1, 1:-1]
    count = seen.content.count(1).clamp_min(1.0)
    return float((torch.pi / 2) ** 0.5 / 6) * _sum(found.abs_().mul_(inside)) / count


def _noise_share(seen: _Seen) -> Tensor:
    deviation = seen.deviation
    share = (_noise(seen) / deviation.clamp_min(1e-12)).clamp(max=1.0)
    return torch.where(deviation > 0, share, torch.zeros_like(share))


def _deviation(seen: _Seen) -> Tensor:
    return seen.deviation


def _black(seen: _Seen) -> Tensor:
    """Share of the content in the lowest of 256 grey levels."""
    return seen.counts[:, 0] / seen.counts.sum(1)


def _white(seen: _Seen) -> Tensor:
    return seen.counts[:, -1] / seen.counts.sum(1)


def _border(seen: _Seen) -> Tensor:
    return seen.content.border


def _histogram(grey: Tensor, content: Content) -> Tensor:
    """(N, 256) float64 counts of the rounded grey levels of the content."""
    levels = grey.clamp(0.0, 1.0).mul_(BINS - 1).round_()
    levels = torch.where(content.inside(0) > 0, levels, BINS).long()  # what is outside: a bin more
    levels += (BINS + 1) * torch.arange(len(grey), device=grey.device)[:, None, None, None]
    found = torch.bincount(levels.flatten(), minlength=(BINS + 1) * len(grey))
    return found.view(len(grey), BINS + 1)[:, :BINS].double()


def _variance(values: Tensor, content: Content, margin: int) -> Tensor:
    """Of the content `margin` pixels from its edge; `values` lack as many pixels on each side."""
    kept = slice(margin, -margin or None)
    mask, count = content.inside(margin)[..., kept, kept], content.count(margin).clamp_min(1.0)
    mean = _sum(values * mask) / count
    spread = (values - mean.to(values)[:, None, None, None]).mul_(mask)
    return _sum(spread.square_()) / count


def _sum(values: Tensor) -> Tensor:
    """(N, 1, H, W) -> (N,) float64."""
    return values.sum((1, 2, 3), dtype=torch.float64)


_MEASURED: dict[str, Callable[[_Seen], Tensor]] = {
    "blur_effect": _blur_effect,
    "contrast": _contrast,
    "standard_deviation": _deviation,
    "entropy": _entropy,
    "noise_share": _noise_share,
    "black": _black,
    "white": _white,
    "border": _border,
    "laplacian_variance": _laplacian_variance,
    "high_frequency_share": _high_frequency_share,
}
