"""How to read a set of cases: what the command line and `hipaudit.toml` may say about data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit.errors import HipauditError


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Options of `read_cases`; every default reads an ordinary folder.

    `labels`: a table of labels for a folder that has none inside, its paths relative to the
    folder. `label_column`, `view_column`: columns to use. `cluster_by`: the column that says
    which images belong together, None for none. `split`: which part to read when there are
    several. `max_skipped`: share of unreadable cases above which coverage is a fault.
    `every_split` reads all of them
    in one go and keeps the name as the attribute "split"; what trains needs that, since
    patients compare within one reading only.
    `need_labels` False also reads images without any, as what converts them does: a folder's
    name may be a patient's, so it is a label only where it is one of `folder_labels`.
    `reader_columns`: columns that hold what a reader called each image, in the words of the
    labels; empty where that reader did not read it. They are readings, never subgroups.
    `workers`: images decoded at a time. `strict_burned_in`: a DICOM image that does not say
    whether text is burned in counts as one that says so.
    """

    labels: Path | None = None
    label_column: str = "label"
    cluster_by: str | None = "patient_id"
    positive_class: str | None = None
    view_column: str = "view"
    split: str | None = None
    every_split: bool = False
    max_skipped: float = 0.05
    workers: int = 1
    strict_burned_in: bool = False
    need_labels: bool = True
    folder_labels: tuple[str, ...] = ()
    reader_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.max_skipped <= 1.0:
            raise HipauditError(
                "max_skipped between 0 and 1", f"{self.max_skipped}", "Use 0.05 for five per cent."
            )
        if self.workers < 1:
            raise HipauditError("at least one worker", f"{self.workers}", "Use --workers 1.")
