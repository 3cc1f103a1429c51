"""Learning curve: the same network fitted to ever more of the training data, tested on all of it.

The thesis asks for more data (section 6); this says how much more would help.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from audit.cases.case import Case, Cases
from audit.cases.subset import subset
from audit.draws import ranked
from audit.errors import HipauditError
from audit.results import Note
from audit.study_results import StudyResults
from trainers.progress import Progress
from trainers.recipe import study_recipe
from trainers.splits import Splits
from trainers.study.conduct import conduct_study
from trainers.study.member import Member, Outcome
from trainers.study.options import StudyOptions
from trainers.study.run import title_of
from trainers.study.testing import baseline

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
ARCHITECTURE = "densenet169"  # the best of the published table


def learning_curve_study(
    splits: Splits, folder: Path, options: StudyOptions, progress: Progress
) -> StudyResults:
    """Fit each architecture to nested parts of the training split; write `folder/study.json`.

    `options.points`: numbers of training images, or shares of them where all are at most 1;
    by default a sixteenth, doubled up to everything, without those smaller than a batch. Whole
    patients are taken, both labels in the proportion of the split, so a part has about as many
    images as asked; points that come to the same part count once. Validation and test stay the
    same. Raises HipauditError for a point that is not positive, is more than there is, or takes
    fewer images than a batch.
    """
    names = options.architectures or (ARCHITECTURE,)
    batch = study_recipe(names[0], **options.settings).batch_size
    parts = parts_of(splits.train, options, batch)
    members = [
        Member(
            f"{name}-{len(part)}-images",
            f"{title_of(name)}, {len(part)} images",
            name,
            part,
            splits.val,
            splits.test,
            settings={"images": len(part)},
        )
        for name in names
        for part in parts
    ]
    title = f"Accuracy over the number of training images: {', '.join(map(title_of, names))}"
    return conduct_study(
        "learning-curve", title, members, splits, folder, options, progress, complete=_completed
    )


def parts_of(train: Cases, options: StudyOptions, batch: int) -> list[Cases]:
    """The nested parts, smallest first, each of another size and of at least `batch` images."""
    by_size = {
        len(part): part
        for share in _shares(train, options)
        for part in [nested(train, share, options.seed)]
    }
    least = min(by_size)
    if least < batch and options.points:
        raise HipauditError(
            f"training sets of at least one batch of {batch} images",
            f"{least} images at --points {min(options.points):g}",
            f"Use larger --points, or --batch-size {max(2, least)}.",
        )
    kept = [by_size[size] for size in sorted(by_size) if size >= batch]
    return kept or [train]


def _shares(train: Cases, options: StudyOptions) -> list[float]:
    points = options.points or SHARES
    if min(points) <= 0:
        raise HipauditError("training-set sizes above 0", f"{min(points):g}", "Change --points.")
    shares = points if max(points) <= 1 else [point / len(train) for point in points]
    if max(shares) > 1:
        raise HipauditError(
            f"training-set sizes of at most {len(train)} images",
            f"{max(points):g}",
            "Change --points.",
        )
    return sorted(set(shares))


def nested(train: Cases, share: float, seed: int) -> Cases:
    """About `share` of the images: whole patients, by label, a larger share holding a smaller.

    Stratified by the set of labels a patient has. Every stratum gives at least one patient.
    """
    patients: dict[str, list[Case]] = defaultdict(list)
    for case in train:
        patients[case.patient or f"case {case.id}"].append(case)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, own in patients.items():
        strata[tuple(sorted({case.label for case in own}))].append(name)
    kept: list[Case] = []
    for names in strata.values():
        order = ranked(seed, names, "learning curve")
        for name in order[: max(1, round(share * len(order)))]:
            kept += patients[name]
    return subset(train, kept)


def _completed(results: StudyResults, outcomes: Sequence[Outcome]) -> StudyResults:
    text = (
        "Every point is fitted for the same number of epochs, so a smaller part also means fewer "
        "steps; one fit per point: the curve holds the luck of one draw of patients and one seed."
    )
    note = Note(code="learning-curve", level="info", text=text)
    return results.model_copy(
        update={
            "baseline": baseline(outcomes[0].member.test),
            "notes": (*results.notes, note),
        }
    )
