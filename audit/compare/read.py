"""predictions.csv read back into columns, a few thousand rows at a time. Nothing in it is believed
before it is checked: it lies beside audit.json and anybody may have edited it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from audit.compare.columns import AGAIN, Layout, as_it_was, damaged, read_header
from audit.decision import Decision, decide, margin
from audit.errors import DamagedFile
from audit.export import plain_text
from audit.results import Results

LONGEST_ROW = 1 << 16  # characters
MOST_ROWS = 50_000_000
FLAG = {"": -1, "0": 0, "1": 1}
_AT_A_TIME = 4096


@dataclass(frozen=True)
class Columns:
    """Columns of equal length R: `run`, `case` and `variant` are places in the lists of names;
    `logits` (R, K) float32; `flags` (R, 3): referred, success, success_8bit; `line` of the file.

    `who`: (patient, label, attribute values…) of each case, as text. `variants`: (run, text).
    """

    run: npt.NDArray[np.int32]
    case: npt.NDArray[np.int32]
    variant: npt.NDArray[np.int32]
    logits: npt.NDArray[np.float32]
    flags: npt.NDArray[np.int8]
    line: npt.NDArray[np.int32]
    cases: tuple[str, ...]
    who: tuple[tuple[str, ...], ...]
    variants: tuple[tuple[int, str], ...]
    attributes: tuple[str, ...]


@dataclass
class _Reading:
    """What is known so far. `runs`: (run, stress, defence) as written -> place in the plan."""

    layout: Layout
    runs: dict[tuple[str, ...], int]
    classes: dict[str, int]
    decision: Decision
    cases: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    variants: dict[tuple[int, str], int] = field(default_factory=dict)


def read_columns(path: Path, results: Results) -> Columns:
    """The rows of a predictions.csv that belongs to `results`.

    Raises DamagedFile, with the line, for a row that is not whole, contradicts another row of its
    case, or whose decision or log-odds do not follow from its logits.
    """
    parts: list[tuple[npt.NDArray[np.generic], ...]] = []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reading, rows = _begin(stream, results)
            for lines, chunk in _chunks(rows):
                parts.append(_checked(reading, lines, chunk))
    except UnicodeDecodeError as error:
        raise DamagedFile("predictions.csv in UTF-8", "other bytes", AGAIN) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DamagedFile("a predictions.csv that can be read", reason, AGAIN) from error
    if not parts:
        raise DamagedFile("predictions.csv with a row per case and run", "no row", AGAIN)
    run, case, variant, logits, flags, line = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return Columns(
        run=run.astype(np.int32),
        case=case.astype(np.int32),
        variant=variant.astype(np.int32),
        logits=logits.astype(np.float32),
        flags=flags.astype(np.int8),
        line=line.astype(np.int32),
        cases=tuple(as_it_was(name) for name in reading.cases),
        who=tuple(known[1] for known in reading.cases.values()),
        variants=tuple(reading.variants),
        attributes=reading.layout.attributes,
    )


def _begin(stream: TextIO, results: Results) -> tuple[_Reading, Iterator[tuple[int, list[str]]]]:
    rows = _rows(stream)
    _, header = next(rows, (0, []))
    model = results.model
    decision = Decision(model.classes.index(model.positive_class), model.threshold)
    runs = {
        tuple(map(plain_text, (run.id, run.stress, run.defence))): place
        for place, run in enumerate(results.plan.runs)
    }
    classes = {plain_text(name): place for place, name in enumerate(model.classes)}
    return _Reading(read_header(header, results), runs, classes, decision), rows


def _rows(stream: TextIO) -> Iterator[tuple[int, list[str]]]:
    """(line, cells); a row is one line, and none is longer than `LONGEST_ROW`."""
    reader = csv.reader(_lines(stream), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise damaged(reader.line_num, "a row of a table", str(error)) from error
        if reader.line_num > MOST_ROWS:
            raise damaged(reader.line_num, f"at most {MOST_ROWS} rows", "more")
        yield reader.line_num, row


def _lines(stream: TextIO) -> Iterator[str]:
    number = 0
    while line := stream.readline(LONGEST_ROW):
        number += 1
        if not line.endswith("\n"):
            cut = "a longer one" if len(line) == LONGEST_ROW else "the end of the file within it"
            raise damaged(number, f"a whole row of at most {LONGEST_ROW} characters", cut)
        yield line


def _chunks(
    rows: Iterator[tuple[int, list[str]]],
) -> Iterator[tuple[list[int], list[list[str]]]]:
    lines: list[int] = []
    chunk: list[list[str]] = []
    for line, row in rows:
        lines.append(line)
        chunk.append(row)
        if len(chunk) == _AT_A_TIME:
            yield lines, chunk
            lines, chunk = [], []
    if chunk:
        yield lines, chunk


def _checked(
    reading: _Reading, lines: Sequence[int], rows: Sequence[list[str]]
) -> tuple[npt.NDArray[np.generic], ...]:
    """run, case, variant, logits, flags, line of these rows."""
    run, case, variant = [], [], []
    for line, row in zip(lines, rows, strict=True):
        if len(row) != reading.layout.width:
            raise damaged(line, f"{reading.layout.width} cells", str(len(row)))
        place = reading.runs.get((row[3], row[4], row[5]))
        if place is None:
            raise damaged(line, "a run of audit.json", f'"{row[3][:40]}"')
        run.append(place)
        case.append(_case(reading, line, row))
        variant.append(reading.variants.setdefault((place, row[6]), len(reading.variants)))
    logits = _logits(reading, lines, rows)
    _decisions_follow(reading, lines, rows, logits)
    flags = _flags(reading.layout.flags, lines, rows)
    return np.array(run), np.array(case), np.array(variant), logits, flags, np.array(lines)


def _case(reading: _Reading, line: int, row: list[str]) -> int:
    """The place of a row's case; what is said of a case must be the same in every row."""
    start = reading.layout.first_attribute
    end = start + len(reading.layout.attributes)
    who = (row[1], row[2], *row[start:end])
    known = reading.cases.get(row[0])
    if known is not None:
        if known[1] != who:
            raise damaged(line, f"what other rows say of case {row[0][:40]}", "something else")
        return known[0]
    if not row[0]:
        raise damaged(line, "a case id", "an empty cell")
    if row[2] not in reading.classes:
        raise damaged(line, f"one of the labels {', '.join(reading.classes)}", f'"{row[2][:40]}"')
    reading.cases[row[0]] = len(reading.cases), who
    return len(reading.cases) - 1


