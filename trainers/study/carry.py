"""Every member of a study: fitted, tested, audited. One that fails does not lose the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.classifier import Classifier
from audit.conduct import conduct
from audit.options import AuditOptions
from audit.reasons import reason_of
from audit.study_results import Trained
from trainers.progress import Progress
from trainers.study.fitted import TRAINING, fit_member
from trainers.study.member import Means, Member, Outcome
from trainers.study.options import StudyOptions
from trainers.study.record import described
from trainers.study.telling import Named
from trainers.study.testing import findings_of, predict_test, under_attack
from trainers.study.weights import Start

Keep = Callable[[Sequence[Outcome]], None]


def carry_out(
    members: Sequence[Member],
    starts: Mapping[str, Start],
    folder: Path,
    means: Means,
    options: StudyOptions,
    progress: Progress,
    keep: Keep,
    known: Mapping[str, Trained] | None = None,
) -> list[Outcome]:
    """Fit, test and audit each member in `folder/models/<name>`, in order.

    `starts`: by architecture. `keep(outcomes)` is called after each member, with all of them;
    until its turn comes a member is as an earlier call left it in `known`.
    A member that raises is recorded as failed with its reason; an interrupt ends it all.
    """
    before = known or {}
    outcomes = [Outcome(m, before.get(m.name, m.planned())) for m in members]
    for place, member in enumerate(members):
        told = Named(member.name, progress)
        progress.run("models", place, len(members))
        home = folder / "models" / member.name
        outcomes[place] = _guarded(
            Outcome(member, member.planned()),
            home,
            starts[member.architecture],
            means,
            options,
            told,
        )
        keep(outcomes)
    progress.run("models", len(members), len(members))
    return outcomes


def _guarded(
    outcome: Outcome, home: Path, start: Start, means: Means, options: StudyOptions, told: Named
) -> Outcome:
    try:
        return _whole(outcome, home, start, means, options, told)
    except Exception as error:  # noqa: BLE001 whatever ends one model must not end the study
        reason = reason_of(error)[:300]
        told.note(f"failed: {reason}")
        failed = outcome.trained.model_copy(update={"state": "failed", "reason": reason})
        return replace(outcome, trained=failed)


def _whole(
    outcome: Outcome, home: Path, start: Start, means: Means, options: StudyOptions, told: Named
) -> Outcome:
    member, seconds = outcome.member, dict[str, float]()
    with _clocked(seconds, "fit"):
        path = (member.fitting or fit_member)(member, home, start, means, told)
    classifier = load_classifier(path, member.test.labels, ModelOptions(device=options.device))
    with _clocked(seconds, "test"):
        predictions = predict_test(
            classifier, member.test, home / "test", seed=options.seed, progress=told
        )
    found = findings_of(predictions, options.subgroups, options.seed)
    trained = described(outcome.trained, classifier.description, home / TRAINING).model_copy(
        update={"state": "done", "findings": found}
    )
    with _clocked(seconds, "audit"):
        trained = _audited(trained, classifier, member, home, options, told)
    return replace(
        outcome, trained=trained, predictions=predictions, checkpoint=path, seconds=seconds
    )


def _audited(
    trained: Trained,
    classifier: Classifier,
    member: Member,
    home: Path,
    options: StudyOptions,
    told: Named,
) -> Trained:
    """With the audit's address and its main numbers; an audit that fails is said in `reason`."""
    if options.preset == "none":
        return trained
    known = set(member.test.attributes)
    chosen = AuditOptions(
        preset=options.preset,
        subgroups=tuple(name for name in options.subgroups if name in known),
        max_samples=options.audit_samples,
        max_time=options.audit_time,
        seed=options.seed,
        overwrite=True,  # the study's folder is its own
        images=options.images,
        device=options.device,
        command=options.command,
    )
    try:
        results = conduct(classifier, member.test, home / "audit", chosen, told)
    except Exception as error:  # noqa: BLE001 the model and its test stay, whatever ends the audit
        reason = f"the audit failed: {reason_of(error)[:250]}"
        told.note(reason)
        return trained.model_copy(update={"reason": reason})
    return trained.model_copy(
        update={
            "findings": (*trained.findings, *under_attack(results.findings)),
            "audit": f"models/{member.name}/audit/audit.json",
            "audit_run_id": results.run_id,
        }
    )


@contextmanager
def _clocked(seconds: dict[str, Any], what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[what] = round(time.monotonic() - began, 1)
