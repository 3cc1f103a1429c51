"""The deployed decision rule, as data and as pure functions of logits (no torch)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decision:
    """Argmax (`threshold` None) or "positive when P(positive) >= threshold".

    `positive` is the index of the positive class. `origin` says where the threshold
    comes from ("argmax", "model.yaml", "--threshold", "checkpoint").
    """

    positive: int
    threshold: float | None = None
    origin: str = "argmax"


def margin(logits: Floats, positive: int) -> npt.NDArray[np.float64]:
    """Log-odds of the positive class against all others, (N, K) -> (N,) float64.

    Unlike a probability it does not saturate, so it is the score AUROC uses.
    """
    z = np.asarray(logits, dtype=np.float64)
    others = np.delete(z, positive, axis=1)
    top = others.max(axis=1)
    finite = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        log_sum = np.log(np.exp(others - finite[:, None]).sum(axis=1)) + finite
    return np.asarray(z[:, positive] - log_sum)


def decide(logits: Floats, rule: Decision) -> Ints:
    """Class index per row, (N, K) -> (N,) int64. NaN rows are decided as -1, never as correct."""
    z = np.asarray(logits, dtype=np.float64)
    chosen = z.argmax(axis=1) if rule.threshold is None else _by_threshold(z, rule)
    return np.where(np.isfinite(z).all(axis=1), chosen, -1).astype(np.int64)


def _by_threshold(z: npt.NDArray[np.float64], rule: Decision) -> npt.NDArray[np.intp]:
    others = z.copy()
    others[:, rule.positive] = -np.inf
    says_positive = margin(z, rule.positive) >= log_odds(rule.threshold)
    return np.where(says_positive, rule.positive, others.argmax(axis=1))


def log_odds(probability: float | None) -> float:
    """Logit of a probability; 0 for None (argmax of two classes). Infinite at 0 and 1."""
    if probability is None:
        return 0.0
    with np.errstate(divide="ignore"):
        return float(np.log(probability) - np.log1p(-probability))
