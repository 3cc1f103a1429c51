"""Reading a table of cases (CSV) written by any spreadsheet: rows with their line numbers."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.errors import DamagedFile, HipauditError, did_you_mean

MAX_BYTES = 1 << 30
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its number in the file and its cells by normalised column name."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of cases. Column names are lower case with underscores."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def need(self, column: str, why: str) -> str:
        """The normalised name of a column that must be there."""
        wanted = plain_name(column)
        if wanted not in self.columns:
            raise HipauditError(
                f'a column "{column}" in {self.name} ({why})',
                "the columns " + ", ".join(self.columns[:12]),
                did_you_mean(wanted, list(self.columns)),
            )
        return wanted


def plain_name(text: str) -> str:
    """A column name as we use it.

    >>> plain_name("PatientID"), plain_name(" Study date "), plain_name("age_band")
    ('patient_id', 'study_date', 'age_band')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text.strip())
    return re.sub(r"[^0-9a-zA-Z\u00c0-\u024f]+", "_", spaced).strip("_").lower()


def read_table(path: Path) -> Table:
    """Read a CSV file: comma, semicolon or tab; UTF-8 with or without BOM, UTF-16, Windows-1252.

    Raises DamagedFile when it is no table, HipauditError with the line number when a row does
    not fit the header.
    """
    text = _text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[Row] = []
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = _header(cells, path.name)
                continue
            rows.append(Row(start, _fit(cells, header, start, path.name)))
    except csv.Error as error:
        raise DamagedFile(
            f"a CSV table in {path.name}", f"{error} at line {line}", "Save it as CSV again."
        ) from None
    if not rows:
        raise HipauditError(
            f"a header and rows in {path.name}", "no row", "Write path,label and a row per image."
        )
    return Table(path.name, tuple(header), tuple(rows))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DamagedFile(f"a table in {path.name}", "more than 1 GiB", "Split it.")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HipauditError(f"to read {path.name}", reason, "Check the file.") from None
    encoding = next((name for mark, name in BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\x00" in text:
        raise DamagedFile(
            f"a CSV table in {path.name}", "binary content", "Save it as CSV, not as a workbook."
        )
    return text


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _header(cells: list[str], name: str) -> list[str]:
    names = [plain_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    for column in names:
        if not column or names.count(column) > 1:
            found = f'"{column}" more than once' if column else "a column without a name"
            raise HipauditError(f"distinct column names in line 1 of {name}", found, "Rename it.")
    return names


def _fit(cells: list[str], header: list[str], line: int, name: str) -> dict[str, str]:
    values = [cell.strip() for cell in cells]
    if any(values[len(header) :]):
        raise HipauditError(
            f"{len(header)} cells in line {line} of {name}",
            f"{len(values)}",
            "Quote cells that contain the separator.",
        )
    values += [""] * (len(header) - len(values))
    return dict(zip(header, values, strict=False))
