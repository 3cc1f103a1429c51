"""Section 6: every subgroup with its counts, and differences tested as differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.changes import beyond, change_cell
from reports.figures.forest import forest
from reports.language import _, ngettext
from reports.material import EVERYONE, Material
from reports.numbers import group_name, metric_name, sentence
from reports.p_values import p_text
from reports.panels.registry import panel

PER_FIGURE = 20
MOST_GROUPS = 60
MOST_ROWS = 30
DRAWN = ("sensitivity", "specificity")
METRICS = (*DRAWN, "auroc")
SEARCHED = "weak_slice"
Group = Mapping[str, str]


@panel("forest")
def forest_plot(material: Material) -> Sequence[Block]:
    groups = material.groups()[:MOST_GROUPS]
    if not groups:
        return []
    parts = -(-len(groups) // PER_FIGURE)
    size = -(-len(groups) // parts)  # as even as can be
    return [
        _figure(material, groups[start : start + size]) for start in range(0, len(groups), size)
    ]


def _figure(material: Material, groups: Sequence[dict[str, str]]) -> Figure:
    shown = [EVERYONE, *groups]
    panes = {
        sentence(metric_name(metric)): [material.clean(metric, group) for group in shown]
        for metric in DRAWN
    }
    names = [group_name(group) for group in shown]
    caption = _(
        "Sensitivity and specificity by subgroup, without stress, with 95% CI and k/n. Dotted "
        "line: all images. Whether two groups differ is tested below; intervals that overlap or "
        "do not overlap decide nothing."
    )
    alt = _("Forest plot of {n} groups: {names}. The numbers are in the table below.").format(
        n=len(groups), names=", ".join(name[:60] for name in names[1:])
    )
    return Figure(forest(names, panes, caption), alt, caption)


@panel("subgroup_table")
def subgroup_table(material: Material) -> Sequence[Block]:
    groups = material.groups()
    if not groups:
        words = _("The data carries no attribute with two or more values.")
        return [Text(words, _("No subgroup."))]
    rows: list[list[str | Cell]] = [
        [group_name(group), *(rate_cell(material.clean(metric, group)) for metric in METRICS)]
        for group in [EVERYONE, *groups[:MOST_GROUPS]]
    ]
    columns = [_("Subgroup"), *(sentence(metric_name(m)) for m in METRICS)]
    note = _(
        "95% CI · k/n below each value; below AUROC the positives of all images. † imprecise. Too "
        "few: under 10 to count by. Without stress, at the deployed threshold. Accuracy by group "
        "is in audit.json: it follows from these and the share of positives."
    )
    if len(groups) > MOST_GROUPS:
        note += " " + _("The first {n} groups; all {of} are in audit.json.").format(
            n=MOST_GROUPS, of=len(groups)
        )
    caption = _("Performance by subgroup")
    return [Table(caption, columns, rows, note, frozenset({1, 2, 3}), (34, 22, 22, 22))]


@panel("subgroup_differences")
def differences(material: Material) -> Sequence[Block]:
    """A row per pair of groups, a column per metric."""
    compared = [f for f in material.results.findings if f.contrast and f.group]
    tested = [f for f in compared if f.metric != SEARCHED]
    clean = [f for f in tested if f.stress == "clean" and f.defence == "none"]
    named = [f for f in clean if f.metric in METRICS]
    known = [f for f in named if f.value is not None]
    head = _("Differences between subgroups.")
    if not tested:
        return [Text(_("Not computed in this run."), head)]
    pairs: dict[tuple[str, str], dict[str, Finding]] = {}
    for f in named:
        pairs.setdefault((group_name(f.group), _reference(f)), {})[f.metric] = f
    told = {pair: found for pair, found in pairs.items() if any(f in known for f in found.values())}
    note = " ".join([*_tests(known, tested), *_left_out(pairs, told, tested, clean)])
    if not told:
        return [Text(note, head)]
    rows: list[list[str | Cell]] = [
        [
            _("{group} against {reference}").format(group=group, reference=reference),
            *(_difference(found.get(metric)) for metric in METRICS),
        ]
        for (group, reference), found in _largest_first(told)[:MOST_ROWS]
    ]
    columns = [_("Groups"), *(sentence(metric_name(m)) for m in METRICS)]
    caption = _("Differences between subgroups, in points (AUROC: as it is)")
    return [Table(caption, columns, rows, note, widths=(31, 23, 23, 23))]


def _largest_first(
    told: Mapping[tuple[str, str], Mapping[str, Finding]],
) -> list[tuple[tuple[str, str], Mapping[str, Finding]]]:
    """As the audit lists them; where that is too many, those with the smallest p."""
    if len(told) <= MOST_ROWS:
        return list(told.items())
    return sorted(told.items(), key=lambda item: min(_p(f) for f in item[1].values()))


def _p(f: Finding) -> float:
    known = [p for p in (f.p_holm, f.p) if p is not None]
    return known[0] if known else 2.0


def _difference(f: Finding | None) -> Cell:
    if f is None or f.p is None:
        return change_cell(f)
    return change_cell(f, _("p {p}, Holm {holm}").format(p=p_text(f.p), holm=p_text(f.p_holm)))


def _tests(known: Sequence[Finding], tested: Sequence[Finding]) -> list[str]:
    """How many tests stand behind the adjusted p-values."""
    families = {f.family for f in known if f.family}
    if not known:
        return []
    if not families:
        return [_("Many were looked at; some differ by chance. Not adjusted for that.")]
    tests = sum(f.family in families for f in tested)
    words = _(
        "95% CI, then p as it is and after Holm over its metric's tests ({tests} in all): {beyond} "
        "of these {n} differ beyond chance when that is allowed for (bold, Holm's p below .05)."
    )
    return [words.format(tests=tests, beyond=sum(map(beyond, known)), n=len(known))]


def _left_out(
    pairs: Mapping[tuple[str, str], object],
    told: Mapping[tuple[str, str], object],
    tested: Sequence[Finding],
    clean: Sequence[Finding],
) -> list[str]:
    """What the table does not hold, and why."""
    found = []
    few = len(pairs) - len(told)
    if few:
        words = ngettext(
            "{n} pair had too few cases for every metric.",
            "{n} pairs had too few cases for every metric.",
            few,
        )
        found.append(words.format(n=few))
    if len(told) > MOST_ROWS:
        words = _("The {n} pairs with the smallest p; all {of} are in audit.json.")
        found.append(words.format(n=MOST_ROWS, of=len(told)))
    more = len(tested) - len(clean)
    if more:
        words = _("{n} differences under stress or a defence are in audit.json.")
        found.append(words.format(n=more))
    return found


def _reference(f: Finding) -> str:
    return (f.contrast or "").replace("=", " ").replace("_", " ")


@panel("weak_slices")
def weak_slices(material: Material) -> Sequence[Block]:
    """Where a search over all slices found errors gathered; told in words where it did not."""
    found = [f for f in material.results.find(SEARCHED, stress="clean", defence="none") if f.group]
    known = [f for f in found if f.value is not None]
    rows: list[list[str | Cell]] = [
        [group_name(f.group), metric_name(str(f.params.get("of"))), change_cell(f), str(f.n),
         p_text(f.p_holm)]
        for f in known[:MOST_ROWS]
    ]  # fmt: skip
    if not rows:
        return []
    columns = [_("Slice"), _("Metric"), _("Against all other images"), "n", _("p, whole search")]
    note = _(
        "Difference in points with its 95% CI. The worst of many slices that were searched: a new "
        "set will show less. The p allows for the whole search."
    )
    caption = _("Where errors gather")
    return [Table(caption, columns, rows, note, frozenset({2, 3, 4}), (36, 16, 24, 9, 15))]
