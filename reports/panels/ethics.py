"""Section 15: what the board wrote, and the questions the evidence raises."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Items, Table, Text
from reports.ethics import ANSWERS, found
from reports.language import _
from reports.material import Material
from reports.outline import outline
from reports.panels.registry import panel
from reports.texts import text_data
from reports.wording import NOT_SUPPLIED


@panel("board")
def board(material: Material) -> Sequence[Block]:
    """What the board wrote in the card, in full; page one has room for a line."""
    stated = material.card.board
    words = {
        _("Board"): stated.name,
        _("Decision"): stated.decision,
        _("Conditions"): stated.conditions,
    }
    lines = [f"{name}: {text}" for name, text in words.items() if text]
    lines += [_("Signs: {name}").format(name=name) for name in stated.signatories]
    return [Items(lines, _("The board"))] if lines else []


@panel("ethics")
def ethics(material: Material) -> Sequence[Block]:
    rows: list[list[str | Cell]] = []
    rest: list[Block] = []
    for entry in text_data("ethics.yaml"):
        question, head, text = entry["id"], entry["head"], entry["text"]
        if question in ANSWERS:
            name = Cell(_(head), strong=True, sub=_(text))
            told = found(question, material) or _("Not computed in this run.")
            rows.append([name, told, _answer(question, material)])
        else:
            rest.append(Text(_(text), _(head)))
    columns = [_("Question"), _("What this run found"), _("What the site states")]
    caption = _("Five questions of the thesis")
    return [Table(caption, columns, rows, widths=(46, 29, 25), source="A H"), *rest]


def _answer(question: str, material: Material) -> str:
    """The statements that answer, or the section where they stand already."""
    places = {row.value: section for section in outline() for row in section.rows}
    told = []
    for place in ANSWERS[question]:
        words = material.card.get(place)
        if words and places[place].id == "accountability":
            told.append(_("Stated above."))
        elif words:
            told.append(f"{words} (§{places[place].number})")
    return " ".join(told) or _(NOT_SUPPLIED)
