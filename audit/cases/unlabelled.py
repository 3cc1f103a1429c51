"""Images that need no label: every one below a folder, for what converts and does not audit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from audit.cases.beside import add_table_beside
from audit.cases.folders import INSIDE, TABLES, image_files, list_path
from audit.cases.listing import Entry, Listing, no_layout
from audit.cases.manifest import FindByUid
from audit.cases.options import DataOptions
from audit.cases.split import PREFERRED, TRAINING
from audit.cases.table import plain_name
from audit.errors import HipauditError
from audit.results import Note

SPLITS = (*PREFERRED, *TRAINING)


def list_any(path: Path, options: DataOptions, by_uid: FindByUid) -> Listing:
    """A table where there is one, else every image below the folder.

    The name of a folder may be a patient's. It is taken as a label only where it is one of
    `options.folder_labels`, and as a split only where it is a usual word for one.
    """
    if path.is_file() or options.labels is not None or _has_table(path):
        return list_path(path, options, by_uid)
    if not path.is_dir():
        raise no_layout(f"no file or folder named {path.name}", "Check the spelling.")
    if options.every_split and any(_has_table(part) for part in _split_folders(path)):
        return list_path(path, options, by_uid)
    files, others = image_files(path)
    if not files:
        raise no_layout(f"a folder without images and {others} other files")
    tables = sum(1 for file in path.iterdir() if file.suffix.lower() in TABLES)
    words = {_plain(word) for word in options.folder_labels}
    entries = tuple(_entry(number, file, path, words) for number, file in enumerate(files, start=1))
    if options.split is not None:
        entries = tuple(entry for entry in entries if entry.split == options.split)
        if not entries:
            raise HipauditError(
                f'images in a folder "{options.split}"', "none", "Leave --split out to read all."
            )
    listing = Listing("images below a folder", entries, (), tuple(_notes(entries, others - tables)))
    told = add_table_beside(listing, path)
    column = plain_name(options.label_column)
    filled = (replace(e, label=e.label or e.cells.get(column, "")) for e in told.entries)
    return replace(told, entries=tuple(filled))


def _entry(number: int, file: Path, root: Path, words: set[str]) -> Entry:
    folders = file.relative_to(root).parts[:-1]
    labels = [folder for folder in folders if _plain(folder) in words]
    splits = [folder for folder in folders[:1] if folder.lower() in SPLITS]
    return Entry(
        where=f"file {number}",
        path=file,
        label=labels[-1] if labels else "",
        split="".join(splits),
    )


def _notes(entries: tuple[Entry, ...], others: int) -> list[Note]:
    notes = []
    without = sum(not entry.label for entry in entries)
    if without:
        text = f"{without} of {len(entries)} images lie in no folder whose name is a known label."
        notes.append(Note(code="unlabelled", level="info", text=text))
    if others > 0:
        text = f"{others} files that are no images were not read."
        notes.append(Note(code="other-files", level="info", text=text))
    return notes


def _has_table(folder: Path) -> bool:
    return any((folder / name).is_file() for name in INSIDE)


def _split_folders(path: Path) -> list[Path]:
    return [part for part in path.iterdir() if part.is_dir() and part.name.lower() in SPLITS]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
