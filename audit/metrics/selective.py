"""What is wrong among the cases a model is surest of: pure functions of arrays.

Source: El-Yaniv & Wiener 2010, JMLR 11:1605; Geifman & El-Yaniv 2017, arXiv:1705.08500.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audit.metrics.bootstrap import Resampling, percentile_limits

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_BLOCK = 300_000  # numbers held at once


def surest(confidence: Array, coverage: float) -> Bools:
    """(N,) the surest cases, at least `coverage` of them; ties are taken together.

    >>> surest(np.array([3.0, 1.0, 2.0, 2.0]), 0.5).tolist()
    [True, False, True, True]
    """
    count = min(len(confidence), max(1, int(np.ceil(coverage * len(confidence) - 1e-9))))
    return np.asarray(confidence >= np.sort(confidence)[-count])


def aurc(confidence: Array, wrong: Bools) -> float:
    """Area under the risk-coverage curve: the mean, over k, of the share wrong of the k surest.

    0 where nothing is wrong; the error rate where confidence says nothing. Ties count as if in
    random order.

    >>> float(aurc(np.array([3.0, 2.0, 1.0]), np.array([False, False, True])))
    0.1111111111111111
    """
    return float(_areas(*_ordered(confidence, wrong), np.ones((1, len(wrong)), np.float32))[0])


def aurc_limits(confidence: Array, wrong: Bools, resampling: Resampling) -> tuple[float, float]:
    """95% percentile limits over resampled patients. `resampling`: of these cases, in order."""
    order, risks = _ordered(confidence, wrong)
    whose = resampling.patients[order]
    step = max(1, _BLOCK // max(1, len(wrong)))
    drawn = resampling.weights
    blocks = [
        _areas(np.arange(len(wrong)), risks, drawn[start : start + step, whose].astype(np.float32))
        for start in range(0, len(drawn), step)
    ]
    low, high = percentile_limits(np.concatenate(blocks)[:, None])
    return float(low[0]), float(high[0])


def _ordered(confidence: Array, wrong: Bools) -> tuple[npt.NDArray[np.int64], Array]:
    """Cases from sure to unsure, and each one's chance to be wrong given its ties."""
    order = np.argsort(-confidence, kind="stable")
    _, tie, sizes = np.unique(-confidence[order], return_inverse=True, return_counts=True)
    shares = np.bincount(tie, wrong[order].astype(float)) / sizes
    return order.astype(np.int64), shares[tie]


def _areas(order: npt.NDArray[np.int64], risks: Array, weights: npt.NDArray[np.float32]) -> Array:
    """(B, N) weights of the cases in `order` -> (B,) areas."""
    drawn = weights[:, order] if len(weights) == 1 else weights
    seen = np.cumsum(drawn, axis=1, dtype=np.float64)
    failed = np.cumsum(drawn * risks, axis=1)
    share = failed / np.maximum(seen, 1)
    return np.asarray((share * drawn).sum(axis=1) / np.maximum(seen[:, -1], 1))
