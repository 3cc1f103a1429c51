"""Section 7: the rotation × translation map, worst beside average."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Figure, Table
from reports.figures.heat import heat
from reports.material import Material
from reports.numbers import full
from reports.panels.registry import panel

Place = tuple[float, float, float]


@panel("rotation_map")
def rotation_map(material: Material) -> Sequence[Block]:
    cells = material.cells()
    if not cells:
        return []
    by_place = {_place(f): f for f in cells}
    values = {place: f.value for place, f in by_place.items() if f.value is not None}
    rows = sorted({place[0] for place in by_place})
    columns = sorted({place[1:] for place in by_place})
    n = cells[0].n
    caption = (
        f"Accuracy in % under each rotation and shift, on {n} cases. Every cell counts every case; "
        "colours run from 0% (dark blue) to 100% (yellow)."
    )
    alt = (
        f"Heat map of accuracy over {len(rows)} rotations and {len(columns)} shifts. "
        + _in_words(by_place)
    )
    return [Figure(heat(rows, columns, values, caption), alt, caption), _table(material, by_place)]


def _place(f: Finding) -> Place:
    angle, dx, dy = (f.params.get(name, 0.0) for name in ("angle", "dx", "dy"))
    return (float(angle), float(dx), float(dy))


def _in_words(by_place: dict[Place, Finding]) -> str:
    known = [f for f in by_place.values() if f.value is not None]
    if not known:
        return "No cell has a value."
    low = min(known, key=lambda f: f.value or 0.0)
    high = max(known, key=lambda f: f.value or 0.0)
    return f"Lowest {_at(low)} {full(low)}; highest {_at(high)} {full(high)}."


def _at(f: Finding) -> str:
    angle, dx, dy = _place(f)
    return f"at {angle:+g}°, {100 * dx:+g}% across, {100 * dy:+g}% down:"


def _table(material: Material, by_place: dict[Place, Finding]) -> Table:
    known = [f for f in by_place.values() if f.value is not None]
    rows = []
    still = by_place.get((0.0, 0.0, 0.0))
    if still:
        rows.append(["Not moved", full(still)])
    for variant, words in (
        ("average", "Average over all cells"),
        ("worst cell", "Worst cell of each image"),
    ):
        for metric in ("robust_accuracy", "accuracy"):
            found = (
                [
                    f
                    for f in material.results.find(metric, variant=variant, group={}, contrast=None)
                    if f.stress == known[0].stress and f.defence == "none"
                ]
                if known
                else []
            )
            if found:
                rows.append([f"{words} ({metric.replace('_', ' ')})", full(found[0])])
                break
    low = sorted(known, key=lambda f: (f.value or 0.0, _place(f)))[:3]
    rows += [[f"Low cell, {_at(f).removesuffix(':')}", full(f)] for f in low]
    return Table("Worst beside average", ["Position", "Accuracy"], rows, widths=(50, 50))
