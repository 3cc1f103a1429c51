"""One network fitted by the study's recipe, and what validation and test say of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.results import Finding
from audit.study_results import Trained
from trainers.fitting.team import speaks
from trainers.progress import Progress
from trainers.splits import Splits
from trainers.study.conduct import check_member, means_of
from trainers.study.fitted import TRAINING, fit_member, fitting_key
from trainers.study.member import Member
from trainers.study.options import StudyOptions
from trainers.study.place import held
from trainers.study.record import described
from trainers.study.run import title_of
from trainers.study.telling import Named
from trainers.study.testing import findings_of, predict_test
from trainers.study.weights import starting_weights


@dataclass(frozen=True)
class Single:
    """A fitted network: its checkpoint, its training, findings by split ("val", "test")."""

    checkpoint: Path
    trained: Trained
    findings: Mapping[str, tuple[Finding, ...]]


def train_one(
    architecture: str,
    splits: Splits,
    folder: Path,
    options: StudyOptions,
    progress: Progress,
    *,
    max_seconds: float | None = None,
) -> Single | None:
    """Fit into `folder` (model.pt; training/log.csv, log.json), predict validation and test.

    The same call again continues at the epoch where it was interrupted, and trains nothing anew
    when it had ended. Raises HipauditError for options that make no sense, an architecture
    nobody knows, a folder of something else, and as `trainers.fit.fit` does. Of several
    processes under torchrun only the first writes and answers; the others give None.
    """
    member = Member(
        architecture,
        title_of(architecture),
        architecture,
        splits.train,
        splits.val,
        splits.test,
    )
    means = means_of(splits, options, max_seconds)
    check_member(member, means)
    start = starting_weights(options.weights, [architecture])[architecture]
    told = Named(architecture, progress)
    claim: AbstractContextManager[object]
    claim = held(folder, fitting_key(member, start, means)[:12]) if speaks() else nullcontext()
    with claim:
        path = fit_member(member, folder, start, means, told)
        if not speaks():
            return None
        return _looked_at(member, path, folder, options, told)


def _looked_at(
    member: Member, path: Path, folder: Path, options: StudyOptions, told: Named
) -> Single:
    """Predict both splits that it was not fitted to."""
    classifier = load_classifier(path, member.test.labels, ModelOptions(device=options.device))
    found = {}
    for name, cases in (("val", member.val), ("test", member.test)):
        predictions = predict_test(
            classifier, cases, folder / name, seed=options.seed, progress=told
        )
        found[name] = findings_of(predictions, options.subgroups, options.seed)
    trained = described(member.planned(), classifier.description, folder / TRAINING)
    return Single(path, trained, found)
