"""Learning curve and resolution sweep: metrics against what was varied."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from audit.study_results import Trained
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.numbers import metric_name
from reports.study.figures.sweep import Points, sweep
from reports.study.material import StudyMaterial

VARIED = {
    "learning-curve": ("images", "Training images", "images in the training split"),
    "resolution": ("size", "Size", "height and width of the input, in pixels"),
}
METRICS = ("accuracy", "sensitivity", "specificity", "auroc")
LOCALISED, CHANCE = "cam_energy_in_box", "box_area"
HEADINGS = {LOCALISED: "Grad-CAM inside the box", CHANCE: "the box's share of the image"}
BASELINE = "always the commoner class"
LIMITS = {
    "learning-curve": (
        "One fit per point: part of the difference between neighbours is chance. Beyond the "
        "largest size nothing was measured."
    ),
    "resolution": (
        "One fit per point: part of the difference between neighbours is chance. Where Grad-CAM "
        "colour lies inside the annotated box is associated with the score, no more; by chance as "
        "much of it would lie there as the box takes of the image."
    ),
}


def sweeps(material: StudyMaterial) -> Sequence[Block]:
    """The figure, and a table of every point."""
    _, heading, axis = VARIED[material.results.kind]
    known = [(place_of(material, model), model) for model in material.done]
    points = [(x, model) for x, model in known if x is not None]
    points.sort(key=lambda point: point[0])
    if not points:
        return [Text("No point was measured.", f"{heading}.")]
    shown = [*METRICS, *_localisation(material)]
    panes = {_heading(m): _series(material, points, m) for m in shown if m != CHANCE}
    panes = {name: series for name, series in panes.items() if series}
    named = ", ".join(name for name in panes)
    caption = f"{named} against {axis}. Bands: 95% CI. {LIMITS[material.results.kind]}"
    alt = f"{named} against {axis}, with 95% bands. The numbers are in the table below."
    baseline = material.results.baseline
    line = (BASELINE, baseline) if baseline is not None else None
    figure = [Figure(sweep(panes, axis, caption, line), alt, caption)] if panes else []
    return [*figure, _table(material, heading, points, shown)]


def place_of(material: StudyMaterial, model: Trained) -> float | None:
    """Where on the curve a model lies."""
    value = model.settings.get(VARIED[material.results.kind][0])
    return float(value) if isinstance(value, int | float) else None


def _localisation(material: StudyMaterial) -> list[str]:
    """Metrics of where Grad-CAM's colour lies, in order of appearance."""
    names = [f.metric for m in material.done for f in m.findings if f.stress == "clean"]
    return [name for name in dict.fromkeys(names) if name in (LOCALISED, CHANCE)]


def _heading(metric: str) -> str:
    words = HEADINGS.get(metric) or metric_name(metric)
    return words[:1].upper() + words[1:]


def _series(
    material: StudyMaterial, points: Sequence[tuple[float, Trained]], metric: str
) -> dict[str, Points]:
    found: dict[str, list[tuple[float, Finding]]] = {}
    for x, model in points:
        finding = material.found(model, metric)
        if finding is not None and finding.value is not None:
            found.setdefault(model.architecture, []).append((x, finding))
        area = material.found(model, CHANCE) if metric == LOCALISED else None
        if area is not None and area.value is not None:
            found.setdefault(HEADINGS[CHANCE], []).append((x, area))
    return dict(found)


def _table(
    material: StudyMaterial,
    heading: str,
    points: Sequence[tuple[float, Trained]],
    metrics: Sequence[str],
) -> Table:
    known = [m for m in metrics if any(material.found(model, m) for _, model in points)]
    rows: list[list[str | Cell]] = [
        [
            Cell(f"{x:g}", sub=model.architecture),
            *(rate_cell(material.found(model, metric)) for metric in known),
        ]
        for x, model in points
    ]
    share = 80 // max(1, len(known))
    widths = (100 - share * len(known), *(share for _ in known))
    columns = [heading, *(_heading(m) for m in known)]
    note = "95% CI · k/n below each value, on the test split. † imprecise."
    numeric = frozenset(range(1, len(columns)))
    return Table("Every point", columns, rows, note, numeric, widths)
