"""Patients shared out over parts, so that each part has the labels and views of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from audit.cases.case import Case
from audit.draws import ranked
from trainers.overlap import together


def allot(cases: Sequence[Case], shares: Sequence[float], seed: int) -> list[list[Case]]:
    """The cases in as many parts as there are shares, patients (and identical images) whole.

    Patients are taken in a seeded order, stratum by stratum (the set of a patient's labels,
    then of its views); each goes where most images of its labels are still owed. A stratum is
    therefore split in the shares asked for, to within a patient or two.
    """
    groups = together(cases)
    strata: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for name, members in groups.items():
        views = {case.attributes.get("view", "") for case in members}
        strata[tuple(sorted({c.label for c in members})), tuple(sorted(views))].append(name)
    parts: list[list[Case]] = [[] for _ in shares]
    held: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0] * len(shares))
    for (labels, _), names in sorted(strata.items()):
        have = held[labels]
        for name in ranked(seed, names, "splits"):
            members = groups[name]
            total = sum(have) + len(members)
            owed = [share * total - had for share, had in zip(shares, have, strict=True)]
            place = owed.index(max(owed))
            have[place] += len(members)
            parts[place] += members
    return parts
