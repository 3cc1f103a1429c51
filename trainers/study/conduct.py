"""Any study from its members to study.json: the folder, the members, the pictures, the words."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit.checkpoints.architectures import names as torchvision_names
from audit.checkpoints.load import load_classifier
from audit.checkpoints.names import positive_class
from audit.checkpoints.options import ModelOptions
from audit.errors import HipauditError, did_you_mean
from audit.files import write_whole
from audit.fingerprint import machine, versions
from audit.options import AuditOptions
from audit.plan import check_names
from audit.results import Artefact, Note, Provenance
from audit.store import unit_key
from audit.study_results import Kind, StudyResults, Trained, read_study
from trainers.architectures import ROWS
from trainers.fitting.loop import PRIVATE
from trainers.pixels.cache import forget_pixels
from trainers.progress import Progress
from trainers.splits import Splits
from trainers.study.carry import carry_out
from trainers.study.figures import draw_figures, figures_of
from trainers.study.fitted import content
from trainers.study.member import Means, Member, Outcome
from trainers.study.options import StudyOptions
from trainers.study.place import held
from trainers.study.shapes import check_size
from trainers.study.surest import Sight
from trainers.study.testing import overall
from trainers.study.weights import Start, fetch, starting_weights

Complete = Callable[[StudyResults, Sequence[Outcome]], StudyResults]


def conduct_study(
    kind: Kind,
    title: str,
    members: Sequence[Member],
    splits: Splits,
    folder: Path,
    options: StudyOptions,
    progress: Progress,
    complete: Complete = lambda results, _: results,
) -> StudyResults:
    """Carry out `members` in `folder`; `complete(results, outcomes)` adds what the kind has.

    study.json is written whole after each member and once more with the pictures, which show
    the member with the best test accuracy. Raises HipauditError before any work for options
    that make no sense, and when the folder belongs to something else.
    """
    means = replace(means_of(splits, options), pixels=folder / PRIVATE)
    starts = _checked(members, means, options)
    study_id = _study_id(kind, splits, means, options)
    with held(folder, study_id) as started:
        base = _base(kind, title, splits, means, options, str(started["date"]))

        def keep(outcomes: Sequence[Outcome], artefacts: Sequence[Artefact] = ()) -> StudyResults:
            trained = tuple(outcome.trained for outcome in outcomes)
            results = complete(base.model_copy(update={"models": trained}), outcomes)
            results = results.model_copy(update={"artefacts": tuple(artefacts)})
            write_whole(folder / "study.json", results.to_json())
            _write_timings(folder, outcomes)
            return results

        def kept(outcomes: Sequence[Outcome]) -> None:
            keep(outcomes)

        known = _known(folder)
        outcomes = carry_out(members, starts, folder, means, options, progress, kept, known)
        forget_pixels(folder / PRIVATE)
        artefacts, notes = _pictures(outcomes, folder, means, options)
        base = base.model_copy(update={"notes": (*base.notes, *notes)})
        return keep(outcomes, artefacts)


def _known(folder: Path) -> dict[str, Trained]:
    """What an earlier call had finished, so that a resumed study never says less than it did."""
    try:
        return {m.name: m for m in read_study(folder / "study.json").models if m.state == "done"}
    except HipauditError:
        return {}


def means_of(splits: Splits, options: StudyOptions, max_seconds: float | None = None) -> Means:
    """What every fitting shares. Raises HipauditError where the positive class is not known."""
    classes = splits.train.labels
    positive, _ = positive_class(classes, options.positive_class, "--positive-class")
    ordered = (*(name for name in classes if name != positive), positive)
    return Means(
        classes=ordered,
        positive_class=positive,
        settings=dict(options.settings),
        seed=options.seed,
        device=options.device,
        max_seconds=max_seconds,
        synthetic=splits.train.description.synthetic,
        as_published=options.as_published,
    )


def _checked(members: Sequence[Member], means: Means, options: StudyOptions) -> dict[str, Start]:
    """Starting weights by architecture; HipauditError for whatever would only fail hours later."""
    names = [member.name for member in members]
    if not names:
        raise HipauditError("at least one model", "none", "Name one with --models.")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise HipauditError("every model once", f'"{twice}" twice', "Name it once in --models.")
    for member in members:
        check_member(member, means)
    if options.preset != "none":
        check_names(AuditOptions(preset=options.preset))
    starts = starting_weights(
        options.weights, list(dict.fromkeys(member.architecture for member in members))
    )
    fetch(starts)
    return starts


def check_member(member: Member, means: Means) -> None:
    """HipauditError for an architecture, a recipe or an input size that cannot be."""
    check_architecture(member.architecture)
    recipe = means.recipe_of(member)
    check_size(member.architecture, recipe.size, recipe.head)


def check_architecture(name: str) -> None:
    """HipauditError for a name that is neither the study's nor torchvision's."""
    if name in ROWS or name in torchvision_names():
        return
    near = did_you_mean(name, [*ROWS])
    raise HipauditError("an architecture of the study or of torchvision", f'"{name}"', near)


def _study_id(
    kind: Kind,
    splits: Splits,
    means: Means,
    options: StudyOptions,
) -> str:
    """What a folder belongs to. Models may be added to a study, and its audits changed."""
    return unit_key(
        {
            "kind": kind,
            "splits": [content(cases) for cases in (splits.train, splits.val, splits.test)],
            "positive": means.positive_class,
            "settings": means.settings,
            "seed": means.seed,
            "start": "files" if isinstance(options.weights, Path) else options.weights,
            "as_published": options.as_published,
        }
    )[:12]


def _base(
    kind: Kind, title: str, splits: Splits, means: Means, options: StudyOptions, date: str
) -> StudyResults:
    """Everything that is known before a model is fitted."""
    return StudyResults(
        tool_version=versions()["hipaudit"],
        kind=kind,
        title=title,
        synthetic=all(c.description.synthetic for c in (splits.train, splits.val, splits.test)),
        as_published=options.as_published,
        classes=means.classes,
        positive_class=means.positive_class,
        splits=splits.counts(means.positive_class),
        notes=(*splits.notes, *_clustered(splits), *_without_views(splits, options)),
        provenance=Provenance(
            date=date,
            command=options.command,
            python=platform.python_version(),
            platform=machine(),
            packages=versions(),
            device=means.device,
        ),
    )


def _clustered(splits: Splits) -> list[Note]:
    people = splits.test.description.patients
    if people is None:
        text = "No image names its patient: images are treated as independent, also in splitting."
        return [Note(code="no-patients", level="warning", text=text)]
    if people == len(splits.test):
        return []
    text = (
        f"The {len(splits.test)} test images are of {people} patients. Wilson's intervals and "
        "McNemar's tests treat images as independent and are too narrow and too sharp; the other "
        "intervals are clustered by patient."
    )
    return [Note(code="clustered", level="warning", text=text)]


def _without_views(splits: Splits, options: StudyOptions) -> list[Note]:
    absent = [name for name in options.subgroups if name not in splits.test.attributes]
    text = "The data does not say {}: results are not split by it."
    return [Note(code="no-subgroup", level="info", text=text.format(name)) for name in absent]


def _pictures(
    outcomes: Sequence[Outcome], folder: Path, means: Means, options: StudyOptions
) -> tuple[list[Artefact], list[Note]]:
    """Of the best tested member; nothing where images may not be shown or none was tested."""
    best = best_of(outcomes)
    if best is None or best.checkpoint is None or best.predictions is None or not options.images:
        return [], []
    member = best.member
    classifier = load_classifier(
        best.checkpoint, member.test.labels, ModelOptions(device=options.device)
    )
    sight = Sight(member.name, classifier, member.test, best.predictions, options.seed)
    drawings = figures_of(sight, member.train, means.recipe_of(member))
    return draw_figures(folder, drawings, synthetic=means.synthetic)


def best_of(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The tested member with the best accuracy on the most images; the first of equals.

    Members that saw a part of the test split only (one view) do not compare with the others.
    """
    tested = [outcome for outcome in outcomes if outcome.predictions is not None]
    most = max((len(outcome.member.test) for outcome in tested), default=0)
    whole = [outcome for outcome in tested if len(outcome.member.test) == most]
    return max(whole, key=_accuracy, default=None)


def _accuracy(outcome: Outcome) -> float:
    found = overall(outcome.trained.findings, "accuracy")
    return -1.0 if found is None or found.value is None else found.value


def _write_timings(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Seconds by model, outside study.json: they differ from run to run. Resumed ones are kept."""
    path = folder / "timings.json"
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    for outcome in outcomes:
        name = outcome.member.name
        for what, seconds in outcome.seconds.items():
            before = known.setdefault(name, {}).get(what, 0.0)
            known[name][what] = max(before, seconds)
    write_whole(path, json.dumps(known, indent=1, sort_keys=True) + "\n")
