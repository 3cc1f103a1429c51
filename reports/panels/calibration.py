"""Section 5: intercept, slope, O:E, Brier score and ECE in one table."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Table
from reports.calibration import METRICS, beside, groups, number, small, views
from reports.cells import rate_cell
from reports.language import N_, _
from reports.material import Material
from reports.numbers import defence_name, group_name, setting
from reports.panels.registry import panel

COLUMNS = (N_("Intercept"), N_("Slope"), N_("O:E"), N_("Brier"), N_("ECE"))


@panel("calibration_tables")
def tables(material: Material) -> Sequence[Block]:
    shown = [*views(material), *groups(material)]
    if not any(f.n for f in shown):
        return []
    rows: list[list[str | Cell]] = [
        [_named(f), *(_cell(beside(material, f, m)) for m in METRICS)] for f in shown
    ]
    note = _(
        "95% CI below each value. Right: intercept 0, slope 1, O:E 1; a slope below 1: too "
        "extreme. ECE without what noise adds. Under attack the scores are those of the worst "
        "image of each case: how far they can be moved, not how well they are calibrated in use. "
        "Shown: the stress with the largest ECE, defences, groups of one attribute; all others are "
        "in audit.json."
    )
    columns = [_("Setting or group"), *(_(name) for name in COLUMNS)]
    numeric = frozenset({1, 2, 3, 4, 5})
    return [Table(_("Calibration"), columns, rows, note, numeric, (25, 15, 15, 15, 15, 15))]


def _named(f: Finding) -> str:
    if f.group:
        return group_name(f.group)
    if f.defence == "none":
        return setting(f)
    return _("{setting}, under {defence}").format(
        setting=setting(f), defence=defence_name(f.defence)
    )


def _cell(f: Finding | None) -> Cell:
    if f is None or f.value is None or f.low is None or f.high is None:
        return rate_cell(f)
    say = small if f.metric in ("brier", "ece") else number
    ends = _("{low} to {high}").format(low=say(f.low), high=say(f.high))
    return Cell(say(f.value), sub=ends)
