"""Views of the table of predictions: every number the audit reports, with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.evidence import Predictions
from audit.findings.calibration import calibration
from audit.findings.contrasts import group_contrasts
from audit.findings.cutoffs import cut_offs
from audit.findings.decision_curve import decision_curve
from audit.findings.dose import dose_response
from audit.findings.families import with_families
from audit.findings.fixed_points import fixed_points
from audit.findings.frame import Frame, make_frame
from audit.findings.groups import make_groups
from audit.findings.handled import repeats
from audit.findings.harm import harm
from audit.findings.levels import views
from audit.findings.measure import count, gaps, measure
from audit.findings.operating import operating
from audit.findings.paired import paired_contrasts
from audit.findings.slices import weak_slices
from audit.findings.smallest import distances, queries_to_success
from audit.findings.view import Gap, View
from audit.findings.worst_case import worst_cases
from audit.results import Finding

__all__ = ["derive"]


def derive(
    predictions: Predictions,
    subgroups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 2000,
    prevalences: tuple[float, ...] = (),
) -> list[Finding]:
    """All findings of an audit: per defence, run and level; overall and by subgroup.

    `subgroups`: attributes to report by, or crossings ("view*sex"); None means every attribute
    with 2 to 12 distinct values, view first. `seed` and `resamples` are those of the patient
    bootstrap, `prevalences` the shares of positives to reckon harm and predictive values at. Runs
    that failed or are incomplete yield findings without a value that say why. Differences carry
    their p, and one adjusted for its family. Raises HipauditError for a subgroup that no case has.
    """
    groups = make_groups(predictions.subjects, subgroups)
    frame = make_frame(predictions, groups, seed, resamples, prevalences)
    found: list[Finding] = []
    kept: list[View | Gap] = []
    clean: dict[str, View | Gap] = {}  # by defence; a clean run comes before those it is for
    for evidence in predictions.runs:
        mine: list[View | Gap] = []
        for view in views(predictions, evidence):
            found += _told(frame, view)
            if not (isinstance(view, View) and view.everyone_only):
                mine.append(view)  # a map's many cells are not compared any further
        kept += mine
        found += [*distances(frame, evidence), *queries_to_success(frame, evidence)]
        if evidence.run.kind == "clean":
            clean[evidence.run.defence] = mine[0]
            if isinstance(mine[0], View) and evidence.run.defence == "none":
                found += weak_slices(frame, mine[0])
        else:
            planned = evidence.run.params
            found += dose_response(frame, mine, clean.get(evidence.run.defence), planned)
    for view in worst_cases(kept):
        found += _told(frame, view)
        kept.append(view)
    found += paired_contrasts(frame, kept)
    return with_families(found)


def _told(frame: Frame, view: View | Gap) -> Iterator[Finding]:
    if isinstance(view, Gap):
        yield from gaps(view)
    else:
        measured = count(frame, view)
        told = (*measure(measured), *group_contrasts(measured, frame.groups.pairs))
        yield from (finding for finding in told if not repeats(finding))
        yield from operating(frame, measured)
        yield from harm(view, told, frame.prevalences)
        yield from fixed_points(frame, view)
        yield from decision_curve(frame, view)
        yield from cut_offs(frame, view)
        yield from calibration(frame, view)
