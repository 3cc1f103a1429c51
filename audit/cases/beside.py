"""Class folders with a table beside them: attributes.csv or a manifest adds view, patient, …"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from audit.cases.listing import Listing
from audit.cases.manifest import PATHS, boxes_of
from audit.cases.table import Row, Table, read_table
from audit.errors import HipauditError
from audit.results import Note

NAMES = ("attributes.csv", "manifest.csv")
NOT_ATTRIBUTES = (*PATHS, "label", "boxes", "split", "synthetic", "burned_in")


def add_table_beside(listing: Listing, root: Path) -> Listing:
    """The listing of class folders in `root` with the cells of the first table that fits it.

    Looked for in `root` and in the folder above, paths relative to the table. A table inside
    must be in order; one above that is no table of these images is left alone.
    """
    for base in (root, root.parent):
        for name in NAMES:
            if not (base / name).is_file():
                continue
            try:
                table = read_table(base / name)
            except HipauditError:
                if base == root:
                    raise
                continue
            merged = _merge(listing, table, base)
            if merged is not None:
                return merged
    return listing


def _merge(listing: Listing, table: Table, base: Path) -> Listing | None:
    column = next((name for name in PATHS if name in table.columns), None)
    if column is None:
        return None
    rows = {str(PurePosixPath(row.cells[column].replace("\\", "/"))): row for row in table.rows}
    matched = [rows.get(entry.path.relative_to(base).as_posix()) for entry in listing.entries]
    known = [(e, row) for e, row in zip(listing.entries, matched, strict=True) if row]
    if not known:
        return None
    without = len(matched) - len(known)
    entries = tuple(
        entry if row is None else replace(entry, cells=row.cells, boxes=boxes_of(table, row))
        for entry, row in zip(listing.entries, matched, strict=True)
    )
    return Listing(
        layout=f"{listing.layout}, attributes from {table.name}",
        entries=entries,
        columns=tuple(name for name in table.columns if name not in NOT_ATTRIBUTES),
        notes=(*listing.notes, *_notes(table, [(e.label, r) for e, r in known], without)),
    )


def _notes(table: Table, known: list[tuple[str, Row]], without: int) -> list[Note]:
    notes = []
    if without:
        text = f"{without} images have no row in {table.name}; their attributes are unknown."
        notes.append(Note(code="attributes-missing", level="warning", text=text))
    if "label" in table.columns:
        differ = sum(row.cells["label"] not in ("", label) for label, row in known)
        if differ:
            text = f"{differ} labels in {table.name} differ from the class folder, which was used."
            notes.append(Note(code="labels-differ", level="warning", text=text))
    return notes
