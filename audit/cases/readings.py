"""What readers called each image: columns beside the label, kept apart from the subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from audit.cases.table import plain_name
from audit.errors import HipauditError, did_you_mean


class Labelled(Protocol):
    """A decoded image with its label and its row of a table."""

    @property
    def label(self) -> str: ...
    @property
    def cells(self) -> Mapping[str, str]: ...


def readings_of(
    images: Sequence[Labelled], columns: Sequence[str], readers: Sequence[str]
) -> list[dict[str, str]]:
    """Per image: reader -> label, without those who did not read it.

    Upper and lower case are the same word. Raises HipauditError for a column that is not there,
    and for a reading that is none of the labels: its text may name a person and is not shown.
    """
    names = [plain_name(reader) for reader in readers]
    for reader, name in zip(readers, names, strict=True):
        if name not in columns:
            raise HipauditError(
                "a column of readings that the data has",
                f'"{reader}"',
                did_you_mean(name, list(columns)) or "Name the columns of both readers.",
            )
    labels = {image.label.casefold(): image.label for image in images}
    found = []
    for image in images:
        said = {name: image.cells.get(name, "") for name in names}
        found.append({name: labels.get(text.casefold(), "") for name, text in said.items() if text})
    strange = sum(not label for read in found for label in read.values())
    if strange:
        raise HipauditError(
            f"readings in the words of the labels ({', '.join(sorted(labels.values())[:8])})",
            f"{strange} in other words",
            "Write each reading as a label; leave the cell empty where there is none.",
        )
    return found
