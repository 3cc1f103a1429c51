"""Section 5: the reliability diagram, and calibration by group and under stress."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table
from reports.calibration import METRICS, beside, bins_of, number, small, told, views
from reports.cells import rate_cell
from reports.figures.reliability import reliability
from reports.material import Material
from reports.numbers import defence_name, group_name, setting
from reports.panels.registry import panel

MOST_ROWS = 40
MOST_LINES = 3  # stressed, in the diagram
COLUMNS = ["Intercept", "Slope", "O:E", "Brier", "ECE"]
NOTE = (
    "95% CI below each value. Intercept 0, slope 1 and O:E 1 are right; a slope below 1: too "
    "extreme. ECE without what noise adds. Under attack the scores are those of the worst image "
    "of each case: how far they can be moved, not how well they are calibrated in use."
)


@panel("reliability")
def reliable(material: Material) -> Sequence[Block]:
    clean = material.clean("calibration_slope")
    points = [] if clean is None else bins_of(material, clean)
    if clean is None or sum(f.value is not None for _, f in points) < 2:
        return []
    series = {"no stress": points}
    for f in _worst(material):
        series[setting(f)] = bins_of(material, f)
    caption = (
        "Share of positives in bins of equally many cases, against the mean probability there; "
        "bars: 95% CI without stress. On the dashed line a score is a probability. Below: cases "
        "per bin without stress. A bin says nothing of what cancels inside it."
    )
    alt = (
        f"Points of {len(points)} bins without stress, from {100 * points[0][0]:.0f}% to "
        f"{100 * points[-1][0]:.0f}% mean probability, beside the diagonal; slope {told(clean)}. "
        "The numbers are in the table below."
    )
    rows: list[list[str | Cell]] = [[f"{100 * x:.1f}%", rate_cell(f)] for x, f in points]
    table = Table(
        "Reliability without stress",
        ["Mean probability of the bin", "Positive among these"],
        rows,
        "95% CI · k/n below each share.",
        frozenset({0, 1}),
        (50, 50),
    )
    return [Figure(reliability(series, caption), alt, caption), table]


def _worst(material: Material) -> list[Finding]:
    """The views under stress, without a defence, whose ECE is largest, one of each stress."""
    found: dict[str, Finding] = {}
    for f in views(material, "ece"):
        if f.defence != "none" or f.stress == "clean" or f.value is None or f.variant == "average":
            continue
        if f.stress not in found or f.value > (found[f.stress].value or 0):
            found[f.stress] = f
    return sorted(found.values(), key=lambda f: -(f.value or 0))[:MOST_LINES]


@panel("calibration_tables")
def tables(material: Material) -> Sequence[Block]:
    groups = [
        f
        for f in material.results.find("brier", stress="clean", defence="none", contrast=None)
        if f.group
    ]
    found: list[Block] = []
    if any(f.value is not None for f in groups):
        rows = [[group_name(f.group), *_cells(material, f)] for f in groups[:MOST_ROWS]]
        found.append(_table("Calibration by group, without stress", "Group", rows, ""))
    stressed = [f for f in views(material, "brier") if f.stress != "clean" or f.defence != "none"]
    if stressed:
        lines = [[_named(f), *_cells(material, f)] for f in stressed[:MOST_ROWS]]
        left = len(stressed) - len(lines)
        more = f" {left} more settings in audit.json." if left else ""
        found.append(_table("Calibration under stress and defence", "Setting", lines, more))
    return found


def _named(f: Finding) -> str:
    return setting(f) if f.defence == "none" else f"{setting(f)}, under {defence_name(f.defence)}"


def _table(caption: str, first: str, rows: Sequence[Sequence[str | Cell]], more: str) -> Table:
    widths = (25, 15, 15, 15, 15, 15)
    return Table(caption, [first, *COLUMNS], rows, NOTE + more, frozenset({1, 2, 3, 4, 5}), widths)


def _cells(material: Material, f: Finding) -> list[str | Cell]:
    return [_cell(beside(material, f, metric)) for metric in METRICS]


def _cell(f: Finding | None) -> Cell:
    if f is None or f.value is None or f.low is None or f.high is None:
        return rate_cell(f)
    say = small if f.metric in ("brier", "ece") else number
    return Cell(say(f.value), sub=f"{say(f.low)} to {say(f.high)}")
