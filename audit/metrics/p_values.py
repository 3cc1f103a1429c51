"""Two-sided p-values of differences between rates: exact, or with patients as the unit."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtr

Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
FEW = 10  # patients that differ, below which every sign is tried
_TIE = 1 + 1e-7  # as likely as what was seen, up to rounding


def from_z(z: npt.ArrayLike) -> Array:
    """Two-sided p of a standard normal deviate.

    >>> round(float(from_z(1.959964)), 4)
    0.05
    """
    return np.asarray(2 * ndtr(-np.abs(np.asarray(z, np.float64))))


def fisher(events: int, n: int, other_events: int, other_n: int) -> float:
    """Fisher's exact test of two rates of different cases: the chance, given the margins, of a
    table no likelier than the one seen.

    Source: Fisher 1935, doi:10.2307/2342435; Agresti 2002, Categorical Data Analysis, §3.5.

    >>> round(fisher(1, 9, 11, 12), 6)
    0.000371
    """
    hits, total = events + other_events, n + other_n
    logs = _log_factorials(max(10, total.bit_length()))
    first = max(0, hits - other_n)
    x = np.arange(first, min(hits, n) + 1)
    logged = (
        (logs[n] - logs[x] - logs[n - x])
        + (logs[other_n] - logs[hits - x] - logs[other_n - hits + x])
        - (logs[total] - logs[hits] - logs[total - hits])
    )
    chance = np.exp(logged)
    return min(1.0, float(chance[chance <= chance[events - first] * _TIE].sum()))


@lru_cache(maxsize=32)
def _log_factorials(bits: int) -> Array:
    """log k! of every k below 2 ** bits."""
    return np.asarray(gammaln(np.arange(1 << bits) + 1.0))


def clustered_groups(part: Single, whole: Single, one: Ints, two: Ints) -> Array:
    """(P, M, G) sums per patient of M rates in G groups -> (M, K) p of groups `one` − `two` (K,).

    A score test: the difference of two ratios over its standard error among patients, at the
    rate of both groups together. Patients may have images in both. 1 where nothing varies.
    Source: Rao & Scott 1992, doi:10.2307/2532311; the null rate as in Boos 1992.

    >>> images = np.ones((40, 1, 2), np.float32)
    >>> hits = images.copy()
    >>> hits[:9, 0, 1] = 0  # the second view is wrong in 9 of 40 patients
    >>> round(float(clustered_groups(hits, images, np.array([0]), np.array([1]))[0, 0]), 4)
    0.0031
    """
    hits, images, seen = (_by_rate(x) for x in (part, whole, np.float32(1) * (whole > 0)))
    both, cross, square = (_gram(a, b) for a, b in ((hits, hits), (hits, images), (images, images)))
    total, count = hits.sum(2, dtype=np.float64), images.sum(2, dtype=np.float64)  # (M, G)
    overlap = _gram(seen, seen)

    def spread(g: Ints, h: Ints, rate: Array) -> Array:
        mixed = cross[:, g, h] + cross[:, h, g]
        return np.asarray(both[:, g, h] - rate * mixed + rate**2 * square[:, g, h])

    with np.errstate(invalid="ignore", divide="ignore"):
        n, m = count[:, one], count[:, two]
        rate = (total[:, one] + total[:, two]) / (n + m)
        shared = 2 * spread(one, two, rate) / (n * m)
        variance = spread(one, one, rate) / n**2 + spread(two, two, rate) / m**2 - shared
        patients = overlap[:, one, one] + overlap[:, two, two] - overlap[:, one, two]
        variance *= patients / (patients - 1)
        z = (total[:, one] / n - total[:, two] / m) / np.sqrt(variance)
    return np.where(np.isfinite(z), from_z(np.nan_to_num(z)), 1.0)


def _by_rate(sums: Single) -> Single:
    return np.ascontiguousarray(sums.transpose(1, 2, 0))  # (M, G, P)


def _gram(a: Single, b: Single) -> Array:
    """(M, G, P) twice -> (M, G, G); sums of small whole numbers, exact in float32."""
    return np.asarray(a @ b.transpose(0, 2, 1), dtype=np.float64)


def clustered_paired(changes: npt.ArrayLike, patients: int) -> float:
    """McNemar's test with patients as the unit. `changes` (P,): per patient how many more images
    were right the first time; those of 0 may be left out of it. `patients`: how many there are.

    Obuchowski's statistic; where fewer than ten patients changed, every sign of each change is
    tried, which for one image per patient is McNemar's exact test.
    Source: Obuchowski 1998, doi:10.1002/(SICI)1097-0258(19980715)17:13<1495.

    >>> clustered_paired([1, 1, 1, 1, 1, -1], 40) == 14 / 64  # as mcnemar(5, 1)
    True
    """
    found = np.asarray(changes, np.float64)
    found = found[found != 0]
    total = abs(found.sum())
    if not len(found):
        return 1.0
    if len(found) < FEW:
        signs = np.array(list(product((-1.0, 1.0), repeat=len(found))))
        return float((np.abs(signs @ found) >= total - 1e-9).mean())
    return float(from_z(total / np.sqrt((found**2).sum() * patients / (patients - 1))))
