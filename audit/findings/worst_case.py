"""The worst case over attacks: a case is kept only when no attack that examined it fooled it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from audit.findings.view import Bools, Gap, Label, View
from audit.results import Scalar

STRESS = "worst_case"
EVERY_CASE = "every case"
NO_COMMON = "no case was examined by every attack"


def worst_cases(views: Sequence[View | Gap]) -> Iterator[View | Gap]:
    """Per defence: over the linf attacks at each ε, then over all attacks whatever their norm.

    Counted on the cases that every included attack examined. Where samples differ there is a
    second view, variant "every case": only the attacks that examined all cases any did.
    """
    by_defence: dict[str, list[View]] = defaultdict(list)
    for view in views:
        if isinstance(view, View) and view.fooled is not None and not view.everyone_only:
            by_defence[view.label.defence].append(view)
    for defence, attacks in by_defence.items():
        by_epsilon: dict[float, list[View]] = defaultdict(list)
        for view in attacks:
            epsilon = view.label.params.get("epsilon")
            if view.label.norm == "linf" and isinstance(epsilon, float):
                by_epsilon[epsilon].append(view)
        for epsilon in sorted(by_epsilon):
            params: dict[str, Scalar] = {"norm": "linf", "epsilon": epsilon}
            yield from _combined(by_epsilon[epsilon], defence, params)
        yield from _combined(attacks, defence, {"norm": "any"})


def _combined(
    attacks: Sequence[View], defence: str, params: dict[str, Scalar]
) -> Iterator[View | Gap]:
    label = Label(STRESS, defence, "attack", params)
    yield _on_common_cases(attacks, label)
    most = max(len(view.cases) for view in attacks)
    widest = [view for view in attacks if len(view.cases) == most]
    if len(widest) < len(attacks):
        yield _on_common_cases(widest, replace(label, variant=EVERY_CASE))


def _on_common_cases(attacks: Sequence[View], label: Label) -> View | Gap:
    names = ", ".join(sorted({_named(view.label) for view in attacks}))
    label = replace(label, params={**label.params, "attacks": names})
    common = reduce(np.intersect1d, [view.cases for view in attacks])
    if not len(common):
        return Gap(label, NO_COMMON)
    parts = [view.only(common) for view in attacks]
    kept = np.logical_and.reduce([part.kept for part in parts])
    return replace(
        parts[0],
        label=label,
        kept=kept,
        fooled=parts[0].clean_correct & ~kept,
        fooled_8bit=_any_survives(parts),
        unseen=np.logical_or.reduce([part.unseen for part in parts]),
        surely_wrong=np.maximum.reduce([part.surely_wrong for part in parts]),
        kept_only=True,
    )


def _named(label: Label) -> str:
    """As in the ids of runs: "pgd", or "pgd~undefended" where made on another model."""
    made_on = label.params.get("surrogate", "")
    return f"{label.stress}~{made_on}" if made_on else label.stress


def _any_survives(parts: Sequence[View]) -> Bools | None:
    known = [part.fooled_8bit for part in parts if part.fooled_8bit is not None]
    return np.logical_or.reduce(known) if len(known) == len(parts) else None
