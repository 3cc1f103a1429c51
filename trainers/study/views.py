"""One network for all views, one network per view, and the cascade, on the same test images.

The thesis trains one network on frontal and lateral radiographs alike and names the cascade of
Gale et al. 2017 (arXiv:1711.06504), with a network per view, as further work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audit.cases.case import Case, Cases
from audit.cases.subset import subset
from audit.errors import HipauditError
from audit.evidence import Predictions
from audit.metrics.proportion import bonett_price
from audit.results import Finding, Note
from audit.study_results import StudyResults, Trained
from trainers.progress import Progress
from trainers.splits import Splits
from trainers.study.cascaded import fit_cascade_member, told_of
from trainers.study.compare import paired_tests
from trainers.study.conduct import conduct_study
from trainers.study.member import Member, Outcome
from trainers.study.options import StudyOptions
from trainers.study.pooled import only, pooled
from trainers.study.run import title_of
from trainers.study.testing import baseline, findings_of

ARCHITECTURE = "densenet169"  # the best of the published table
ALL, PER_VIEW, CASCADE = "all-views", "per-view", "cascade"
FEWEST = 10  # images of each label that a view must have in the training split


def views_study(
    splits: Splits, folder: Path, options: StudyOptions, progress: Progress
) -> StudyResults:
    """Fit and test the three arrangements; write `folder/study.json`.

    A view joins if its training, validation and test images have both labels and at least
    FEWEST of each for training; all arrangements are compared on the test images of those views.
    Raises HipauditError when the cases name fewer than two such views.
    """
    name = _one(options)
    views = usable_views(splits)
    if len(views) < 2:
        raise HipauditError(
            "at least two views with both labels in every split",
            ", ".join(views) or "none",
            'Give a manifest a column "view" with frontal and lateral.',
        )
    test = _of_views(splits.test, views)
    title = title_of(name)
    whole = Member(
        ALL,
        f"{title}, all views",
        name,
        splits.train,
        splits.val,
        test,
        settings={"arrangement": ALL},
    )
    chain = replace(
        whole,
        name=CASCADE,
        title=f"Cascade of {title}",
        settings={"arrangement": CASCADE},
        fitting=fit_cascade_member,
    )
    members = [whole, *(_single(name, view, splits) for view in views), chain]

    def completed(results: StudyResults, outcomes: Sequence[Outcome]) -> StudyResults:
        return _compared(results, outcomes, test, options)

    title = f"One network for all views, one per view, and a cascade: {title}"
    return conduct_study(
        "views", title, members, splits, folder, options, progress, complete=completed
    )


def _single(name: str, view: str, splits: Splits) -> Member:
    """The network of one view: fitted to it and tested on it."""
    return Member(
        f"{PER_VIEW}-{view}",
        f"{title_of(name)}, {view} only",
        name,
        _of_views(splits.train, [view]),
        _of_views(splits.val, [view]),
        _of_views(splits.test, [view]),
        settings={"arrangement": PER_VIEW, "view": view},
    )


def _one(options: StudyOptions) -> str:
    if len(options.architectures) > 1:
        raise HipauditError(
            "one architecture for the study of views",
            f"{len(options.architectures)}",
            "Name one with --models.",
        )
    return options.architectures[0] if options.architectures else ARCHITECTURE


def usable_views(splits: Splits) -> list[str]:
    """Views that can be fitted and tested on their own, sorted; "unknown" is no view."""
    found = sorted({case.attributes.get("view", "") for case in splits.train} - {"", "unknown"})
    return [view for view in found if _fits(view, splits)]


def _fits(view: str, splits: Splits) -> bool:
    def counts(cases: Cases) -> list[int]:
        own = [case.label for case in cases if case.attributes.get("view") == view]
        return [own.count(label) for label in splits.train.labels]

    least = min(counts(splits.train))
    return least >= FEWEST and all(min(counts(part)) > 0 for part in (splits.val, splits.test))


def _of_views(cases: Cases, views: Sequence[str]) -> Cases:
    kept: list[Case] = [case for case in cases if case.attributes.get("view") in views]
    return subset(cases, kept)


def _compared(
    results: StudyResults, outcomes: Sequence[Outcome], test: Cases, options: StudyOptions
) -> StudyResults:
    """With the networks per view read as one, and the arrangements in pairs."""
    per_view = [o for o in outcomes if o.member.settings["arrangement"] == PER_VIEW]
    tables = {
        o.member.name: o.predictions
        for o in outcomes
        if o.member.settings["arrangement"] != PER_VIEW and o.predictions is not None
    }
    parts = [o.predictions for o in per_view if o.predictions is not None]
    together = pooled(parts) if len(parts) == len(per_view) else None
    if together is not None:
        tables[PER_VIEW] = together
    row = _together(per_view, together, options)
    ids = [case.id for case in test]
    order = [name for name in (ALL, PER_VIEW, CASCADE) if name in tables]
    right = {name: only(tables[name], ids) for name in order}
    text = (
        f"Compared on the {len(test)} test images whose view is one of "
        f"{', '.join(sorted({case.attributes['view'] for case in test}))}."
    )
    return results.model_copy(
        update={
            "models": (*results.models[:-1], row, results.models[-1]),  # the cascade stays last
            "baseline": baseline(test),
            "tests": paired_tests(right),
            "findings": differences(right),
            "notes": (
                *results.notes,
                Note(code="views", level="info", text=text),
                *_of_cascade(outcomes),
            ),
        }
    )


def _of_cascade(outcomes: Sequence[Outcome]) -> list[Note]:
    """What a reader must know of the links: which are missing, and how well views are told."""
    said = [told_of(o.checkpoint) for o in outcomes if o.member.name == CASCADE and o.checkpoint]
    return [Note(code="cascade", level="info", text=text) for text in said if text]


def differences(right: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[Finding, ...]:
    """Accuracy of each later arrangement minus an earlier one's, over the same images.

    Bonett and Price's interval (2012, doi:10.3102/1076998611411915) treats images as independent.
    """
    found = []
    for (one, first), (two, second) in combinations(right.items(), 2):
        counts = int((second & ~first).sum()), int((first & ~second).sum())
        low, high = (float(limit) for limit in bonett_price(*counts, len(first)))
        found.append(
            Finding(
                metric="accuracy",
                params={"model": two},
                contrast=f"model={one}",
                value=(counts[0] - counts[1]) / len(first),
                low=low,
                high=high,
                method="Bonett-Price",
                n=len(first),
            )
        )
    return tuple(found)


def _together(
    per_view: Sequence[Outcome], together: Predictions | None, options: StudyOptions
) -> Trained:
    """The networks per view as one row: each image answered by the network of its view.

    `together`: None where one of them is to come or has failed.
    """
    first = per_view[0].trained
    row = Trained(
        name=PER_VIEW,
        title=f"{title_of(first.architecture)}, one per view",
        architecture=first.architecture,
        settings={"arrangement": PER_VIEW},
    )
    failed = [str(o.member.settings["view"]) for o in per_view if o.trained.state == "failed"]
    if failed:
        reason = f"no network for {', '.join(failed)}: it failed"
        return row.model_copy(update={"state": "failed", "reason": reason})
    if together is None:
        return row
    return row.model_copy(
        update={
            "state": "done",
            "parameters": sum(outcome.trained.parameters for outcome in per_view),
            "weights": first.weights,
            "findings": findings_of(together, options.subgroups, options.seed),
        }
    )
