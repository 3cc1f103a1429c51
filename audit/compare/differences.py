"""NEW − BASE, case by case, at every level that both audits have: for everyone and by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.compare.pair import Pair
from audit.compare.results import Answer, Difference
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import finding, roc_of, with_value
from audit.findings.paired import rate_difference
from audit.findings.rates import CASES, Rate, rates
from audit.findings.view import Bools, View
from audit.metrics.auroc_difference import paired_difference, paired_p
from audit.metrics.multiplicity import holm
from audit.results import Finding

BASE = "base"
CLEAN = ("accuracy", "sensitivity", "specificity")
STRESSED = ("robust_accuracy", "robust_sensitivity", "robust_specificity")
LOWER_IS_BETTER = ("attack_success", "unseen_error_rate")
BOTH = "cases that both decide correctly without stress"


@dataclass(frozen=True)
class Twice:
    """One level as both audits saw it, on the cases that both sampled; same order."""

    base: View
    new: View


def twice(pair: Pair, base: View, new: View) -> Twice | None:
    """The two views on their common cases; None when they have none."""
    first, second = pair.of_base(base), pair.of_new(new)
    common = np.intersect1d(first.cases, second.cases)
    return Twice(first.only(common), second.only(common)) if len(common) else None


def differences(pair: Pair, level: Twice) -> Iterator[Difference]:
    """Every difference at one level, without Holm's adjustment."""
    frame = pair.frame
    found = list(_rates(pair, level))
    members = frame.groups.members[level.new.cases]
    for number, group in enumerate(frame.groups.names):
        inside = members[:, number]
        part = part_of(level, inside)
        if part is None:
            continue
        for new, base in found:
            yield rate_change(pair, part, cut(new, inside), cut(base, inside), group)
        if _ranked(level):
            yield auroc_change(pair, part, group)


def adjusted(found: Sequence[Difference]) -> list[Difference]:
    """The same with `family` and `p_holm`.

    Four families, so that the many tests under stress or in groups do not drown the few that are
    asked first: for everyone and by group, without stress and under it. A regression is half of a
    two-sided test, so that where nothing changed one of the four shows one in at most 10% of
    comparisons, and in fewer as their tests overlap.
    """
    out = list(found)
    families: dict[str, list[int]] = {}
    for at, difference in enumerate(found):
        if difference.p is not None:
            families.setdefault(family_of(difference), []).append(at)
    for family, members in families.items():
        for at, p in zip(members, holm([found[at].p or 0.0 for at in members]), strict=True):
            out[at] = out[at].model_copy(update={"family": family, "p_holm": p})
    return out


def family_of(difference: Finding) -> str:
    """Which differences it is adjusted with."""
    who = "by group" if difference.group else "everyone"
    return f"{who}, {'without stress' if difference.stress == 'clean' else 'under stress'}"


def _rates(pair: Pair, level: Twice) -> Iterator[tuple[Rate, Rate]]:
    """(of NEW, of BASE) with one denominator."""
    label = level.new.label
    wanted = CLEAN if label.kind == "clean" else STRESSED
    if label.defence not in ONLY_REFER:
        of_base = {rate.metric: rate for rate in rates(pair.frame.predictions, level.base)}
        for rate in rates(pair.frame.predictions, level.new):
            if rate.metric in wanted:
                yield rate, of_base[rate.metric]
        if level.new.fooled is not None and level.base.fooled is not None:
            yield _success(level.new, level), _success(level.base, level)
    if level.new.refers and level.base.refers:
        yield _unseen(level.new), _unseen(level.base)


def _success(view: View, level: Twice) -> Rate:
    """Attack success among the cases that both audits had to lose."""
    both = level.new.clean_correct & level.base.clean_correct
    assert view.fooled is not None  # noqa: S101  asked for by the caller
    return Rate("attack_success", view.fooled & both, both, both, BOTH)


def _unseen(view: View) -> Rate:
    everyone = np.ones(len(view.cases), dtype=bool)
    return Rate("unseen_error_rate", view.unseen, everyone, everyone, CASES)


def _ranked(level: Twice) -> bool:
    return not level.new.kept_only and level.new.label.defence not in ONLY_REFER


def part_of(level: Twice, inside: Bools) -> Twice | None:
    if inside.all():
        return level
    cases = level.new.cases[inside]
    return Twice(level.base.only(cases), level.new.only(cases)) if len(cases) else None


def cut(rate: Rate, inside: Bools) -> Rate:
    return replace(rate, part=rate.part[inside], whole=rate.whole[inside], needs=rate.needs[inside])


def rate_change(
    pair: Pair, part: Twice, new: Rate, base: Rate, group: dict[str, str]
) -> Difference:
    found = rate_difference(pair.frame, part.new, new, base, BASE)
    n = int(new.whole.sum())
    gained = int((new.part > base.part).sum())
    lost = int((base.part > new.part).sum())
    more: dict[str, object] = {"group": group, "gained": gained, "lost": lost}
    if found.value is not None:
        more |= {"base": float(base.part.sum()) / n, "new": float(new.part.sum()) / n}
    return _told(found, more)


def auroc_change(pair: Pair, part: Twice, group: dict[str, str]) -> Difference:
    frame, view = pair.frame, part.new
    assumed = not bool(frame.known[view.cases].all())
    start = finding("auroc", view.label, group, n=len(view.cases), independent=assumed)
    start = start.model_copy(update={"contrast": BASE})
    everyone = np.ones(len(view.cases), dtype=bool)
    one, two = (roc_of(frame, side, everyone) for side in (part.new, part.base))
    if isinstance(one, str) or isinstance(two, str):
        reason = one if isinstance(one, str) else two
        return _told(start.model_copy(update={"reason": reason}), {})
    found = with_value(start, one.area - two.area, paired_difference(one, two))
    return _told(found, {"base": two.area, "new": one.area, "p": paired_p(one, two)})


def _told(found: Finding, more: dict[str, object]) -> Difference:
    lower = found.metric in LOWER_IS_BETTER
    facts = {**found.model_dump(), **more, "lower_is_better": lower}
    return Difference.model_validate({**facts, "verdict": verdict(found, lower_is_better=lower)})


def verdict(found: Finding, *, lower_is_better: bool = False) -> Answer:
    """On which side of no difference the whole 95% interval lies.

    >>> verdict(Finding(metric="accuracy", value=-0.1, low=-0.2, high=-0.01))
    'worse'
    """
    if found.value is None or found.low is None or found.high is None:
        return "too few"
    if found.low <= 0 <= found.high:
        return "no difference shown"
    return "better" if (found.low > 0) != lower_is_better else "worse"
