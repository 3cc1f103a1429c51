"""The table of predictions as text that a spreadsheet or a data frame can open."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from typing import BinaryIO, TextIO

import numpy as np
import numpy.typing as npt

from audit.decision import margin
from audit.evidence import Predictions, RunEvidence
from audit.results import Scalar, as_levels

_FORMULA = tuple("=+-@＝＋－＠")
_AT_A_TIME = 4096  # rows held as text


def predictions_csv(predictions: Predictions, *, synthetic: bool = False) -> str:
    """A row per case × run × variant, in the order of the table; the same table, the same text.

    Columns: case, patient, label, run, stress, defence, variant, decided, p_positive,
    log_odds (of the positive class), logit_CLASS…, referred, success, success_8bit (1, 0 or
    empty when not an attack), queries (empty when unknown), found (JSON), attribute_NAME….
    Synthetic cases have a last column, synthetic, that says yes on every row.
    `decided` is empty where the output was not finite. An attack has rows only for the cases
    that were decided correctly without it. Text that a spreadsheet would run as a formula
    begins with an apostrophe.
    """
    out = io.StringIO()
    _write(out, predictions, synthetic)
    return out.getvalue()


def write_predictions(
    stream: BinaryIO, predictions: Predictions, *, synthetic: bool = False
) -> None:
    """`predictions_csv` into a binary stream, UTF-8, a few thousand rows in memory at a time."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        _write(text, predictions, synthetic)
    finally:
        text.detach()  # flushes; the stream stays its owner's to close


def _write(out: TextIO, predictions: Predictions, synthetic: bool) -> None:
    attributes = sorted({name for subject in predictions.subjects for name in subject.attributes})
    writer = csv.writer(out, lineterminator="\n")
    last = (["synthetic"], ["yes"]) if synthetic else ([], [])
    writer.writerow([*_header(predictions, attributes), *last[0]])
    for evidence in predictions.runs:
        for start in range(0, len(evidence.rows), _AT_A_TIME):
            part = slice(start, start + _AT_A_TIME)
            lines = _lines(predictions, evidence, part, attributes)
            writer.writerows([*line, *last[1]] for line in lines)


def plain_text(text: str) -> str:
    """Text as data, on one line: never a formula, never a new row.

    Source: OWASP, "CSV Injection".

    >>> plain_text("=1+1"), plain_text("lateral")
    ("'=1+1", 'lateral')
    """
    line = " ".join(text.splitlines())
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line


def _header(predictions: Predictions, attributes: list[str]) -> list[str]:
    return [
        *("case", "patient", "label", "run", "stress", "defence", "variant"),
        *("decided", "p_positive", "log_odds"),
        *(plain_text(f"logit_{name}") for name in predictions.classes),
        *("referred", "success", "success_8bit", "queries", "found"),
        *(plain_text(f"attribute_{name}") for name in attributes),
    ]


def _lines(
    predictions: Predictions, evidence: RunEvidence, part: slice, attributes: list[str]
) -> Iterator[list[str]]:
    rows, run = evidence.rows, evidence.run
    ran = [plain_text(text) for text in (run.id, run.stress, run.defence)]
    variants = [plain_text(_variant_text(variant)) for variant in rows.variants]
    names = [*map(plain_text, predictions.classes), ""]
    said = [names[index] for index in predictions.decided(rows.logits[part]).tolist()]
    log_odds = _log_odds(predictions, rows.logits[part])
    logits = [list(map(_number, row)) for row in rows.logits[part].tolist()]
    flags = (rows.referred.astype(int), rows.success, rows.success_8bit, rows.queries)
    counts = [
        list(map(_known, row)) for row in zip(*(f[part].tolist() for f in flags), strict=True)
    ]
    places = zip(
        rows.case[part].tolist(), rows.variant[part].tolist(), rows.found[part], strict=True
    )
    who: tuple[int, tuple[list[str], list[str]]] = (-1, ([], []))
    for row, (case, variant, known) in enumerate(places):
        if who[0] != case:  # rows of one case follow each other
            who = case, _subject(predictions, case, attributes)
        first, last = who[1]
        found = json.dumps(dict(known), sort_keys=True) if known else ""
        scores = [_number(_probability(log_odds[row])), _number(log_odds[row])]
        start = [*first, *ran, variants[variant], said[row], *scores]
        yield [*start, *logits[row], *counts[row], found, *last]


def _subject(
    predictions: Predictions, index: int, attributes: list[str]
) -> tuple[list[str], list[str]]:
    subject = predictions.subjects[index]
    first = [subject.id, subject.patient or "", predictions.classes[subject.target]]
    last = [subject.attributes.get(name, "") for name in attributes]
    return [plain_text(text) for text in first], [plain_text(text) for text in last]


def _variant_text(variant: Mapping[str, Scalar]) -> str:
    return " ".join(f"{name}={_scalar_text(name, value)}" for name, value in variant.items())


def _scalar_text(name: str, value: Scalar) -> str:
    if name == "epsilon" and isinstance(value, float):
        return as_levels(value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _log_odds(predictions: Predictions, logits: npt.NDArray[np.float32]) -> list[float]:
    finite = np.asarray(np.isfinite(logits).all(axis=1))
    usable = np.where(finite[:, None], logits, 0.0)
    found = np.where(finite, margin(usable, predictions.decision.positive), np.nan)
    return [float(value) for value in found]


def _probability(log_odds: float) -> float:
    if math.isnan(log_odds):
        return log_odds
    small = math.exp(-abs(log_odds))
    return (1 if log_odds >= 0 else small) / (1 + small)


def _number(value: float) -> str:
    """Nine digits bring every float32 back exactly; empty where not a number."""
    return "" if math.isnan(value) else f"{value:.9g}"


def _known(value: int) -> str:
    return "" if value < 0 else str(value)
