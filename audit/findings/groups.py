"""Who is counted together: everyone, each value of each attribute, crossings of two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from audit.errors import HipauditError, did_you_mean
from audit.evidence import Subject

MOST_VALUES = 12
MOST_PAIRED = 4
CROSSED = "*"  # "view*sex": every value of one with every value of the other


@dataclass(frozen=True)
class Groups:
    """`names[g]` is {} for everyone, {attribute: value}, or of a crossing two of those; `members`
    (N, G) over all subjects.

    `pairs`: (group, reference) columns whose difference is of interest.
    """

    names: tuple[dict[str, str], ...]
    members: npt.NDArray[np.bool_]
    pairs: tuple[tuple[int, int], ...]


def make_groups(subjects: Sequence[Subject], wanted: Sequence[str] | None) -> Groups:
    """Groups of the wanted attributes and crossings; None means all attributes with 2 to 12
    distinct values, view first.

    A case without a value belongs to no group of that attribute; a crossing has the groups that
    occur. Raises HipauditError for an attribute that no case has.
    """
    values = values_of(subjects)
    names: list[dict[str, str]] = [{}]
    columns = [np.ones(len(subjects), dtype=bool)]
    pairs: list[tuple[int, int]] = []
    for chosen in _chosen(values, wanted):
        found = cells(subjects, chosen.split(CROSSED), values)
        pairs += _pairs([int(inside.sum()) for _, inside in found], len(names))
        names += [name for name, _ in found]
        columns += [inside for _, inside in found]
    return Groups(tuple(names), np.stack(columns, axis=1), tuple(pairs))


def cells(
    subjects: Sequence[Subject], attributes: Sequence[str], values: Mapping[str, Sequence[str]]
) -> list[tuple[dict[str, str], npt.NDArray[np.bool_]]]:
    """Each value of one attribute, or each combination of values of several that occurs."""
    texts = {a: np.array([s.attributes.get(a, "") for s in subjects]) for a in attributes}
    found = []
    for several in product(*(values[a] for a in attributes)):
        name = dict(zip(attributes, several, strict=True))
        inside = np.logical_and.reduce([texts[a] == value for a, value in name.items()])
        if inside.any():
            found.append((name, inside))
    return found


def eligible(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Attributes with 2 to 12 distinct values, view first."""
    known = [name for name, found in values.items() if 2 <= len(found) <= MOST_VALUES]
    return sorted(known, key=lambda name: (name != "view", name))


def values_of(subjects: Sequence[Subject]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for subject in subjects:
        for attribute, value in subject.attributes.items():
            if value:
                found.setdefault(attribute, set()).add(value)
    return {attribute: sorted(values) for attribute, values in found.items()}


def _chosen(values: dict[str, list[str]], wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        return eligible(values)
    check_subgroups(list(values), wanted)
    return list(dict.fromkeys(wanted))


def check_subgroups(known: Sequence[str], wanted: Sequence[str]) -> None:
    """HipauditError unless the data has every wanted attribute, alone or in a crossing of two;
    worth asking before a long run."""
    for text in wanted:
        names = text.split(CROSSED)
        if len(names) > 2 or len(set(names)) < len(names):
            raise HipauditError(
                "a subgroup attribute, or two of them crossed", f'"{text}"', 'Type e.g. "view*sex".'
            )
        for name in names:
            if name not in known:
                raise HipauditError(
                    "a subgroup attribute that the data has",
                    f'"{name}"',
                    did_you_mean(name, list(known)) or "The data has no attributes.",
                )


def _pairs(sizes: list[int], start: int) -> list[tuple[int, int]]:
    """Every pair of up to four values, else each against the largest; the larger is the reference.
    Crossings alike, so that a reader meets one rule.

    More values would give pairs by the dozen, of which some differ by chance.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    if len(sizes) <= MOST_PAIRED:
        return [(start + b, start + a) for a, b in combinations(order, 2)]
    return [(start + other, start + order[0]) for other in order[1:]]
