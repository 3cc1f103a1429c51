"""Section 5: what is handled alone above a cut-off, and under a defence that refers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table
from reports.cells import rate_cell
from reports.figures.risk import risk_coverage
from reports.material import Material, is_cell
from reports.numbers import defence_name, difference, group_name, listed, setting
from reports.panels.registry import panel
from reports.referral import HEADLINE, at, bound, curve, cut_offs

MOST_ROWS = 40


@panel("cut_offs")
def by_cut_off(material: Material) -> Sequence[Block]:
    rows: list[list[str | Cell]] = [
        [Cell(f"{cutoff:.1%}", strong=cutoff == HEADLINE), *_cells(material, cutoff, {})]
        for cutoff in cut_offs(material)
    ]
    if not rows:
        return []
    positive = material.results.model.positive_class
    columns = [
        "Cut-off",
        "Handled alone",
        "Accuracy of these",
        f"Missed {positive}",
        f"Of all {positive}",
    ]
    note = (
        "Above a cut-off: the probability of the decided class reaches it, compared as log-odds. "
        "95% CI · k/n below each value; missed: count and upper limit of a one-sided 95% "
        "interval. † imprecise."
    )
    widths = (14, 21, 21, 22, 22)
    numeric = frozenset({1, 2, 3, 4})
    found: list[Block] = [
        Table("Left to the model alone, by cut-off", columns, rows, note, numeric, widths)
    ]
    groups = [g for g in material.groups() if at(material, "handled_above", HEADLINE, g)]
    if groups:
        lines: list[list[str | Cell]] = [
            [group_name(g), *_cells(material, HEADLINE, g)] for g in groups[:MOST_ROWS]
        ]
        caption = f"Left to the model alone above {HEADLINE:.1%}, by group"
        columns = ["Group", *columns[1:]]
        found.append(Table(caption, columns, lines, "", numeric, widths))
    return [*found, *_stressed(material)]


def _cells(material: Material, cutoff: float, group: dict[str, str]) -> list[str | Cell]:
    rates = [
        rate_cell(at(material, metric, cutoff, group))
        for metric in ("handled_above", "accuracy_above")
    ]
    missed = [
        _bound_cell(at(material, metric, cutoff, group))
        for metric in ("missed_above", "missed_of_positives_above")
    ]
    return [*rates, *missed]


def _bound_cell(finding: Finding | None) -> Cell:
    if finding is None or finding.value is None:
        return rate_cell(finding)
    count, _, limit = bound(finding).partition(", ")
    return Cell(count, sub=limit)


def _stressed(material: Material) -> list[Block]:
    """Errors made with confidence: a case that is wrong and would not be looked at."""
    rows: list[list[str | Cell]] = []
    for f in material.stressed("unseen_error_above"):
        if f.params.get("cutoff") != HEADLINE:
            continue
        if f.defence == "none" and len(rows) < MOST_ROWS:
            without = {k: v for k, v in f.params.items() if k != "cutoff"}
            rows.append(
                [
                    setting(f.model_copy(update={"params": without})),
                    rate_cell(_beside(material, f, "handled_above")),
                    rate_cell(f),
                ]
            )
    if not rows:
        return []
    columns = ["Stress", f"Decided above {HEADLINE:.1%}", "Wrong above it, of all cases"]
    note = (
        "Wrong above it: decided wrongly without stress or under it, and sure enough that nobody "
        "would look. The stresses did not aim at confidence; one that does may find more."
    )
    caption = f"Wrong and above {HEADLINE:.1%}, under stress"
    return [Table(caption, columns, rows, note, frozenset({1, 2}), (46, 27, 27))]


def _beside(material: Material, f: Finding, metric: str) -> Finding | None:
    """Another metric of the same view."""
    where = {"stress": f.stress, "defence": f.defence, "group": f.group, "variant": f.variant}
    same = material.results.find(metric, contrast=None, **where)
    return next((other for other in same if other.params == f.params), None)


@panel("risk_coverage")
def risk(material: Material) -> Sequence[Block]:
    points = [(x, f) for x, f in curve(material) if f.value is not None]
    if len(points) < 2:
        return []
    dots = []
    for cutoff in cut_offs(material):
        share, right = (at(material, m, cutoff) for m in ("handled_above", "accuracy_above"))
        if share and right and share.value is not None and right.value is not None:
            dots.append((cutoff, share.value, 1 - right.value))
    caption = (
        "Share wrong of the surest cases, against the share that is handled alone. Band: 95% CI. "
        "Squares: the cut-offs of the table. It shows how these images were ranked by the "
        "model's own confidence; it does not show that the confidence is right elsewhere, nor "
        "that any point on the line is low enough."
    )
    first, last = points[0][1], points[-1][1]
    alt = (
        f"A curve from {100 * (first.value or 0):.1f}% wrong among the surest "
        f"{points[0][0]:.0%} of cases to {100 * (last.value or 0):.1f}% of all, with a 95% band; "
        f"a dashed line marks the cut-off of {HEADLINE:.1%}. The numbers are in the table below."
    )
    told: list[list[str | Cell]] = [
        [f"{x:.0%}", rate_cell(f)] for x, f in points if round(20 * x) % 2 == 0
    ]
    half = -(-len(told) // 2)  # two columns side by side
    rows = [
        [*left, *right] for left, right in zip_longest(told[:half], told[half:], fillvalue=["", ""])
    ]
    area = material.one("aurc", "clean")
    note = "95% CI · k/n below each value; ties in confidence are handled together."
    if area is not None and area.value is not None:
        note += (
            f" Area under the curve {area.value:.4f}; {last.value or 0:.4f} would be a confidence "
            "that says nothing."
        )
    picture = risk_coverage(points, dots, HEADLINE, caption)
    table = Table(
        "Wrong among the surest",
        ["Handled alone", "Wrong among these"] * 2,
        rows,
        note,
        frozenset({1, 3}),
        (22, 28, 22, 28),
    )
    return [Figure(picture, alt, caption), table]


@panel("handled_alone")
def handled_alone(material: Material) -> Sequence[Block]:
    found = material.results.find("referral_rate", group={}, contrast=None)
    defences = list(dict.fromkeys(f.defence for f in found))
    return [_of_defence(material, name) for name in defences]


def _of_defence(material: Material, defence: str) -> Table:
    rows: list[list[str | Cell]] = []
    shown = [
        f
        for f in material.results.find(
            "unseen_error_rate", group={}, defence=defence, contrast=None
        )
        if not is_cell(f)
    ]
    for f in shown[:MOST_ROWS]:
        beside = [rate_cell(_beside(material, f, m)) for m in ("referral_rate", "accuracy_handled")]
        missed = _bound_cell(_beside(material, f, "missed_handled"))
        rows.append([setting(f), *beside, missed, rate_cell(f), _fewer(material, f)])
    positive = material.results.model.positive_class
    columns = ["Setting", "Referred", "Accuracy alone", f"Missed {positive}, alone", "Unseen error"]
    columns.append("Against no referral")
    who = "the model itself" if defence == "none" else defence_name(defence)
    note = (
        "Unseen error: wrong and not referred, of all cases. Missed: count of those handled alone "
        "and upper limit of a one-sided 95% interval. The stresses did not aim at the referral. "
        "† imprecise."
    )
    if len(shown) > len(rows):
        note += f" {len(shown) - len(rows)} more settings in audit.json."
    caption = f"Referred and handled alone: {who}"
    return Table(caption, columns, rows, note, frozenset({1, 2, 3, 4, 5}), (23, 15, 15, 16, 15, 16))


def _fewer(material: Material, f: Finding) -> str | Cell:
    where = {"stress": f.stress, "defence": f.defence, "group": {}, "variant": f.variant}
    same = material.results.find(f.metric, contrast="defence=none", **where)
    other = next((g for g in same if g.params == f.params), None)
    if other is None or other.value is None:
        return "–" if other is None else rate_cell(other)
    value, _, rest = difference(other).partition(" (95% CI ")
    return Cell(value, sub=rest.removesuffix(")"))


def referring_words(names: Sequence[str]) -> str:
    """What the table before and after says of defences that change no decision."""
    return (
        f"{listed([defence_name(name) for name in names])}: no decision changes, so there is no "
        "before and after; what is referred and what is left is in section 5."
    )
