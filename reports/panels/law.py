"""Sections 13 and 18: the law as data, and who read it."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Table
from reports.language import _
from reports.law import DEVICES, PRIVACY, law_entries, law_statement
from reports.material import Material
from reports.panels.registry import panel
from reports.wording import clause


@panel("law_privacy")
def law_privacy(_material: Material) -> Sequence[Block]:
    return [_table(_("The law on personal data that this section asks after"), PRIVACY)]


@panel("law_devices")
def law_devices(_material: Material) -> Sequence[Block]:
    return [_table(_("The law on AI systems, devices and products named above"), DEVICES)]


def _table(caption: str, names: Sequence[str]) -> Table:
    rows: list[list[str | Cell]] = [
        [
            clause(entry.clause),
            _(entry.fact),
            Cell(_(entry.source), sub=f"{_(entry.status)} {entry.checked}".strip()),
        ]
        for entry in law_entries(names)
    ]
    columns = [_("Clause"), _("What it says"), _("Source and status")]
    note = _(
        "{law}. Seen: read in a stored copy of the source on that day. To be confirmed: not read "
        "in the source. No legal advice."
    ).format(law=law_statement())
    return Table(caption, columns, rows, note, widths=(19, 55, 26), source="")
