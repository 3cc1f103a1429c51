"""Sections 13 and 15: the law as data, and the questions the evidence raises."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Items, Table, Text
from reports.law import law_as_at, law_entries
from reports.material import Material
from reports.numbers import amount, full
from reports.panels.registry import panel
from reports.texts import text_data


@panel("law")
def law(_: Material) -> Sequence[Block]:
    rows: list[list[str | Cell]] = [
        [
            entry.clause,
            entry.fact,
            Cell(entry.source, sub=f"{entry.status} {entry.checked}".strip()),
        ]
        for entry in law_entries()
    ]
    note = (
        f"Law as at {law_as_at()}, not checked by a jurist. “Seen”: read in a stored copy of the "
        "source. Entries to be confirmed were not read in the source."
    )
    columns = ["Clause", "What it says", "Source and status"]
    return [
        Table(
            "The law this section asks after", columns, rows, note, widths=(19, 55, 26), source=""
        )
    ]


@panel("board")
def board(material: Material) -> Sequence[Block]:
    """What the board wrote in the card, in full; page one has room for a line."""
    stated = material.card.board
    words = {"Board": stated.name, "Decision": stated.decision, "Conditions": stated.conditions}
    lines = [f"{name}: {text}" for name, text in words.items() if text]
    lines += [f"Signs: {name}" for name in stated.signatories]
    return [Items(lines, "The board")] if lines else []


@panel("ethics")
def ethics(material: Material) -> Sequence[Block]:
    sens = material.clean("sensitivity")
    missed = ""
    if sens and sens.value is not None and sens.events is not None:
        missed = (
            f" In this set {sens.n - sens.events} of {sens.n} positive cases were missed "
            f"({amount('sensitivity', 1 - sens.value)})."
        )
    drops = [
        f
        for f in material.stressed("robust_sensitivity")
        if f.value is not None and f.defence == "none"
    ]
    worst = min(drops, key=lambda f: f.value or 0.0, default=None)
    moved = f" The lowest found here: robust sensitivity {full(worst)}." if worst else ""
    return [
        Text(entry["text"].format(missed=missed, moved=moved), entry["head"])
        for entry in text_data("ethics.yaml")
    ]
