"""Folders of radiographs: split folders, class folders, folders with a table inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from audit.cases.beside import add_table_beside
from audit.cases.decoding import is_dicom
from audit.cases.dicom_client import dicom_uid
from audit.cases.image import JPEG, PNG, Unreadable
from audit.cases.listing import Entry, Listing, no_layout
from audit.cases.manifest import FindByUid, list_table
from audit.cases.options import DataOptions
from audit.cases.private import writable
from audit.cases.split import PREFERRED, TRAINING, choose_split
from audit.cases.table import plain_name, read_table
from audit.errors import HipauditError
from audit.results import Note

MAX_CLASSES = 20
INSIDE = ("manifest.csv", "labels.csv")
TABLES = (".csv", ".tsv")
LOOKS_LIKE_IMAGE = (".png", ".jpg", ".jpeg", ".dcm", ".dicom", ".tif", ".tiff", ".bmp", ".webp")


def list_path(path: Path, options: DataOptions, by_uid: FindByUid) -> Listing:
    """Whatever `--data` names, as entries. Tried in this order: a manifest file, a table given
    as `labels`, manifest.csv inside, labels.csv inside, split folders, class folders.

    Raises HipauditError saying what was found when it is none of these.
    """
    if path.is_file():
        if path.suffix.lower() not in TABLES:
            raise no_layout(f"{path.name}, one file that is no .csv", "Give its folder.")
        return list_table(read_table(path), path.parent, options, "CSV manifest", by_uid)
    if not path.is_dir():
        raise no_layout(f"no file or folder named {path.name}", "Check the spelling of --data.")
    if options.labels is not None:
        if not options.labels.is_file():
            raise HipauditError(
                "a table of labels", f"no file named {options.labels.name}", "Check --labels."
            )
        table = read_table(options.labels)
        return _with_rest(list_table(table, path, options, "folder with labels", by_uid), path)
    for name in INSIDE:
        if (path / name).is_file():
            table = read_table(path / name)
            labelled = plain_name(options.label_column) in table.columns
            if labelled or not (options.need_labels and _folders(path)):
                listing = list_table(table, path, options, f"folder with {name}", by_uid)
                return listing if "split" in table.columns else _with_rest(listing, path)
    return _list_folders(path, options, by_uid)


def _with_rest(listing: Listing, folder: Path) -> Listing:
    """The listing, with a note when images lie in the folder that no row names."""
    named = {entry.path for entry in listing.entries}
    rest = sum(file not in named for file in image_files(folder)[0])
    if not rest:
        return listing
    text = f"{rest} images in the folder have no row in the table and were not read."
    note = Note(code="without-row", level="warning", text=text)
    return replace(listing, notes=(*listing.notes, note))


def _list_folders(path: Path, options: DataOptions, by_uid: FindByUid) -> Listing:
    folders = _folders(path)
    splits = [f.name for f in folders if f.name.lower() in (*PREFERRED, *TRAINING)]
    splits += [f.name for f in folders if f.name == options.split and f.name not in splits]
    notes: list[Note] = []
    root, layout = path, "class folders"
    if splits and options.every_split:
        return _every_split(path, splits, options, by_uid)
    if splits:
        chosen, notes = choose_split(splits, options.split)
        root, layout = path / chosen, f'split folder "{chosen}" with class folders'
        if any((root / name).is_file() for name in INSIDE):
            inner = list_path(root, options, by_uid)
            rest = [note for note in inner.notes if note.code != "split"]
            return replace(inner, notes=(*notes, *rest))
    elif options.split is not None:
        raise HipauditError(
            f'a folder "{options.split}"', "no such folder", "Leave --split out to read all."
        )
    found = [(folder, *image_files(folder)) for folder in _folders(root)]
    classes = [(folder, files) for folder, files, _ in found if files]
    if not classes:
        raise no_layout(_what_is_in(path))
    if len(classes) > MAX_CLASSES:
        raise no_layout(f"{len(classes)} folders with images, too many to be classes")
    others = sum(count for _, _, count in found)
    if others:
        text = f"{others} files that are no images were not read."
        notes.append(Note(code="other-files", level="info", text=text))
    entries = list(_entries(classes))
    return add_table_beside(Listing(layout, tuple(entries), (), tuple(notes)), root)


def _every_split(path: Path, names: list[str], options: DataOptions, by_uid: FindByUid) -> Listing:
    """All split folders as one listing, in which each entry knows its split."""
    parts = {
        name: list_path(path, replace(options, split=name, every_split=False), by_uid)
        for name in names
    }
    return Listing(
        layout="split folders " + ", ".join(f'"{name}"' for name in names),
        entries=tuple(
            # Rows and files are counted anew in each split.
            replace(entry, where=f"{name} {entry.where}", split=name)
            for name, part in parts.items()
            for entry in part.entries
        ),
        columns=tuple(dict.fromkeys(c for part in parts.values() for c in part.columns)),
        notes=tuple(dict.fromkeys(n for p in parts.values() for n in p.notes if n.code != "split")),
    )


def _entries(classes: list[tuple[Path, list[Path]]]) -> Iterator[Entry]:
    number = 0
    for folder, files in classes:
        for file in files:
            number += 1
            yield Entry(where=f"file {number}", path=file, label=writable(folder.name))


def image_files(folder: Path) -> tuple[list[Path], int]:
    """Files under `folder` that are images by content or claim to be by suffix, sorted by path,
    and how many others there are. Hidden and system folders are left out.
    """
    images: list[Path] = []
    others = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_system(name))
        for name in sorted(names):
            if _is_system(name) or name == "DICOMDIR":
                continue
            file = Path(place) / name
            if name.lower().endswith(LOOKS_LIKE_IMAGE) or _is_image(file):
                images.append(file)
            else:
                others += 1
    return images, others


def files_by_uid(root: Path) -> dict[str, Path]:
    """SOPInstanceUID -> DICOM file under `root`; the first by path where one occurs twice."""
    found: dict[str, Path] = {}
    for file in image_files(root)[0]:
        try:
            if is_dicom(file):
                found.setdefault(dicom_uid(file), file)
        except Unreadable:
            continue  # its row will say that no file has this UID
    found.pop("", None)
    return found


def _is_image(file: Path) -> bool:
    try:
        if not file.is_file():
            return False
        with file.open("rb") as stream:
            head = stream.read(132)
    except OSError:
        return False
    return head.startswith((PNG, JPEG)) or head[128:] == b"DICM"


def _is_system(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _folders(path: Path) -> list[Path]:
    return sorted(f for f in path.iterdir() if f.is_dir() and not _is_system(f.name))


def _what_is_in(path: Path) -> str:
    """Counts only: a folder's name may be a patient's."""
    images, others = image_files(path)
    tables = sum(1 for file in path.iterdir() if file.suffix.lower() in TABLES)
    folders = len(_folders(path))
    if not (images or others):
        return "an empty folder" if not folders else f"{folders} empty folders"
    return (
        f"a folder with {folders} subfolders, {len(images)} images, {tables} tables that are not "
        f"named manifest.csv or labels.csv, and {others - tables if others > tables else 0} "
        "other files"
    )
