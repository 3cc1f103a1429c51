"""Chapter 2: where the change lies, by subgroup."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Figure, Table, Text
from reports.comparison.figures import forest
from reports.comparison.material import ComparisonMaterial
from reports.comparison.words import change_cell
from reports.language import N_, _
from reports.material import EVERYONE
from reports.numbers import group_name, listed, metric_name, sentence

METRICS = ("sensitivity", "specificity", "auroc")
MOST = 40  # groups
OF_A_PAGE = 20  # rows of one picture
NAMED = 12  # groups in an alternative text
READ = N_(
    "Points (AUROC: its own unit) with the 95% CI below. Bold: the interval lies off 0; "
    "*: p below .05 after Holm's adjustment over all groups too. Too few: under 10 to count by."
)


def by_group(material: ComparisonMaterial) -> Sequence[Block]:
    """A forest of differences by group, and its numbers."""
    if not material.groups:
        return [Text(_("No subgroup: no attribute with 2 to 12 values is known of these cases."))]
    kept = [EVERYONE, *_largest(material)]
    pictures = [
        _picture(material, kept[at : at + OF_A_PAGE]) for at in range(0, len(kept), OF_A_PAGE)
    ]
    rows: list[list[str | Cell]] = [
        [
            group_name(group),
            _cases(material, group),
            *(change_cell(material.clean(metric, group)) for metric in METRICS),
        ]
        for group in kept
    ]
    columns = [_("Subgroup"), _("Cases"), *(sentence(metric_name(metric)) for metric in METRICS)]
    caption = _("New − Base by subgroup, without stress")
    note = " ".join([_(READ), *_left_out(material, len(kept) - 1), *_spread(material)])
    table = Table(caption, columns, rows, note, frozenset({1, 2, 3, 4}), (34, 9, 19, 19, 19))
    return [*pictures, table]


def _largest(material: ComparisonMaterial) -> list[dict[str, str]]:
    """All groups in their order, or the ones with the most cases."""
    groups = material.groups
    if len(groups) <= MOST:
        return groups
    sizes = sorted((_n(material, group) for group in groups), reverse=True)
    return [group for group in groups if _n(material, group) >= sizes[MOST - 1]][:MOST]


def _n(material: ComparisonMaterial, group: dict[str, str]) -> int:
    found = material.clean("accuracy", group) or material.clean("auroc", group)
    return found.n if found else 0


def _cases(material: ComparisonMaterial, group: dict[str, str]) -> str:
    return str(_n(material, group)) if _n(material, group) else "–"


def _left_out(material: ComparisonMaterial, kept: int) -> list[str]:
    total = len(material.groups)
    if kept == total:
        return []
    words = _("The {n} groups with the most cases; all {total} are in compare.json.")
    return [words.format(n=kept, total=total)]


def _spread(material: ComparisonMaterial) -> list[str]:
    """How many of the many differences lie off 0, which some do by chance."""
    tested = [d for d in material.tested if d.group and d.stress == "clean"]
    if not tested:
        return []
    off = sum(d.verdict in ("worse", "better") for d in tested)
    held = sum(d.shown and d.verdict in ("worse", "better") for d in tested)
    words = _(
        "Of {n} differences in groups {off} have an interval off 0, {held} also after Holm's "
        "adjustment; some lie off 0 by chance."
    )
    return [words.format(n=len(tested), off=off, held=held)]


def _picture(material: ComparisonMaterial, groups: Sequence[dict[str, str]]) -> Figure:
    names = [group_name(group) for group in groups]
    panes = {metric: [material.clean(metric, group) for group in groups] for metric in METRICS}
    caption = _(
        "New − Base by subgroup with 95% CI, on the same cases. Filled: holds after Holm's "
        "adjustment. It shows where the two models differ, not why."
    )
    alt = _(
        "Forest plot of the difference in {metrics} for {groups}; the numbers are in the table "
        "below."
    ).format(
        metrics=listed([metric_name(metric) for metric in METRICS]),
        groups=", ".join(name[:60] for name in names[:NAMED]),
    )
    return Figure(forest(names, panes, caption), alt, caption)
