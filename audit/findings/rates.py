"""Which cases each metric counts: numerators and denominators as columns of one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.evidence import Predictions
from audit.findings.view import Bools, Floats, View

FEWEST = 10  # no rate below this many in the denominator
POSITIVES = "positives"
NEGATIVES = "negatives"
CASES = "cases"
HANDLED = "handled alone"


@dataclass(frozen=True)
class Rate:
    """One metric of one view. `part` and `whole` (n,); `needs` (n,): what there must be ten of.

    `upper_only`: what is asked is how large it may be, so its interval is one-sided.
    `f1`: part / whole is TP / (TP + FP + FN) = J, reported as 2J / (1 + J).
    """

    metric: str
    part: Bools | Floats
    whole: Bools
    needs: Bools
    needed: str
    f1: bool = False
    upper_only: bool = False

    @property
    def one_outcome(self) -> bool:
        """Whether the truth alone decides who is in the denominator, and all have the same."""
        return self.needed in (POSITIVES, NEGATIVES) and not self.f1


def rates(predictions: Predictions, view: View) -> list[Rate]:
    """The rates a view supports, in the order a reader wants them."""
    if view.share is not None:
        return [Rate("accuracy", view.share, _all(view), _all(view), "cases")]
    if view.kept_only:
        return _kept(predictions, view) + _successes(view) + _handed_over(predictions, view)
    found = _decisions(predictions, view)
    found += _handed_over(predictions, view)
    if view.label.kind == "clean":
        found += _calls(predictions, view)
    else:
        found += _kept(predictions, view)
    if view.fooled is not None:
        found += _successes(view)
    return found


def _handed_over(predictions: Predictions, view: View) -> list[Rate]:
    """Where cases are referred: how many, and what is left to the model alone."""
    if not view.refers:
        return []
    everyone = _all(view)
    unseen = Rate("unseen_error_rate", view.unseen, everyone, everyone, CASES)
    if view.kept_only:
        return [unseen]
    found = [Rate("referral_rate", view.referred, everyone, everyone, CASES), unseen]
    if view.everyone_only:
        return found
    named = {name: f"{name}_handled" for name in ("accuracy", "sensitivity", "specificity")}
    named |= {"missed": "missed_handled", "missed_of_positives": "missed_of_positives"}
    return found + alone(predictions, view, ~view.referred, named, HANDLED)


def alone(
    predictions: Predictions, view: View, handled: Bools, named: Mapping[str, str], words: str
) -> list[Rate]:
    """Rates of the cases `handled` (n,) without a human, under the names given for them.

    `missed`: positives called something else, per handled case; `missed_of_positives`: the
    same per positive of the whole sample, referred or not. `words`: what there must be ten of.
    """
    positive = truth(predictions, view)
    called = view.decided == predictions.decision.positive
    refused = view.decided < 0
    missed = positive & ~called & handled
    ill, well = positive & handled, ~positive & handled
    found = {
        "accuracy": Rate("", view.correct & handled, handled, handled, f"cases {words}"),
        "sensitivity": Rate("", ill & called, ill, ill, f"{POSITIVES} {words}"),
        "specificity": Rate("", well & ~called & ~refused, well, well, f"{NEGATIVES} {words}"),
        "missed": Rate("", missed, handled, handled, f"cases {words}", upper_only=True),
        "missed_of_positives": Rate("", missed, positive, positive, POSITIVES, upper_only=True),
    }
    return [replace(found[key], metric=metric) for key, metric in named.items()]


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
