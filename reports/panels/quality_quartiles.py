"""Section 3: does the model do worse at one end of a measure of quality."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.figures.quartiles import quartiles
from reports.material import Material
from reports.panels.registry import panel


@panel("quality_quartiles")
def by_quartile(material: Material) -> Sequence[Block]:
    report = next((r for r in material.results.probes if r.probe == "quality"), None)
    found = _by_measure(report) if report else {}
    if report is None or not found:
        return []
    warned = [Text(n.text) for n in report.notes if n.code == "quality-dependent"]
    return [*warned, _figure(found), _table(report, found)]


def _by_measure(report: ProbeReport) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for f in report.findings:
        if f.metric == "accuracy_by_quality":
            found.setdefault(str(f.params["measure"]), []).append(f)
    return {name: fs for name, fs in found.items() if any(f.value is not None for f in fs)}


def _figure(found: dict[str, list[Finding]]) -> Figure:
    panes = {
        name.replace("_", " "): [f for f in fs if f.value is not None] for name, fs in found.items()
    }
    caption = (
        "Accuracy in each quartile of each measure, 1 the lowest. Bars: 95% CI. Quartiles are "
        "those of these images; what a picture shows may go with its quality."
    )
    alt = (
        f"Accuracy by quartile of {len(panes)} measures of quality with 95% intervals; the numbers "
        "are in the table below."
    )
    return Figure(quartiles(panes, caption), alt, caption)


def _table(report: ProbeReport, found: dict[str, list[Finding]]) -> Table:
    links = {str(f.params["measure"]): f for f in report.findings if f.metric == "error_by_quality"}
    rows: list[list[str | Cell]] = []
    for name, fs in found.items():
        cells = {int(str(f.params["quartile"])): rate_cell(f) for f in fs}
        quarter = [cells.get(q, Cell("–", sub="none")) for q in (1, 2, 3, 4)]
        rows.append([name.replace("_", " "), *quarter, _link(links.get(name))])
    columns = [
        "Measure",
        "Quartile 1",
        "Quartile 2",
        "Quartile 3",
        "Quartile 4",
        "Link with errors",
    ]
    note = (
        "95% CI · k/n below each value. Link with errors: chance that a wrong decision measures "
        "higher than a right one of the same label (50%: none), Holm p over the measures. "
        "† imprecise."
    )
    widths = (18, 17, 17, 17, 17, 14)
    numeric = frozenset({1, 2, 3, 4, 5})
    return Table("Accuracy by quartile of quality", columns, rows, note, numeric, widths)


def _link(finding: Finding | None) -> Cell:
    if finding is None or finding.value is None:
        return Cell("–", sub=finding.reason or "" if finding else "not computed")
    p = finding.p_holm if finding.p_holm is not None else 1.0
    words = "Holm p < .001" if p < 0.001 else f"Holm p {p:.3f}"
    return Cell(f"{100 * finding.value:.0f}%", sub=words)
