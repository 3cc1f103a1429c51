"""Which cases each metric counts: numerators and denominators as columns of one table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.evidence import Predictions
from audit.findings.view import Bools, Floats, View

FEWEST = 10  # no rate below this many in the denominator
POSITIVES = "positives"
NEGATIVES = "negatives"


@dataclass(frozen=True)
class Rate:
    """One metric of one view. `part` and `whole` (n,); `needs` (n,): what there must be ten of.

    `f1`: part / whole is TP / (TP + FP + FN) = J, reported as 2J / (1 + J).
    """

    metric: str
    part: Bools | Floats
    whole: Bools
    needs: Bools
    needed: str
    f1: bool = False

    @property
    def one_outcome(self) -> bool:
        """Whether the truth alone decides who is in the denominator, and all have the same."""
        return self.needed in (POSITIVES, NEGATIVES) and not self.f1


def rates(predictions: Predictions, view: View) -> list[Rate]:
    """The rates a view supports, in the order a reader wants them."""
    if view.share is not None:
        return [Rate("accuracy", view.share, _all(view), _all(view), "cases")]
    if view.kept_only:
        return _kept(predictions, view) + _successes(view)
    found = _decisions(predictions, view)
    if view.referred.any():
        found.append(Rate("referral_rate", view.referred, _all(view), _all(view), "cases"))
    if view.label.kind == "clean":
        found += _calls(predictions, view)
    else:
        found += _kept(predictions, view)
    if view.fooled is not None:
        found += _successes(view)
    return found


def _decisions(predictions: Predictions, view: View) -> list[Rate]:
    positive = truth(predictions, view)
    called = view.decided == predictions.decision.positive
    refused = view.decided < 0
    return [
        Rate("accuracy", view.correct, _all(view), _all(view), "cases"),
        Rate("sensitivity", positive & called, positive, positive, POSITIVES),
        Rate("specificity", ~positive & ~called & ~refused, ~positive, ~positive, NEGATIVES),
    ]


def _calls(predictions: Predictions, view: View) -> list[Rate]:
    positive = truth(predictions, view)
    called = view.decided == predictions.decision.positive
    hit = positive & called
    return [
        Rate("precision", hit, called, called, "cases called positive"),
        Rate("f1", hit, positive | called, positive, POSITIVES, f1=True),
    ]


def _kept(predictions: Predictions, view: View) -> list[Rate]:
    positive = truth(predictions, view)
    return [
        Rate("robust_accuracy", view.kept, _all(view), _all(view), "cases"),
        Rate("robust_sensitivity", view.kept & positive, positive, positive, POSITIVES),
        Rate("robust_specificity", view.kept & ~positive, ~positive, ~positive, NEGATIVES),
    ]


def _successes(view: View) -> list[Rate]:
    base = view.clean_correct
    words = "cases decided correctly without stress"
    found = [("attack_success", view.fooled), ("attack_success_8bit", view.fooled_8bit)]
    return [Rate(name, part, base, base, words) for name, part in found if part is not None]


def truth(predictions: Predictions, view: View) -> Bools:
    """(n,) whether each case is positive."""
    return np.asarray(predictions.targets[view.cases] == predictions.decision.positive)


def _all(view: View) -> npt.NDArray[np.bool_]:
    return np.ones(len(view.cases), dtype=bool)