def _logits(
    reading: _Reading, lines: Sequence[int], rows: Sequence[list[str]]
) -> npt.NDArray[np.float32]:
    where = reading.layout.logits
    found = np.empty((len(rows), where.stop - where.start))
    for place, (line, row) in enumerate(zip(lines, rows, strict=True)):
        try:
            found[place] = [float(cell) if cell else np.nan for cell in row[where]]
        except ValueError:
            raise damaged(line, "logits that are numbers", f"{row[where]!r:.60}") from None
    with np.errstate(over="ignore"):
        return found.astype(np.float32)


def _decisions_follow(
    reading: _Reading,
    lines: Sequence[int],
    rows: Sequence[list[str]],
    logits: npt.NDArray[np.float32],
) -> None:
    """`decided` and `log_odds` repeat what the logits say; a cell that was changed is noticed."""
    known = {**reading.classes, "": -1}
    said = np.array([known.get(row[7], -2) for row in rows])
    _first_wrong(lines, said != decide(logits, reading.decision), "decided")
    finite = np.asarray(np.isfinite(logits).all(axis=1))
    expected = margin(np.where(finite[:, None], logits, 0.0), reading.decision.positive)
    told = np.full(len(rows), np.nan)
    for place, (line, row) in enumerate(zip(lines, rows, strict=True)):
        try:
            told[place] = float(row[9]) if row[9] else np.nan
        except ValueError:
            raise damaged(line, "log_odds that is a number", f'"{row[9][:40]}"') from None
    far = np.abs(told - expected) > 1e-6 * (1 + np.abs(expected))
    _first_wrong(lines, finite & (far | np.isnan(told)), "log_odds")
    _first_wrong(lines, ~finite & ~np.isnan(told), "log_odds")


def _first_wrong(lines: Sequence[int], wrong: npt.NDArray[np.bool_], column: str) -> None:
    if wrong.any():
        line = lines[int(np.flatnonzero(wrong)[0])]
        raise damaged(line, f"{column} as the logits give it", "another value")


def _flags(first: int, lines: Sequence[int], rows: Sequence[list[str]]) -> npt.NDArray[np.int8]:
    found = np.empty((len(rows), 3), dtype=np.int8)
    for place, (line, row) in enumerate(zip(lines, rows, strict=True)):
        try:
            found[place] = [FLAG[cell] for cell in row[first : first + 3]]
        except KeyError as error:
            raise damaged(line, "1, 0 or nothing", f"{error.args[0]!r:.40}") from None
        if found[place, 0] < 0:
            raise damaged(line, "referred to be 1 or 0", "an empty cell")
    return found
