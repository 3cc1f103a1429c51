"""Section 3: does the model do worse at one end of a measure of quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.figures.quartiles import quartiles
from reports.language import _, decimal
from reports.material import Material
from reports.numbers import reason
from reports.p_values import p_text
from reports.panels.registry import panel
from reports.values.quality import measure_name

MOST_MEASURES = 4
P_VALUE = 0.01  # below it the probe warns


@panel("quality_quartiles")
def by_quartile(material: Material) -> Sequence[Block]:
    """The measures that go most with errors, whichever way; the others stay in audit.json."""
    report = next((r for r in material.results.probes if r.probe == "quality"), None)
    found = _by_measure(report) if report else {}
    if report is None or not found:
        return []
    links = {str(f.params["measure"]): f for f in report.findings if f.metric == "error_by_quality"}
    strongest = sorted(found, key=lambda name: (-_strength(links.get(name)), name))[:MOST_MEASURES]
    shown = {name: found[name] for name in strongest}
    return [*_warned(report, links), _figure(shown), _table(shown, links, len(found))]


def _warned(report: ProbeReport, links: Mapping[str, Finding]) -> list[Text]:
    """What the probe warned of, a sentence per measure."""
    if not any(note.code == "quality-dependent" for note in report.notes):
        return []
    words = _(
        "Errors go with {end} values of {measure}: a wrong decision measures higher than a right "
        "one of the same label with chance {chance} (Holm p {p})."
    )
    return [
        Text(
            words.format(
                end=_("high") if f.value > 0.5 else _("low"),
                measure=measure_name(name),
                chance=f"{100 * f.value:.0f}%",
                p=p_text(f.p_holm),
            )
        )
        for name, f in links.items()
        if f.value is not None and f.p_holm is not None and f.p_holm < P_VALUE
    ]


def _strength(link: Finding | None) -> float:
    return abs(link.value - 0.5) if link and link.value is not None else -1.0


def _by_measure(report: ProbeReport) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for f in report.findings:
        if f.metric == "accuracy_by_quality":
            found.setdefault(str(f.params["measure"]), []).append(f)
    return {name: fs for name, fs in found.items() if any(f.value is not None for f in fs)}


def _figure(found: Mapping[str, list[Finding]]) -> Figure:
    panes = {
        measure_name(name): [f for f in fs if f.value is not None] for name, fs in found.items()
    }
    caption = _(
        "Accuracy in each quartile of a measure of quality, 1 the lowest. Bars: 95% CI. Quartiles "
        "are those of these images; what a picture shows may go with its quality."
    )
    alt = _(
        "Accuracy by quartile of {n} measures of quality with 95% intervals; the numbers are in "
        "the table below."
    ).format(n=len(panes))
    return Figure(quartiles(panes, caption), alt, caption)


def _table(found: Mapping[str, list[Finding]], links: Mapping[str, Finding], of: int) -> Table:
    rows: list[list[str | Cell]] = []
    for name, fs in found.items():
        cells = {int(str(f.params["quartile"])): rate_cell(f) for f in fs}
        quarter = [cells.get(q, Cell("–", sub=_("none"))) for q in (1, 2, 3, 4)]
        rows.append([measure_name(name), *quarter, _link(links.get(name))])
    quarters = [_("Quartile {q}").format(q=q) for q in (1, 2, 3, 4)]
    columns = [_("Measure"), *quarters, _("Link with errors")]
    note = _(
        "Link with errors: chance that a wrong decision measures higher than a right one of the "
        "same label (50%: none), p adjusted after Holm over the measures. † imprecise."
    )
    if of > len(found):
        more = _("The {shown} measures with the strongest link of {n}; all are in audit.json.")
        note = f"{note} {more.format(shown=len(found), n=of)}"
    widths = (18, 17, 17, 17, 17, 14)
    numeric = frozenset({1, 2, 3, 4, 5})
    return Table(_("Accuracy by quartile of quality"), columns, rows, note, numeric, widths)


def _link(finding: Finding | None) -> Cell:
    if finding is None:
        return Cell("–", sub=_("not computed"))
    if finding.value is None:
        return Cell("–", sub=reason(finding))
    p = finding.p_holm if finding.p_holm is not None else 1.0
    return Cell(decimal(f"{100 * finding.value:.0f}%"), sub=f"p {p_text(p)}")
