"""A Case: one image as acquired, with its label and attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt

from audit.results import DataDescription

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Case:
    """One image as acquired.

    `id`: hash of the decoded pixels (+ ordinal for exact duplicates): names nothing.
    `label`: class name as the data gives it. `patient`: P0001… or None.
    `attributes`: subgroup columns (view, sex, age_band, …), never a path, date or UID.
    `load()`: decoded pixels, float32 in [0, 1], (H, W) grey or (H, W, 3) colour.
    `boxes`: lesion boxes (xmin, ymin, xmax, ymax) in native pixels.
    `readings`: what readers called it, by column; never a subgroup.
    """

    id: str
    label: str
    load: Callable[[], Pixels] = field(repr=False, compare=False)
    patient: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    burned_in: bool | None = None
    readings: Mapping[str, str] = field(default_factory=dict)


class Cases(Sequence[Case]):
    """Cases in the order of their ids, with a description of how they were read."""

    def __init__(
        self,
        cases: Sequence[Case],
        description: DataDescription,
        paths: Mapping[str, str] | None = None,
        reading: str = "",
        people: Mapping[str, str] | None = None,
    ) -> None:
        """`paths`: case id or skipped case -> where it was read; only `private_csv` shows it.

        `reading`: equal where patients were numbered together, so that they compare. `people`:
        pixels (the first part of a case id) -> patient, of every image of that reading, so that
        an image of another reading is recognised; unless given, of these cases.
        """
        self._cases = sorted(cases, key=lambda case: case.id)
        self.description = description
        self._paths = dict(paths or {})
        self.reading = reading or description.sha256
        self.people = dict(people) if people is not None else _people(self._cases)

    def __len__(self) -> int:
        return len(self._cases)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> list[Case]: ...
    def __getitem__(self, index: int | slice) -> Case | list[Case]:
        return self._cases[index]

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases)

    @property
    def labels(self) -> tuple[str, ...]:
        """Distinct label names, sorted."""
        return tuple(sorted({case.label for case in self._cases}))

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that some case has, sorted."""
        return tuple(sorted({name for case in self._cases for name in case.attributes}))

    def by_id(self) -> dict[str, Case]:
        return {case.id: case for case in self._cases}


def _people(cases: Sequence[Case]) -> dict[str, str]:
    return {case.id.partition("-")[0]: case.patient for case in cases if case.patient is not None}
