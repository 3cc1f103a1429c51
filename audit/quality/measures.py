"""Measures of image quality that need no reference image: one number per image and measure.

They see what the model sees, the prepared input, so a filter and the model never disagree about
which picture is meant. They say nothing about what the picture shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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


def measures(x: Tensor, names: Sequence[str] = tuple(MEASURES)) -> dict[str, Tensor]:
    """(N, 1 or 3, H, W) in [0, 1] -> those of MEASURES as (N,) float64 on the same device.

    An empty border (padding, collimation to black) is left out of all but `border` and the
    spectrum. An image without content measures as blurred, flat and all border.
    """
    grey = x.detach().float().mean(1, keepdim=True)
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
    mask = seen.content.inside(size // 2 + 2)
    worse = [_lost_variation(seen.grey, turned, size, mask) for turned in (False, True)]
    return torch.stack(worse).amax(0)


def _lost_variation(grey: Tensor, turned: bool, size: int, mask: Tensor) -> Tensor:
    kernel = (1, size) if turned else (size, 1)
    padding = (0, size // 2) if turned else (size // 2, 0)
    blurred = F.avg_pool2d(grey, kernel, stride=1, padding=padding)
    sharp, soft = (_sobel(image, turned).abs_() for image in (grey, blurred))
    within = mask[..., 1:-1, 1:-1]
    before = _sum(sharp * within)
    lost = _sum((sharp - soft).clamp_min_(0.0) * within)
    # Below a thousandth of a grey level per pixel there is no variation to speak of.
    flat = before <= 1e-3 / 255 * _sum(within.float())
    return torch.where(flat, torch.ones_like(before), (before - lost) / before.clamp_min(1e-12))


def reblur_width(size: tuple[int, ...] | torch.Size) -> int:
    """Odd width in pixels of the blur that `blur_effect` compares with: 11 at 224."""
    return max(3, 2 * int(REBLUR * min(size) / 2) + 1)


def _sobel(grey: Tensor, turned: bool) -> Tensor:
    """Sobel's derivative down, or across when `turned`: (N, 1, H, W) -> (N, 1, H - 2, W - 2)."""
    image = grey.mT if turned else grey
    smooth = image[..., :-2] + 2 * image[..., 1:-1] + image[..., 2:]
    found = smooth[..., 2:, :] - smooth[..., :-2, :]
    return found.mT if turned else found


def _laplacian_variance(seen: _Seen) -> Tensor:
    """Variance of the four-neighbour Laplacian: falls with blur, rises with contrast and noise.

    Source: Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548.
    """
    g = seen.grey
    beside = g[..., 1:-1, :-2] + g[..., 1:-1, 2:] + g[..., :-2, 1:-1] + g[..., 2:, 1:-1]
    return _variance(beside - 4 * g[..., 1:-1, 1:-1], seen.content.inside(1)[..., 1:-1, 1:-1])


def _high_frequency_share(seen: _Seen) -> Tensor:
    """Share of the spectral power above a quarter of the sampling frequency, mean left out.

    A Hann window keeps the edges of the picture out of the spectrum.
    Source: De & Masilamani 2013, doi:10.1016/j.proeng.2013.09.086.
    """
    grey = seen.grey
    height, width = grey.shape[-2:]
    rows = torch.hann_window(height, periodic=False, dtype=torch.float64, device=grey.device)
    columns = torch.hann_window(width, periodic=False, dtype=torch.float64, device=grey.device)
    centred = grey[:, 0].double()
    centred = centred - centred.mean((1, 2), keepdim=True)
    half = torch.fft.rfft2(centred * rows[:, None] * columns)
    power = half.real.square() + half.imag.square()
    power[..., 1 : (width + 1) // 2] *= 2  # the other half of a real picture's spectrum is alike
    up = torch.fft.fftfreq(height, device=grey.device)[:, None]
    across = torch.fft.rfftfreq(width, device=grey.device)
    fast = torch.hypot(up, across) > 0.25
    total = power.sum((1, 2))
    return torch.where(total > 0, (power * fast).sum((1, 2)) / total.clamp_min(1e-30), 0.0 * total)


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
    across = seen.grey[..., :-2] - 2 * seen.grey[..., 1:-1] + seen.grey[..., 2:]
    found = (across[..., :-2, :] - 2 * across[..., 1:-1, :] + across[..., 2:, :]).abs_()
    mask = seen.content.inside(1)[..., 1:-1, 1:-1]
    count = _sum(mask.float()).clamp_min(1.0)
    return float((torch.pi / 2) ** 0.5 / 6) * _sum(found * mask) / count


def _noise_share(seen: _Seen) -> Tensor:
    deviation = _deviation(seen)
    share = (_noise(seen) / deviation.clamp_min(1e-12)).clamp(max=1.0)
    return torch.where(deviation > 0, share, torch.zeros_like(share))


def _deviation(seen: _Seen) -> Tensor:
    return _variance(seen.grey, seen.content.inside(0)).sqrt()


def _black(seen: _Seen) -> Tensor:
    """Share of the content in the lowest of 256 grey levels."""
    return seen.counts[:, 0] / seen.counts.sum(1)


def _white(seen: _Seen) -> Tensor:
    return seen.counts[:, -1] / seen.counts.sum(1)


def _border(seen: _Seen) -> Tensor:
    return seen.content.border


def _histogram(grey: Tensor, content: Content) -> Tensor:
    """(N, 256) float64 counts of the rounded grey levels of the content."""
    levels = (grey.clamp(0.0, 1.0) * (BINS - 1)).round().long().flatten(1)
    mask = content.inside(0).flatten(1)
    image = torch.arange(len(grey), device=grey.device)[:, None]
    found = torch.bincount((levels + BINS * image)[mask], minlength=BINS * len(grey))
    return found.view(len(grey), BINS).double()


def _variance(values: Tensor, mask: Tensor) -> Tensor:
    count = _sum(mask.float()).clamp_min(1.0)
    mean = _sum(values * mask) / count
    spread = (values - mean.to(values)[:, None, None, None]) * mask
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
