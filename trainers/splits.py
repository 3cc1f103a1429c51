"""Seeded splits that keep a patient on one side and both labels on both."""

from __future__ import annotations

from collections import Counter, defaultdict

from audit.cases.case import Case, Cases
from audit.draws import ranked
from audit.errors import HipauditError


def carve(cases: Cases, fraction: float, *, seed: int = 0) -> tuple[Cases, Cases]:
    """(rest, part) with about `fraction` of the patients of each label in `part`.

    A case without a patient counts as a patient of its own. Stratified by the set of labels
    a patient has; the order is `audit.draws.ranked`, so it depends on the seed and the ids only.
    """
    if not 0 < fraction < 1:
        raise HipauditError("a fraction between 0 and 1", f"{fraction}")
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.patient or f"case {case.id}"].append(case)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, members in groups.items():
        strata[tuple(sorted({case.label for case in members}))].append(name)
    taken: set[str] = set()
    for names in strata.values():
        order = ranked(seed, names, "carve")
        taken.update(order[: round(len(order) * fraction)])
    part = [case for name in taken for case in groups[name]]
    rest = [case for name, members in groups.items() if name not in taken for case in members]
    if not part or not rest:
        raise HipauditError(
            "enough patients for two splits", f"{len(groups)}", "Use more images or another share."
        )
    return _some(cases, rest), _some(cases, part)


def _some(cases: Cases, kept: list[Case]) -> Cases:
    patients = {case.patient for case in kept if case.patient}
    described = cases.description.model_copy(
        update={
            "cases": len(kept),
            "labels": dict(sorted(Counter(case.label for case in kept).items())),
            "patients": len(patients) or None,
        }
    )
    return Cases(kept, described)
