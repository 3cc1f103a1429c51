"""Views of the table of predictions: every number the audit reports, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from audit.evidence import Predictions
from audit.findings.frame import make_frame
from audit.findings.groups import make_groups
from audit.findings.levels import views
from audit.findings.measure import gaps, measure
from audit.findings.view import Gap
from audit.results import Finding

__all__ = ["derive"]


def derive(
    predictions: Predictions,
    subgroups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> list[Finding]:
    """All findings of an audit: per defence, run and level; overall and by subgroup.

    `subgroups`: attributes to report by; None means every attribute with 2 to 12 distinct
    values, view first. `seed` and `resamples` are those of the patient bootstrap. Runs that
    failed or are incomplete yield findings without a value that say why. Raises HipauditError
    for a subgroup that no case has.
    """
    groups = make_groups(predictions.subjects, subgroups)
    frame = make_frame(predictions, groups, seed, resamples)
    found: list[Finding] = []
    for evidence in predictions.runs:
        for view in views(predictions, evidence):
            found += gaps(view) if isinstance(view, Gap) else measure(frame, view)
    return found
