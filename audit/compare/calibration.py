"""Whether the scores of NEW are closer to the outcomes than those of BASE, case by case."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from audit.compare.differences import BASE, Twice, verdict
from audit.compare.pair import Pair
from audit.compare.results import Difference
from audit.findings.measure import finding
from audit.findings.rates import FEWEST, NEGATIVES, POSITIVES, truth
from audit.findings.view import Floats, Ints

METRIC = "brier"
FAMILY = "calibration"
METHOD = "linear, patients as the unit"
LEVEL = 0.95


def brier_change(pair: Pair, level: Twice) -> Difference:
    """NEW − BASE of the Brier score over the cases that both audits saw, lower is better.

    A mean of differences of squares; its error is that of a mean over patients, with a normal
    interval and test. Under ten positives or negatives there is a reason instead. Source: Brier
    1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; Liang and Zeger 1986.
    """
    frame, new = pair.frame, level.new
    positive = truth(frame.predictions, new)
    assumed = not bool(frame.known[new.cases].all())
    start = Difference(
        **finding(METRIC, new.label, {}, n=len(new.cases), independent=assumed).model_dump()
        | {"contrast": BASE, "lower_is_better": True}
    )
    for number, word in ((positive.sum(), POSITIVES), ((~positive).sum(), NEGATIVES)):
        if number < FEWEST:
            return start.model_copy(update={"reason": f"fewer than {FEWEST} {word}"})
    squares = [(expit(view.score) - positive) ** 2 for view in (level.base, new)]
    change = squares[1] - squares[0]
    value = float(change.mean())
    error = _error(change - value, frame.patients[new.cases])
    reach = float(norm.ppf((1 + LEVEL) / 2)) * error
    p = float(2 * norm.sf(abs(value) / error)) if error > 0 else float(value == 0)
    told = start.model_copy(
        update={
            "base": float(squares[0].mean()),
            "new": float(squares[1].mean()),
            "value": value,
            "low": value - reach,
            "high": value + reach,
            "method": METHOD,
            "p": p,
            "p_holm": p,
            "family": FAMILY,
        }
    )
    return told.model_copy(update={"verdict": verdict(told, lower_is_better=True)})


def _error(rest: Floats, patients: Ints) -> float:
    """Standard error of a mean over cases, from what each patient's cases add up to."""
    sums = np.bincount(np.unique(patients, return_inverse=True)[1], rest)
    clusters = len(sums)
    return float(np.sqrt((sums**2).sum() * clusters / max(clusters - 1, 1)) / len(rest))
