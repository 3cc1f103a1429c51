"""The site's rules on a drop from BASE, as the gate judged them."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Table, Text
from reports.comparison.material import ComparisonMaterial
from reports.language import _
from reports.numbers import blocks_of
from reports.rulings import asked
from reports.rulings import found as seen

MOST = 30


def rules_on_drops(material: ComparisonMaterial) -> Sequence[Block]:
    judgement = material.judgement
    if not judgement.rulings:
        words = _(
            "No rule on a drop (max_drop) was given, so no difference in this report was judged "
            "against a limit of the site."
        )
        return [Text(words)]
    rows: list[list[str | Cell]] = [
        [Cell(ruling.word, ruling.mark), ruling.id, asked(ruling), seen(ruling)]
        for ruling in judgement.worst_first()[:MOST]
    ]
    digest = judgement.gate_file_sha256
    note = _("Rule file (sha256) {digest}, {when}. Rules that ask for no drop are not shown.")
    beforehand = digest != "" and digest == material.found.new.gate_file
    when = _("recorded before the audit of New") if beforehand else _("not recorded beforehand")
    words = note.format(digest=blocks_of(digest) or "–", when=when)
    columns = [_("Outcome"), _("Rule"), _("Asks"), _("Found")]
    title = _("Rules on a drop from Base")
    return [Table(title, columns, rows, words, widths=(15, 12, 37, 36))]
