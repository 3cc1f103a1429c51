"""What the shortcut probe knows of the audited cases: label, score, patient, attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.cases.attributes import UNKNOWN
from audit.evidence import Predictions, Subject
from audit.findings.frame import Frame, make_frame
from audit.findings.groups import make_groups
from audit.findings.rates import FEWEST, NEGATIVES, POSITIVES
from audit.findings.view import Bools, Floats, Ints, scores

MOST_VALUES = 12
OTHER = "other values"
RESAMPLES = 2000


@dataclass(frozen=True)
class Column:
    """One attribute: its `values` and, per case, which of them (n,)."""

    name: str
    values: tuple[str, ...]
    codes: Ints

    @property
    def one_hot(self) -> Floats:
        """(n, values) of 0 and 1."""
        return np.eye(len(self.values))[self.codes]


@dataclass(frozen=True)
class Table:
    """`cases` (n,): index into the subjects; `score` (n,): log-odds of the positive class.

    `patients` (n,): number of each case's patient in [0, `count`); `assumed`: some are unknown.
    """

    frame: Frame
    cases: Ints
    positive: Bools
    score: Floats
    patients: Ints
    count: int
    assumed: bool
    columns: tuple[Column, ...]

    @property
    def too_few(self) -> str:
        """Why nothing can be said of the label, or nothing."""
        for number, word in (
            (int(self.positive.sum()), POSITIVES),
            (int((~self.positive).sum()), NEGATIVES),
        ):
            if number < FEWEST:
                return f"fewer than {FEWEST} {word}"
        return ""

    def one_hot(self, columns: Sequence[Column]) -> Floats:
        return np.concatenate([column.one_hot for column in columns], axis=1)


def table_of(predictions: Predictions, seed: int) -> Table:
    """The audited cases, with every attribute that is not the same for all of them."""
    sample = predictions.clean().sample.astype(np.int64)
    frame = make_frame(predictions, make_groups(predictions.subjects, []), seed, RESAMPLES)
    subjects = [predictions.subjects[int(index)] for index in sample]
    return Table(
        frame=frame,
        cases=sample,
        positive=np.asarray(predictions.targets[sample] == predictions.decision.positive),
        score=scores(predictions, sample, predictions.clean_logits()[sample]),
        patients=frame.patients[sample],
        count=len(frame.patients),
        assumed=bool((~frame.known[sample]).any()),
        columns=tuple(columns_of(subjects)),
    )


def columns_of(subjects: Sequence[Subject]) -> list[Column]:
    """Attributes in alphabetical order; unknown is a value, the rarest of many are one."""
    names = sorted({name for subject in subjects for name in subject.attributes})
    found = []
    for name in names:
        texts = [subject.attributes.get(name) or UNKNOWN for subject in subjects]
        column = _column(name, texts)
        if len(column.values) > 1:
            found.append(column)
    return found


def _column(name: str, texts: Sequence[str]) -> Column:
    values, counts = np.unique(np.array(texts), return_counts=True)
    if len(values) > MOST_VALUES:
        order = sorted(range(len(values)), key=lambda i: (-counts[i], values[i]))
        kept = {str(values[i]) for i in order[: MOST_VALUES - 1]}
        texts = [text if text in kept else OTHER for text in texts]
    levels, codes = np.unique(np.array(texts), return_inverse=True)
    return Column(name, tuple(map(str, levels)), codes.astype(np.int64))
