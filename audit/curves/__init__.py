"""Lines that rest on every case, for the figures of a report: ROC, precision–recall, queries."""

from __future__ import annotations

from collections.abc import Sequence

from audit.curves.by_score import score_curves
from audit.curves.queries import query_curves
from audit.evidence import Predictions
from audit.results import Curve

__all__ = ["curves_of"]


def curves_of(predictions: Predictions, subgroups: Sequence[str] | None = None) -> list[Curve]:
    """ROC and precision–recall lines, and the success of searches by the queries they spent.

    Of everyone: without stress, under each defence that changes decisions, and without a defence
    under each run at its strongest level (the one that left the fewest decisions right). ROC lines
    without stress also by the first of `subgroups` (as in `audit.findings.derive`). Images that
    another model made are left out. No line of fewer than ten positives, negatives or attacked
    images. At most 200 points a line, thinned so that no point of it moves by more than 1/500.
    """
    return [*score_curves(predictions, subgroups), *query_curves(predictions)]
