"""The study: seven networks fitted, tested and audited alike, beside the published table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.results import Note
from audit.study_results import StudyResults
from trainers.architectures import ROWS, STUDY
from trainers.progress import Progress
from trainers.splits import Splits
from trainers.study.compare import paired_tests
from trainers.study.conduct import conduct_study
from trainers.study.inconsistencies import inconsistencies
from trainers.study.member import Member, Outcome
from trainers.study.options import StudyOptions
from trainers.study.published import published_table
from trainers.study.testing import baseline


def models_study(
    splits: Splits, folder: Path, options: StudyOptions, progress: Progress
) -> StudyResults:
    """Fit each architecture by the study's recipe, test it, audit it; write `folder/study.json`.

    By default the study's seven. study.json is written whole after every model; the same call
    again resumes, at the epoch where it was interrupted. A model that fails is recorded with its
    reason and the others go on. Raises HipauditError for options that make no sense, a weights
    folder that lacks a file, and a folder of something else.
    """
    names = options.architectures or tuple(row.name for row in STUDY)
    members = [
        Member(name, title_of(name), name, splits.train, splits.val, splits.test) for name in names
    ]
    return conduct_study(
        "models", _title(names), members, splits, folder, options, progress, complete=_compared
    )


def _title(names: Sequence[str]) -> str:
    if set(names) == {row.name for row in STUDY}:
        return "The seven-model study"
    titles = [title_of(name) for name in names]
    return f"{len(titles)} networks compared" if len(titles) > 1 else f"{titles[0]} alone"


def title_of(name: str) -> str:
    """As the thesis prints it; torchvision's own name for a network it does not have."""
    return ROWS[name].title if name in ROWS else name


def _compared(results: StudyResults, outcomes: Sequence[Outcome]) -> StudyResults:
    """With what only this study has: the published table, and every pair on the same images."""
    correct = {
        outcome.member.name: outcome.predictions.clean_correct()
        for outcome in outcomes
        if outcome.predictions is not None
    }
    notes = results.notes
    if len(correct) > 1:
        notes = (*notes, _best_of(len(correct)))
    return results.model_copy(
        update={
            "baseline": baseline(outcomes[0].member.test),
            "tests": paired_tests(correct),
            "published": published_table(),
            "inconsistencies": inconsistencies(),
            "notes": notes,
        }
    )


def _best_of(count: int) -> Note:
    text = (
        f"The best of {count} models, chosen by the test images themselves, looks better than it "
        "is: its accuracy on new images is expected to be lower."
    )
    return Note(code="best-of-several", level="warning", text=text)
