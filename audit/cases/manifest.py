"""Tables of cases: a manifest (path, label, …) or labels for a folder of DICOM files."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from audit.cases.listing import Box, Entry, Listing
from audit.cases.options import DataOptions
from audit.cases.split import choose_split
from audit.cases.table import Row, Table, plain_name
from audit.errors import HipauditError
from audit.results import Note

PATHS = ("path", "file", "filename", "image", "image_path", "file_path")
UIDS = ("sop_instance_uid", "sopinstanceuid", "sop_uid", "instance_uid", "uid")
FindByUid = Callable[[], Mapping[str, Path]]


def list_table(
    table: Table, root: Path, options: DataOptions, layout: str, by_uid: FindByUid | None = None
) -> Listing:
    """Entries of a table whose paths are relative to `root`, or whose UIDs `by_uid` knows.

    Raises HipauditError with line numbers for missing columns, empty labels, rows that name
    the same file twice and boxes that are no boxes.
    """
    column = next((name for name in PATHS if name in table.columns), "")
    uid = "" if column else next((name for name in UIDS if name in table.columns), "")
    if not (column or (uid and by_uid)):
        table.need("path", "the image file of each row")
    label = _label_column(table, options)
    rows, notes = _of_split(table, root, options)
    without = [row for row in rows if options.need_labels and not row.cells[label]]
    _refuse_lines(table, "a label in every row", "no label", without)
    home = root.resolve()
    known = by_uid() if uid and by_uid else {}

    def locate(row: Row) -> tuple[Path, str]:
        if column:
            return _inside(home, row.cells[column])
        found = known.get(row.cells[uid])
        return (found, "") if found else (root, "no file with this SOPInstanceUID")

    entries = [
        Entry(
            where=f"row {row.line}",
            path=path,
            label=row.cells.get(label, ""),
            cells=row.cells,
            boxes=boxes_of(table, row),
            refusal=refusal,
            place=row.cells[column or uid] if refusal else "",
            split=row.cells.get("split", ""),
        )
        for row in rows
        for path, refusal in [locate(row)]
    ]
    _refuse_duplicates(table, rows, entries)
    used = {column, uid, label, "boxes", "split", "synthetic", "burned_in"}
    return Listing(
        layout=f"{layout}, keyed by {'path' if column else 'SOPInstanceUID'}",
        entries=tuple(entries),
        columns=tuple(name for name in table.columns if name not in used),
        notes=tuple(notes),
    )


def _label_column(table: Table, options: DataOptions) -> str:
    if not options.need_labels and plain_name(options.label_column) not in table.columns:
        return ""
    return table.need(options.label_column, "the class of each row")


def _of_split(table: Table, root: Path, options: DataOptions) -> tuple[list[Row], list[Note]]:
    if "split" not in table.columns:
        if options.split and options.split != root.name:
            table.need("split", f'to read only "{options.split}"')
        return list(table.rows), []
    if options.every_split:
        return list(table.rows), []
    chosen, notes = choose_split({row.cells["split"] for row in table.rows}, options.split)
    return [row for row in table.rows if row.cells["split"] == chosen], notes


def _inside(root: Path, text: str) -> tuple[Path, str]:
    """A path of a table as a file inside `root` (resolved), and why it is refused."""
    pure = PurePosixPath(text.replace("\\", "/"))
    path = root / pure
    if not text:
        return path, "no path"
    if pure.is_absolute() or ":" in pure.parts[0]:
        return root, "absolute path refused"
    if ".." in pure.parts:
        return root, "path with .. refused"
    try:
        if not path.resolve().is_relative_to(root):
            return root, "link that leads outside the folder refused"
        return path, "" if path.is_file() else "no such file"
    except (OSError, ValueError, RuntimeError):
        return root, "path cannot be followed"


def boxes_of(table: Table, row: Row) -> tuple[Box, ...]:
    """ "xmin ymin xmax ymax;…" in native pixels."""
    found: list[Box] = []
    for text in filter(str.strip, row.cells.get("boxes", "").split(";")):
        try:
            xmin, ymin, xmax, ymax = (float(part) for part in text.split())
        except ValueError:
            xmin = ymin = xmax = ymax = math.nan
        if not (0 <= xmin < xmax < math.inf and 0 <= ymin < ymax < math.inf):
            raise HipauditError(
                f'boxes as "xmin ymin xmax ymax;…" in line {row.line} of {table.name}',
                "something else",
                "Write pixels, smallest corner first.",
            )
        found.append((xmin, ymin, xmax, ymax))
    return tuple(found)


def _refuse_duplicates(table: Table, rows: list[Row], entries: list[Entry]) -> None:
    first: dict[Path, Row] = {}
    again: list[Row] = []
    for row, entry in zip(rows, entries, strict=True):
        if entry.refusal:
            continue
        place = entry.path.resolve()
        if place in first:
            again += [first[place], row]
        first.setdefault(place, row)
    _refuse_lines(table, "each image in one row", "the same image more than once", again)


def _refuse_lines(table: Table, expected: str, found: str, rows: list[Row]) -> None:
    if not rows:
        return
    lines = sorted({row.line for row in rows})
    shown = ", ".join(map(str, lines[:8])) + (", …" if len(lines) > 8 else "")
    word = "line" if len(lines) == 1 else "lines"
    raise HipauditError(f"{expected} of {table.name}", f"{found} ({word} {shown})", "Mend it.")
