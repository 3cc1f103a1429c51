"""The agreement study: two readers with each other, and a model with each and with both."""

from __future__ import annotations

import platform

import numpy as np

from audit.attempt import clean_rows
from audit.cases.case import Case, Cases
from audit.cases.table import plain_name
from audit.checkpoints.names import positive_class
from audit.classifier import Classifier
from audit.decision import Decision
from audit.errors import HipauditError, did_you_mean
from audit.evidence import Predictions, Subject
from audit.findings.agreement import Reading, agreement
from audit.findings.frame import make_frame
from audit.findings.groups import make_groups
from audit.findings.view import Ints
from audit.fingerprint import machine, versions
from audit.folder import today
from audit.metrics.difference import mcnemar
from audit.metrics.multiplicity import holm
from audit.results import Note, Provenance
from audit.study_results import PairedTest, SplitCount, StudyResults, Trained
from trainers.progress import Progress
from trainers.study.options import StudyOptions

NAMES = ("reader 1", "reader 2")  # a column's own name may be a person's
MODEL, CONSENSUS = "model", "consensus of the readers"
RESAMPLES = 2000
BATCH = 32
MOST_LISTED = 200


def readers_study(
    cases: Cases,
    readers: tuple[str, str],
    classifier: Classifier | None,
    options: StudyOptions,
    progress: Progress,
) -> StudyResults:
    """How far two readers agree, and a model with each of them and with what they agree on.

    `readers`: two columns read as `DataOptions.reader_columns`. Findings have params "first"
    and "second" and are for everyone and for each of `options.subgroups` that the data has:
    kappa, agreement, positive_agreement, negative_agreement. The ids of the cases on which the
    readers differ are in the notes. Writes nothing. Raises HipauditError where a column was not
    read, or no case was read by both.
    """
    if classifier is None:
        positive, _ = positive_class(cases.labels, options.positive_class, "--positive-class")
        classes = (*(name for name in cases.labels if name != positive), positive)
    else:
        classes, positive = classifier.classes, classifier.description.positive_class
    read = [
        Reading(name, _called(cases, reader, classes))
        for name, reader in zip(NAMES, _checked(cases, readers), strict=True)
    ]
    pairs = [(read[0], read[1])]
    if classifier is not None:
        said = Reading(MODEL, _said(classifier, cases, progress))
        pairs += [(said, reader) for reader in (*read, _consensus(*read))]
    predictions = _subjects(cases, classes, positive)
    known = [name for name in options.subgroups if name in cases.attributes]
    groups = make_groups(predictions.subjects, known)
    frame = make_frame(predictions, groups, options.seed, RESAMPLES)
    return StudyResults(
        tool_version=versions()["hipaudit"],
        kind="readers",
        title="Agreement of two readers" + (" and a model" if classifier else ""),
        synthetic=cases.description.synthetic,
        classes=classes,
        positive_class=positive,
        splits=(_split(cases, positive),),
        models=() if classifier is None else (_model(classifier),),
        tests=_tests(pairs, predictions.decision.positive),
        findings=tuple(found for pair in pairs for found in agreement(frame, *pair)),
        notes=(*cases.description.notes, *_discordant(cases, pairs)),
        provenance=Provenance(
            date=today(),
            command=options.command,
            python=platform.python_version(),
            platform=machine(),
            packages=versions(),
            device=options.device,
        ),
    )


def _checked(cases: Cases, readers: tuple[str, str]) -> list[str]:
    """The columns by their plain names."""
    columns = sorted({name for case in cases for name in case.readings})
    names = [plain_name(reader) for reader in readers]
    if len(names) != 2 or len(set(names)) != 2:
        raise HipauditError("two different columns of readings", ", ".join(readers))
    for reader, name in zip(readers, names, strict=True):
        if name not in columns:
            raise HipauditError("a column of readings", f'"{reader}"', did_you_mean(name, columns))
    if not any(all(name in case.readings for name in names) for case in cases):
        raise HipauditError("cases that both readers read", "none", "Check the two columns.")
    return names


