"""Who is in a set of phantoms: patients, their split and label, and how they are looked at.

Counts and planted shortcuts are met exactly, by quota in a seeded order, not on average.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from audit.draws import generator, ranked
from trainers.phantom.spec import PhantomSpec

Position = Literal["AP", "LL"]
BOTH: tuple[Position, ...] = ("AP", "LL")


@dataclass(frozen=True, slots=True)
class Person:
    """A patient of the set. `wrong`: the written label is not the truth. `marked`: per image."""

    number: int
    split: str
    fractured: bool
    positions: tuple[Position, ...] = BOTH
    marked: tuple[bool, ...] = (True, True)
    first_scanner: bool = True
    old: bool = False
    wrong: bool = False

    @property
    def images(self) -> int:
        return len(self.positions)


def people_of(spec: PhantomSpec) -> list[Person]:
    """Everyone in the set, by number; numbers tell nothing about labels."""
    found: list[Person] = []
    for split, count in spec.counts.items():
        broken = round(spec.prevalence(split) * count)
        sizes = [(True, n) for n in _sizes(spec, f"{split} fracture", broken)]
        sizes += [(False, n) for n in _sizes(spec, f"{split} normal", count - broken)]
        order = ranked(spec.seed, [str(i) for i in range(len(sizes))], f"order {split}")
        start = len(found) + 1
        found += [
            Person(start + at, split, sizes[int(name)][0], BOTH[:1] * sizes[int(name)][1])
            for at, name in enumerate(order)
        ]
    return endowed(spec, found)


def _sizes(spec: PhantomSpec, purpose: str, count: int) -> list[int]:
    """Radiographs of each patient, `count` in all."""
    draw = generator(spec.seed, purpose, "images per patient")
    chances = spec.images_per_patient
    sizes: list[int] = []
    while (left := count - sum(sizes)) > 0:
        sizes.append(min(left, 1 + int(draw.choice(len(chances), p=chances))))
    return sizes


def endowed(spec: PhantomSpec, people: Sequence[Person], views: bool = True) -> list[Person]:
    """The people with scanner, age, views, markers and wrong labels, by quota in each split.

    `views`: assign positions by the specification's share; else they stay as they are.
    """
    found: list[Person] = []
    for split in dict.fromkeys(person.split for person in people):
        for fractured in (True, False):
            group = [p for p in people if p.split == split and p.fractured is fractured]
            if group:
                found += _endow(spec, split, group, views)
    return sorted(found, key=lambda person: person.number)


def _endow(spec: PhantomSpec, split: str, group: list[Person], views: bool) -> list[Person]:
    fractured = group[0].fractured

    def chosen(feature: str, share: float) -> set[str]:
        wanted = feature_share(spec, feature, share, split, fractured)
        return _quota(spec.seed, f"{feature} {split} {fractured}", weights, wanted)

    if views:
        share = feature_share(spec, "view", spec.frontal, split, fractured)
        group = _with_views(spec.seed, group, share)
    weights = {str(person.number): person.images for person in group}
    first = chosen("scanner", spec.first_scanner)
    old = chosen("age", spec.old)
    total = sum(weights.values())
    prevalence = spec.prevalence(split)
    share = spec.label_noise / 2 / (prevalence if fractured else 1 - prevalence)
    wrong = _quota(spec.seed, f"wrong {split} {fractured}", weights, min(1.0, share))
    each = {f"{p.number} {k}": 1 for p in group for k in range(p.images)}
    share = feature_share(spec, "marker", spec.marker, split, fractured)
    marked = _quota(spec.seed, f"marker {split} {fractured}", each, share)
    assert total == len(each)  # noqa: S101  the quotas count radiographs
    return [
        replace(
            person,
            first_scanner=str(person.number) in first,
            old=str(person.number) in old,
            wrong=str(person.number) in wrong,
            marked=tuple(f"{person.number} {k}" in marked for k in range(person.images)),
        )
        for person in group
    ]


def feature_share(
    spec: PhantomSpec, feature: str, share: float, split: str, fractured: bool
) -> float:
    """P(feature | truth) so that the two differ by the planted strength.

    >>> spec = PhantomSpec(shortcuts={"marker": 0.6})
    >>> shares = [feature_share(spec, "marker", 0.5, "train", truth) for truth in (True, False)]
    >>> round(shares[0] - shares[1], 6)
    0.6
    """
    planted = split in spec.shortcut_splits
    strength = spec.shortcuts.get(feature, 0.0) if planted else 0.0
    p = spec.prevalence(split)
    low = max(strength * p, -strength * (1 - p))
    high = min(1 - strength * (1 - p), 1 + strength * p)
    share = min(max(share, low), high)
    return share + strength * (1 - p) if fractured else share - strength * p


def _quota(seed: int, purpose: str, weights: Mapping[str, int], share: float) -> set[str]:
    """Names, in a seeded order, whose weights add up to `share` of all, as nearly as they can."""
    room = round(share * sum(weights.values()))
    chosen: set[str] = set()
    for name in ranked(seed, list(weights), purpose):
        if weights[name] <= room:
            chosen.add(name)
            room -= weights[name]
    return chosen


def _with_views(seed: int, group: list[Person], frontal: float) -> list[Person]:
    """Views alternate within a patient; as few as needed are then turned to meet the share."""
    positions: dict[str, Position] = {}
    for person in group:
        start = int(generator(seed, f"patient {person.number}", "first view").integers(2))
        for k in range(person.images):
            positions[f"{person.number} {k}"] = BOTH[(start + k) % 2]
    excess = Counter(positions.values())["AP"] - round(frontal * len(positions))
    turned: Position = "LL" if excess > 0 else "AP"
    for name in ranked(seed, list(positions), f"views {group[0].split}"):
        if excess and positions[name] != turned:
            positions[name] = turned
            excess += -1 if excess > 0 else 1
    return [
        replace(p, positions=tuple(positions[f"{p.number} {k}"] for k in range(p.images)))
        for p in group
    ]
