"""Section 4: what the gate said."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Table, Text
from reports.language import _
from reports.material import Material
from reports.panels.registry import panel
from reports.rulings import asked, found
from reports.threshold_file import threshold_file


@panel("gate_table")
def gate_table(material: Material) -> Sequence[Block]:
    judgement = material.judgement
    if not judgement.rulings:
        words = _("No gate set: no threshold was given to judge these numbers by.")
        return [Text(words, _("Gate."))]
    rows: list[list[str | Cell]] = [
        [ruling.id, Cell(ruling.word, ruling.mark), asked(ruling), found(ruling), ruling.n or "–"]
        for ruling in judgement.worst_first()
    ]
    columns = [_("Rule"), _("Verdict"), _("Asked"), _("Found"), "n"]
    return [
        Table(
            _("Gate: {outcome}").format(outcome=judgement.word),
            columns,
            rows,
            _("Threshold file: {words}.").format(words=threshold_file(material)),
            numeric=frozenset({4}),
            widths=(12, 15, 34, 31, 8),
        )
    ]
