"""Section 10: the surest wrong decisions, by case id."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Table
from reports.captions import chance
from reports.language import _
from reports.material import Material
from reports.panels.registry import panel
from reports.values.errors import confident_errors

MOST_ROWS = 10


@panel("confident_errors")
def listed(material: Material) -> Sequence[Block]:
    """A row per case; pictures of the first of them stand in section 9."""
    errors = confident_errors(material)
    if not errors:
        return []
    rows: list[list[str | Cell]] = [
        [e["case"], e["label"], e["decided"], chance(e["probability"])] for e in errors[:MOST_ROWS]
    ]
    note = _("P: the model's probability of what it decided. Pictures of the surest: section 9.")
    if len(errors) > len(rows):
        cut = _("The {shown} surest of {n} listed; all are in audit.json.")
        note += " " + cut.format(shown=len(rows), n=len(errors))
    columns = [_("Case"), _("Label"), _("Decided"), "P"]
    title = _("The surest wrong decisions")
    return [Table(title, columns, rows, note, frozenset({3}), (40, 24, 24, 12))]
