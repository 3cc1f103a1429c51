"""Section 18: the crosswalk as one table, a row per law and status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reports.blocks import Block, Cell, Table, Text
from reports.crosswalk import NOT_APPLICABLE, PARTIAL, STATUSES, Answer, answers
from reports.language import N_, _
from reports.material import Material
from reports.panels.registry import panel
from reports.wording import clause as spelt

# How clauses begin -> what they belong to; the last takes what is left.
LAWS = {
    ("AIA ",): N_("EU AI Act"),
    ("GDPR ",): N_("GDPR"),
    ("UAVG ", "WGBO "): N_("Dutch law"),
    ("MDR ",): N_("Medical devices (MDR)"),
    ("EHDS ", "PLD"): N_("Other Union law"),
    ("CLAIM ",): N_("CLAIM 2024 (reporting)"),
    ("ISO ", "ISO/"): N_("ISO standards"),
    ("",): N_("Other sources"),
}


@panel("crosswalk")
def crosswalk(material: Material) -> Sequence[Block]:
    found = answers(material)
    counts = Counter(answer.status for answer in found.values())
    words = " · ".join(f"{_(name)} {counts[name]}" for name in STATUSES)
    rows: list[list[str | Cell]] = []
    for law, clauses in _by_law(found).items():
        told = [(s, _listed(clauses, found, s)) for s in STATUSES]
        for number, (status, text) in enumerate((s, text) for s, text in told if text):
            rows.append([Cell(_(law), strong=True) if number == 0 else "", _(status), text])
    columns = [_("Source"), _("This report holds"), _("Clauses (and the sections that answer)")]
    return [
        Text(words, _("In all:")),
        Table(_("Crosswalk"), columns, rows, _note(counts), widths=(20, 17, 63)),
    ]


def _note(counts: Mapping[str, int]) -> str:
    lines = [
        _(
            "Evidence provided: every field that the clause asks for is filled, one at least by "
            "computation. Partial: some fields are filled, as many as stand behind the section. "
            "Human statement: people filled all of them. Not supplied: none is filled."
        )
    ]
    if counts[NOT_APPLICABLE]:
        lines.append(
            _("Not applicable: the card says that the model does not triage in emergency care.")
        )
    return " ".join(lines)


def _by_law(found: Mapping[str, Answer]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {name: [] for name in LAWS.values()}
    for clause in found:
        law = next(name for begins, name in LAWS.items() if clause.startswith(begins))
        groups[law].append(clause)
    return {law: clauses for law, clauses in groups.items() if clauses}


def _listed(clauses: Sequence[str], found: Mapping[str, Answer], status: str) -> str:
    """ "Art 9(8) §4, 19; Art 10(2) §3 (12 of 14)" """
    told = []
    for clause in clauses:
        answer = found[clause]
        if answer.status == status:
            sections = ", ".join(map(str, answer.sections))
            counts = _("({n} of {total})").format(n=answer.filled, total=answer.asked)
            part = f" {counts}" if status == PARTIAL else ""
            told.append(f"{_short(clause)} §{sections}{part}")
    return "; ".join(told)


def _short(clause: str) -> str:
    """Without the name of the law, which stands in the first column."""
    alone = clause.startswith(("AIA ", "GDPR ", "MDR ", "CLAIM "))
    told = spelt(clause)
    return told.split(" ", 1)[1] if alone else told