def _called(cases: Cases, reader: str, classes: tuple[str, ...]) -> Ints:
    place = {name: index for index, name in enumerate(classes)}

    def index(case: Case) -> int:
        label = case.readings.get(reader)
        return -1 if label is None else place[label]

    return np.array([index(case) for case in cases], dtype=np.int64)


def _said(classifier: Classifier, cases: Cases, progress: Progress) -> Ints:
    """(N,) what the model decides; -1 where its output is not finite."""
    progress.run("model reads", 0, len(cases))
    found = np.full(len(cases), -1, dtype=np.int64)
    for start in range(0, len(cases), BATCH):
        some = cases[start : start + BATCH]
        rows = clean_rows(classifier, some, BATCH, progress.note)
        found[start + rows.case] = classifier.decide(rows.logits)
        progress.run("model reads", start + len(some), len(cases))
    return found


def _consensus(one: Reading, two: Reading) -> Reading:
    """What both said, where they said the same."""
    return Reading(CONSENSUS, np.where(one.called == two.called, one.called, -1))


def _subjects(cases: Cases, classes: tuple[str, ...], positive: str) -> Predictions:
    """The cases without any prediction: who they are is what clustering and groups need."""
    subjects = tuple(
        Subject(c.id, classes.index(c.label), c.patient, dict(c.attributes)) for c in cases
    )
    return Predictions(subjects, classes, Decision(classes.index(positive)))


def _split(cases: Cases, positive: str) -> SplitCount:
    labels = cases.description.labels
    return SplitCount(
        name="test",
        images=len(cases),
        patients=cases.description.patients,
        labels=labels,
        views=cases.description.attributes.get("view", {}),
        prevalence=labels.get(positive, 0) / len(cases),
    )


def _model(classifier: Classifier) -> Trained:
    said = classifier.description
    return Trained(
        name=MODEL,
        title=said.name,
        architecture=said.architecture,
        state="done",
        parameters=said.parameters,
        sha256=said.sha256[0] if said.sha256 else "",
    )


def _tests(pairs: list[tuple[Reading, Reading]], positive: int) -> tuple[PairedTest, ...]:
    """Whether one calls more positives than the other (McNemar), corrected by Holm.

    The consensus is left out: it holds only cases the readers agree on.
    """
    found = []
    for first, second in pairs:
        if second.name == CONSENSUS:
            continue
        both = (first.called >= 0) & (second.called >= 0)
        one, two = first.called[both] == positive, second.called[both] == positive
        more, less = int((one & ~two).sum()), int((~one & two).sum())
        found.append((first.name, second.name, more, less, int(both.sum()), mcnemar(more, less)))
    adjusted = holm([row[-1] for row in found])
    return tuple(
        PairedTest(
            first=one, second=two, metric="positive calls",
            only_first=more, only_second=less, n=n, p=p, p_holm=p_holm,
        )
        for (one, two, more, less, n, p), p_holm in zip(found, adjusted, strict=True)
    )  # fmt: skip


def _discordant(cases: Cases, pairs: list[tuple[Reading, Reading]]) -> list[Note]:
    """Case ids on which the readers differ, and on which the model differs from both."""
    notes = []
    for code, (first, second) in (("readers.discordant", pairs[0]), ("readers.model", pairs[-1])):
        if code == "readers.model" and second.name != CONSENSUS:
            continue
        both = (first.called >= 0) & (second.called >= 0)
        differ = np.flatnonzero(both & (first.called != second.called))
        ids = [cases[int(index)].id for index in differ]
        more = f", and {len(ids) - MOST_LISTED} more" if len(ids) > MOST_LISTED else ""
        listed = f": {', '.join(ids[:MOST_LISTED])}{more}" if ids else ""
        text = (
            f"{first.name[:1].upper()}{first.name[1:]} and {second.name} differ on {len(ids)} of "
            f"{int(both.sum())} cases{listed}."
        )
        notes.append(Note(code=code, level="info", text=text))
    return notes
