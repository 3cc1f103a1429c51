"""Who is counted together: everyone, and each value of each declared attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from audit.errors import HipauditError, did_you_mean
from audit.evidence import Subject

MOST_VALUES = 12
MOST_PAIRED = 4


@dataclass(frozen=True)
class Groups:
    """`names[g]` is {} for everyone or {attribute: value}; `members` (N, G) over all subjects.

    `pairs`: (group, reference) columns whose difference is of interest.
    """

    names: tuple[dict[str, str], ...]
    members: npt.NDArray[np.bool_]
    pairs: tuple[tuple[int, int], ...]


def make_groups(subjects: Sequence[Subject], wanted: Sequence[str] | None) -> Groups:
    """Groups of the wanted attributes; None means all with 2 to 12 distinct values, view first.

    A case without a value belongs to no group of that attribute. Raises HipauditError for an
    attribute that no case has.
    """
    values = _values(subjects)
    names: list[dict[str, str]] = [{}]
    columns = [np.ones(len(subjects), dtype=bool)]
    pairs: list[tuple[int, int]] = []
    for attribute in _chosen(values, wanted):
        texts = np.array([s.attributes.get(attribute, "") for s in subjects])
        start = len(names)
        for value in values[attribute]:
            names.append({attribute: value})
            columns.append(texts == value)
        pairs += _pairs([int(c.sum()) for c in columns[start:]], start)
    return Groups(tuple(names), np.stack(columns, axis=1), tuple(pairs))


def _values(subjects: Sequence[Subject]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for subject in subjects:
        for attribute, value in subject.attributes.items():
            if value:
                found.setdefault(attribute, set()).add(value)
    return {attribute: sorted(values) for attribute, values in found.items()}


def _chosen(values: dict[str, list[str]], wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        known = [name for name, found in values.items() if 2 <= len(found) <= MOST_VALUES]
        return sorted(known, key=lambda name: (name != "view", name))
    check_subgroups(list(values), wanted)
    return list(dict.fromkeys(wanted))


def check_subgroups(known: Sequence[str], wanted: Sequence[str]) -> None:
    """HipauditError unless the data has every wanted attribute; worth asking before a long run."""
    for name in wanted:
        if name not in known:
            raise HipauditError(
                "a subgroup attribute that the data has",
                f'"{name}"',
                did_you_mean(name, list(known)) or "The data has no attributes.",
            )


def _pairs(sizes: list[int], start: int) -> list[tuple[int, int]]:
    """Every pair of up to four values, else each against the largest; the larger is the reference.

    More values would give pairs by the dozen, of which some differ by chance.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    if len(sizes) <= MOST_PAIRED:
        return [(start + b, start + a) for a, b in combinations(order, 2)]
    return [(start + other, start + order[0]) for other in order[1:]]
