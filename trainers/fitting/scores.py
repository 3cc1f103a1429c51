"""What the validation split says: loss, accuracy, AUROC and Youden's threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audit.decision import margin

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Scores:
    """Mean cross-entropy, argmax accuracy, AUROC of the positive class's log-odds."""

    loss: float
    accuracy: float
    auroc: float

    def of(self, metric: str) -> float:
        """The value early stopping maximises; not finite counts as the worst."""
        value = {"loss": -self.loss, "accuracy": self.accuracy, "auroc": self.auroc}[metric]
        return value if np.isfinite(value) else -np.inf


def score(logits: Array, targets: Array, positive: int) -> Scores:
    """(N, K) logits, (N,) targets -> Scores."""
    z = logits.astype(np.float64)
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return Scores(
        loss=float(-log_p[np.arange(len(z)), targets].mean()),
        accuracy=float((z.argmax(axis=1) == targets).mean()),
        auroc=_auroc(margin(z, positive), targets == positive),
    )


def _auroc(scores: Array, positive: npt.NDArray[np.bool_]) -> float:
    """Mann–Whitney: P(score of a positive > of a negative), ties counting half."""
    from scipy.stats import rankdata

    if not np.isfinite(scores).all():
        return float("nan")
    n1 = int(positive.sum())
    n0 = len(positive) - n1
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def youden(logits: Array, targets: Array, positive: int) -> float:
    """The probability threshold with the largest sensitivity + specificity - 1 (Youden 1950).

    Halfway between two neighbouring scores, in log-odds, so that no validation case lies on it.
    """
    scores = margin(logits, positive)
    is_positive = targets == positive
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], is_positive[order]
    gain = np.cumsum(hits) / hits.sum() - np.cumsum(~hits) / (~hits).sum()
    gain[:-1][ranked[:-1] == ranked[1:]] = -np.inf  # no cut between equal scores
    cut = int(gain.argmax())
    below = ranked[cut + 1] if cut + 1 < len(ranked) else ranked[cut] - 1.0
    middle = (ranked[cut] + below) / 2
    return float(1 / (1 + np.exp(-middle)))
