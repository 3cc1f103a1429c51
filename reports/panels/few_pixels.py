"""Section 8: how often a search with a budget of queries succeeds, and with how many."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Curve, Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.figures.queries import success_by_queries
from reports.language import _
from reports.material import Material
from reports.numbers import sentence, setting
from reports.panels.registry import panel
from reports.proportions import clopper_pearson

KIND = "success by queries"
BUDGETS = (10, 100, 400, 1000, 4000, 10_000, 40_000)
MOST_LINES = 7
IMPRECISE = 0.1  # half-width, as in the findings


@panel("one_pixel")
def one_pixel(material: Material) -> Sequence[Block]:
    known = [c for c in material.results.curves if c.kind == KIND and c.defence == "none"]
    found = sorted((c for c in known if not c.group), key=_few_pixels_first)
    shown = {_name(curve): curve for curve in found[:MOST_LINES]}
    if not shown:
        return _without(material)
    caption = _(
        "Images fooled, of those attacked, against the queries spent on each. It shows what these "
        "searches found with so many queries, not what another search or more queries would find."
    )
    alt = _(
        "A rising line per search ({names}) over a logarithmic axis of queries. The numbers are "
        "in the table below."
    ).format(names="; ".join(shown))
    figure = Figure(success_by_queries(shown, caption), alt, caption)
    return [figure, _table(shown, len(found))]


def _without(material: Material) -> list[Block]:
    runs = [r for r in material.results.plan.runs if "queries" in r.params and r.state == "done"]
    if not any(run.defence == "none" for run in runs):
        return []
    words = _(
        "Not given: fewer than ten images were attacked by each search, or the audit is of a "
        "version that kept no such lines. Success at the full budget stands in the table above."
    )
    return [Text(words, _("Success by queries."))]


def _few_pixels_first(curve: Curve) -> bool:
    """Searches that alter single pixels before those that alter them all."""
    return "epsilon" in curve.params


def _name(curve: Curve) -> str:
    return sentence(setting(as_finding(curve)))


def as_finding(curve: Curve) -> Finding:
    """What a curve rests on, for the words that findings have."""
    return Finding(
        metric="attack_success",
        stress=curve.stress,
        params=curve.params,
        variant=curve.variant,
        n=curve.n,
        events=curve.events,
    )


def _table(shown: dict[str, Curve], of: int) -> Table:
    ends = [curve.x[-1] for curve in shown.values()]
    budgets = [budget for budget in BUDGETS if budget <= max(ends)]
    rows: list[list[str | Cell]] = [
        [name, *(_cell(curve, budget) for budget in budgets), _end(curve)]
        for name, curve in shown.items()
    ]
    columns = [_("Search"), *(f"{budget:,}".replace(",", "\u202f") for budget in budgets), _("end")]
    note = _(
        "Fooled within so many queries per image: 95% CI · k/n below each share, of the images "
        "decided correctly without the attack. A blank lies beyond what the search spent. Success "
        "before rounding to 8 bits."
    )
    if of > len(shown):
        note += " " + _("The first {n}; all {of} are in audit.json.").format(n=len(shown), of=of)
    share = 72 // (len(budgets) + 1)
    widths = (100 - share * (len(budgets) + 1), *(share for _column in columns[1:]))
    numeric = frozenset(range(1, len(columns)))
    return Table(_("Success by queries per image"), columns, rows, note, numeric, widths)


def _cell(curve: Curve, budget: int) -> Cell | str:
    return _counted(curve, share_at(curve, budget)) if budget <= curve.x[-1] else ""


def _end(curve: Curve) -> Cell:
    return _counted(curve, curve.y[-1])


def share_at(curve: Curve, budget: float) -> float:
    """The share fooled with at most so many queries; the line is a staircase."""
    return max((y for x, y in zip(curve.x, curve.y, strict=True) if x <= budget), default=0.0)


def _counted(curve: Curve, share: float) -> Cell:
    k = round(share * curve.n)
    low, high = clopper_pearson(k, curve.n)
    known = {"value": k / curve.n, "low": low, "high": high, "events": k}
    wide = (high - low) / 2 > IMPRECISE
    return rate_cell(as_finding(curve).model_copy(update={**known, "imprecise": wide}))
