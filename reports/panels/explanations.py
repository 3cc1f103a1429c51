"""Section 9: what was measured of each method's maps, and the score as regions are removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.captions import chance
from reports.cells import rate_cell
from reports.figures.curves import Pane, curves
from reports.language import N_, _, decimal, recorded
from reports.material import Material
from reports.numbers import amount, grey_levels
from reports.panels.registry import panel
from reports.values.explanations import TITLES, explanations_report, methods_of

QUESTIONS = {
    "map_similarity_randomised": (
        N_("Is it like the map of randomised weights?"),
        N_("rank correlation; above {bound} it follows the image, not what was learnt"),
    ),
    "faithfulness": (
        N_("Does the score depend on what is marked?"),
        N_("area between the curves below, beyond the control's; 0: no more than elsewhere"),
    ),
    "noise": (
        N_("Is it the same under noise that nobody sees?"),
        N_("rank correlation; noise of σ = {sigma} of the scale"),
    ),
    "fgsm": (
        N_("Is it the same under an attack that keeps the decision?"),
        N_("rank correlation; FGSM, ε = {epsilon}"),
    ),
    "pointing_game": (
        N_("Is its highest point at a lesion?"),
        N_("true positives with lesion boxes"),
    ),
    "cam_energy_in_box": (
        N_("How much of it lies inside lesion boxes?"),
        N_("true positives; the boxes cover {area} of the image"),
    ),
}
BOUND = 0.7  # the probe's own, docs/explanations.md
CENTRE = "centre of the image"
ORDERS = {
    "most": N_("map, most relevant first"),
    "least": N_("map, least relevant first"),
    "control_most": N_("control, most relevant first"),
    "control_least": N_("control, least relevant first"),
}


@panel("explanations")
def explanations(material: Material) -> Sequence[Block]:
    """One table of every measure, and the curves of removal over their numbers."""
    report = explanations_report(material)
    boxes = {f.metric: f for f in _done(material, "gradcam") if not f.params}
    if (report is None or not report.findings) and "cam_energy_in_box" not in boxes:
        return []
    told = [] if report is None else _removal(report)
    notes = [] if report is None else [n for n in report.notes if n.code == "explanation-cascade"]
    table = _table(() if report is None else report.findings, _methods(report), boxes)
    return [table, *(Text(recorded(note.text)) for note in notes), *told]


def _done(material: Material, probe: str) -> Sequence[Finding]:
    found = (r for r in material.results.probes if r.probe == probe and r.state == "done")
    return next((r.findings for r in found), ())


def _methods(report: ProbeReport | None) -> list[str]:
    return (methods_of(report) if report else []) or ["grad-cam"]


def _table(
    findings: Sequence[Finding], methods: Sequence[str], boxes: Mapping[str, Finding]
) -> Table:
    """A row per question, a column per method."""
    rows: list[list[str | Cell]] = []
    for name, (question, how) in QUESTIONS.items():
        same = {_method(f): f for f in findings if _asked(f) == name}
        if name == "cam_energy_in_box" and name in boxes:
            same = {"grad-cam": boxes[name]}
        if any(method in same for method in methods):
            first = Cell(_(question), sub=_how(how, next(iter(same.values())), boxes))
            cells = (rate_cell(same[m]) if m in same else Cell("–") for m in methods)
            rows.append([first, *cells])
    columns = [_("Asked of the map"), *(TITLES[method] for method in methods)]
    share = 63 // len(methods)
    widths = (100 - share * len(methods), *[share] * len(methods))
    numeric = frozenset(range(1, len(columns)))
    return Table(_("Heat maps as evidence"), columns, rows, _note(findings), numeric, widths)


def _method(f: Finding) -> str:
    return str(f.params.get("method", ""))


def _asked(f: Finding) -> str:
    return str(f.params.get("under", "")) if f.metric == "map_stability" else f.metric


def _how(words: str, f: Finding, boxes: Mapping[str, Finding]) -> str:
    area = boxes.get("box_area")
    epsilon = f.params.get("epsilon", 0.0)
    return _(words).format(
        bound=amount("map_stability", BOUND).rstrip("0"),
        sigma=decimal(str(f.params.get("sigma", ""))),
        epsilon=grey_levels(float(epsilon)) if isinstance(epsilon, int | float) else "–",
        area=amount("box_area", area.value) if area and area.value is not None else "–",
    )


def _note(findings: Sequence[Finding]) -> str:
    told = [_("95% CI · n or k/n below each value.")]
    centre = [f for f in findings if f.metric == "pointing_game" and _method(f) == CENTRE]
    by_chance = [f for f in findings if f.metric == "pointing_chance"]
    for words, found in (
        (N_("The centre of the image lies at a lesion in {value}."), centre),
        (N_("A point drawn at random would in {value}."), by_chance),
    ):
        told += [_(words).format(value=_short(f)) for f in found if f.value is not None]
    return " ".join(told)


def _short(f: Finding) -> str:
    cell = rate_cell(f)
    return f"{cell.text} ({cell.sub})"


def _removal(report: ProbeReport) -> list[Block]:
    """The score as ever more is removed: the curves, and their numbers."""
    told: Mapping[str, Any] = report.details.get("curves", {})
    shares = [float(share) for share in report.details.get("removed", [])]
    known = {name: told[name] for name in TITLES if name in told}
    if not known or not shares:
        return []
    axis = _("share of the pixels removed")
    panes = [
        Pane(
            TITLES[name], {_(words): _points(shares, one[key]) for key, words in ORDERS.items()}, {}
        )
        for name, one in known.items()
    ]
    caption = _(
        "Mean P(predicted class) as ever more of the image is removed and imputed from its "
        "neighbours, in the order of the map and of the same map moved elsewhere (control). The "
        "further the map's two lines lie apart beyond the control's, the more the score depends "
        "on what is marked. It does not show that what is marked is the finding."
    )
    alt = _(
        "Curves of the mean probability of the predicted class against the share of pixels "
        "removed, one set of axes per method; the numbers are in the table below."
    )
    rows: list[list[str | Cell]] = [
        [TITLES[name], _(words), *(chance(value) for value in one[key])]
        for name, one in known.items()
        for key, words in ORDERS.items()
    ]
    columns = [_("Method"), _("Removed in the order of"), *(f"{share:.0%}" for share in shares)]
    numeric = frozenset(range(2, len(columns)))
    title = _("Mean P(predicted class) by share of the pixels removed")
    return [
        Figure(curves(panes, axis, caption), alt, caption, "half" if len(panes) == 1 else "full"),
        Table(title, columns, rows, "", numeric),
    ]


def _points(shares: Sequence[float], values: Sequence[float]) -> list[tuple[float, Finding]]:
    return [
        (share, Finding(metric="removal", value=float(value)))
        for share, value in zip(shares, values, strict=True)
    ]
