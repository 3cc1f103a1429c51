"""Section 9: what was measured of each method's maps, and the score as regions are removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.results import Finding, ProbeReport, as_levels
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.figures.curves import Pane, curves
from reports.material import Material
from reports.numbers import metric_name
from reports.panels.registry import panel
from reports.values.explanations import explanations_report

TITLES = {"grad-cam": "Grad-CAM", "score-cam": "Score-CAM", "smoothgrad": "SmoothGrad"}
ORDERS = {
    "most": "map, most relevant first",
    "least": "map, least relevant first",
    "control_most": "control, most relevant first",
    "control_least": "control, least relevant first",
}
AXIS = "share of the pixels removed"


@panel("explanations")
def explanations(material: Material) -> Sequence[Block]:
    report = explanations_report(material)
    if report is None or not report.findings:
        return []
    sample = [Text(n.text) for n in report.notes if n.code == "explanation-sample"]
    return [_table(report), *sample, *_figure(report)]


def _table(report: ProbeReport) -> Table:
    """A row per measure, a column per method."""
    methods = [name for name in TITLES if any(_method(f) == name for f in report.findings)]
    others = [f for f in report.findings if _method(f) not in methods]
    rows: list[list[str | Cell]] = []
    for name in dict.fromkeys(_measure(f) for f in report.findings if _method(f) in methods):
        same = {_method(f): f for f in report.findings if _measure(f) == name}
        rows.append([name, *(rate_cell(same.get(method)) for method in methods)])
    notes = [f"{_measure(f)}, {_method(f) or 'all'}: {_short(f)}" for f in others]
    note = "95% CI · n below each value. " + "; ".join(notes)
    columns = ["Measure", *(TITLES[method] for method in methods)]
    share = 64 // max(1, len(methods))
    widths = (100 - share * len(methods), *[share] * len(methods))
    numeric = frozenset(range(1, len(columns)))
    return Table("Heat maps as evidence", columns, rows, note.strip(" "), numeric, widths)


def _method(f: Finding) -> str:
    return str(f.params.get("method", ""))


def _measure(f: Finding) -> str:
    words = [metric_name(f.metric)]
    if "sigma" in f.params:
        words.append(f"noise, σ = {f.params['sigma']}")
    if "epsilon" in f.params:
        words.append(f"FGSM, ε = {as_levels(float(f.params['epsilon']))}, same decision")
    return ", ".join(words)


def _short(f: Finding) -> str:
    cell = rate_cell(f)
    return f"{cell.text} ({cell.sub})"


def _figure(report: ProbeReport) -> list[Block]:
    told: Mapping[str, Any] = report.details.get("curves", {})
    shares = [float(share) for share in report.details.get("removed", [])]
    panes = [
        Pane(TITLES[name], {words: _points(shares, one[key]) for key, words in ORDERS.items()}, {})
        for name, one in told.items()
        if name in TITLES
    ]
    if not panes or not shares:
        return []
    caption = (
        "Mean P(predicted class) as ever more of the image is removed and imputed from its "
        "neighbours, in the order of the map and of the same map moved elsewhere (control). The "
        "further the map's two lines lie apart beyond the control's, the more the score depends "
        "on what is marked."
    )
    alt = (
        "Curves of the mean probability of the predicted class against the share of pixels "
        "removed, one set of axes per method, most and least relevant pixels first, for the map "
        "and its control. The areas between them are in the table."
    )
    return [Figure(curves(panes, AXIS, caption), alt, caption)]


def _points(shares: Sequence[float], values: Sequence[float]) -> list[tuple[float, Finding]]:
    return [
        (share, Finding(metric="removal", value=float(value)))
        for share, value in zip(shares, values, strict=True)
    ]
