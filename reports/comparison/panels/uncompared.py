"""Chapter 6: what could not be compared, grouped by why."""

from __future__ import annotations

from collections.abc import Sequence

from audit.compare.results import Difference
from reports.blocks import Block, Table, Text
from reports.comparison.material import ComparisonMaterial
from reports.comparison.panels.flips import level_name
from reports.language import N_, _, recorded
from reports.numbers import metric_name, stress_name

MOST = 30
NAMED = 6  # levels of one reason
SIDES = {"BASE": N_("Base"), "NEW": N_("New")}


def not_compared(material: ComparisonMaterial) -> Sequence[Block]:
    """Levels and numbers without a difference, a row per reason."""
    rows = [*_levels(material), *_numbers(material)]
    if not rows:
        return [Text(_("Every level of either audit was compared."))]
    note = ""
    if len(rows) > MOST:
        words = _("The first {n} of {total} reasons; all are in compare.json.")
        note = words.format(n=MOST, total=len(rows))
    columns = [_("What"), _("How many"), _("Why")]
    title = _("Not compared")
    return [Table(title, columns, rows[:MOST], note, frozenset({1}), (52, 10, 38))]


def _levels(material: ComparisonMaterial) -> list[list[str]]:
    reasons: dict[str, list[str]] = {}
    for level in material.found.levels:
        if level.reason:
            reasons.setdefault(level.reason, []).append(level_name(level))
    return [[_some(names), str(len(names)), reason_text(why)] for why, names in reasons.items()]


def _numbers(material: ComparisonMaterial) -> list[list[str]]:
    """Differences at compared levels that have no number."""
    missing: dict[str, list[Difference]] = {}
    for d in material.found.differences:
        if d.value is None:
            missing.setdefault(d.reason or "", []).append(d)
    return [
        [_some(_kinds(found)), str(len(found)), reason_text(why)] for why, found in missing.items()
    ]


def _kinds(found: Sequence[Difference]) -> list[str]:
    return [
        (_("{metric}, {stress}, by group") if d.group else _("{metric}, {stress}")).format(
            metric=metric_name(d.metric), stress=stress_name(d.stress)
        )
        for d in found
    ]


def _some(names: Sequence[str]) -> str:
    """The first few different names, and that there are more."""
    each = list(dict.fromkeys(names))
    return "; ".join(each[:NAMED]) + ("; …" if len(each) > NAMED else "")


def reason_text(reason: str) -> str:
    """Why, in the language spoken: "only in NEW", "in BASE: the run is failed"."""
    if not reason:
        return _("no reason recorded")
    for side, name in SIDES.items():
        start = f"in {side}: "
        if reason.startswith(start):
            told = recorded(reason.removeprefix(start))
            return _("in {side}: {reason}").format(side=_(name), reason=told)
        if reason == f"only in {side}":
            return _("only in {side}").format(side=_(name))
    return recorded(reason)
