"""What a layout yields before anything is decoded: entries, and how they were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit.errors import HipauditError
from audit.results import Note

Box = tuple[float, float, float, float]
LAYOUTS = (
    "radiographs (PNG, JPEG or DICOM) as a CSV manifest with columns path,label; a folder with "
    "manifest.csv; val|valid|test/<class>/ folders; class folders; or a folder with labels.csv"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One image to be read. `where` ("row 17", "file 17") is how it is called when skipped.

    `refusal` says why it will not be opened at all. `cells` are the columns that came with it.
    `place` is how the table calls it, for the private list; never shown. `split`: its part of
    a split data set.
    """

    where: str
    path: Path = field(repr=False)
    label: str
    cells: Mapping[str, str] = field(default_factory=dict, repr=False)
    boxes: tuple[Box, ...] = ()
    refusal: str = ""
    place: str = field(default="", repr=False)
    split: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """All entries of a data set in reading order. `columns`: those that may become subgroups."""

    layout: str
    entries: tuple[Entry, ...]
    columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def no_layout(found: str, fix: str = "") -> HipauditError:
    """The error for anything that is not one of the accepted layouts."""
    return HipauditError(LAYOUTS, found, fix or "Give a folder or manifest laid out like that.")
