"""Section 7: the rotation × translation map, worst beside average."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table
from reports.cells import rate_cell
from reports.figures.heat import heat
from reports.language import N_, _, decimal
from reports.material import Material
from reports.numbers import full, metric_name, sentence
from reports.panels.registry import panel

Place = tuple[float, float, float]
LOWEST = 3
TOGETHER = {
    "average": N_("Average over all positions"),
    "worst cell": N_("Worst position of each image (right in all of them)"),
}


@panel("rotation_map")
def rotation_map(material: Material) -> Sequence[Block]:
    cells = material.cells()
    if not cells:
        return []
    by_place = {_place(f): f for f in cells}
    values = {place: f.value for place, f in by_place.items() if f.value is not None}
    if not values:  # an edition without small counts may leave all of them out
        return [_table(material, by_place)]
    rows = sorted({place[0] for place in by_place})
    columns = sorted({place[1:] for place in by_place})
    caption = _(
        "Accuracy in % under each rotation and shift, on {n} images; every cell counts every "
        "image. Colours run from 0% (dark blue) to 100% (yellow). It shows these positions of a "
        "prepared image, not a patient positioned otherwise."
    ).format(n=max(f.n for f in cells))
    alt = _("Heat map of accuracy over {rows} rotations and {columns} shifts.").format(
        rows=len(rows), columns=len(columns)
    )
    alt = f"{alt} {_in_words(by_place)}"
    return [Figure(heat(rows, columns, values, caption), alt, caption), _table(material, by_place)]


def _place(f: Finding) -> Place:
    angle, dx, dy = (f.params.get(name, 0.0) for name in ("angle", "dx", "dy"))
    return (float(angle), float(dx), float(dy))


def _in_words(by_place: dict[Place, Finding]) -> str:
    known = [f for f in by_place.values() if f.value is not None]
    if not known:
        return _("No cell has a value.")
    low = min(known, key=lambda f: f.value or 0.0)
    high = max(known, key=lambda f: f.value or 0.0)
    return _("Lowest at {low}: {lowest}; highest at {high}: {highest}.").format(
        low=_at(low), lowest=full(low), high=_at(high), highest=full(high)
    )


def _at(f: Finding) -> str:
    angle, dx, dy = _place(f)
    words = _("{angle}°, {across}% across, {down}% down").format(
        angle=f"{angle:+g}", across=f"{100 * dx:+g}", down=f"{100 * dy:+g}"
    )
    return decimal(words.replace("-", "−"))


def _table(material: Material, by_place: dict[Place, Finding]) -> Table:
    known = [f for f in by_place.values() if f.value is not None]
    rows: list[list[str | Cell]] = []
    still = by_place.get((0.0, 0.0, 0.0))
    if still:
        rows.append([_("Not moved"), rate_cell(still)])
    for variant, words in TOGETHER.items():
        found = _over_all(material, variant, next(iter(by_place.values())).stress)
        if found:
            rows.append([_(words), rate_cell(found)])
    low = sorted(known, key=lambda f: (f.value or 0.0, _place(f)))[:LOWEST]
    rows += [[_("Low position: {place}").format(place=_at(f)), rate_cell(f)] for f in low]
    columns = [_("Position"), sentence(metric_name("accuracy"))]
    note = _("95% CI · k/n below each value. † imprecise. The {n} lowest positions.")
    caption = _("Rotation and shift: worst beside average")
    return Table(caption, columns, rows, note.format(n=len(low)), frozenset({1}), widths=(64, 36))


def _over_all(material: Material, variant: str, stress: str) -> Finding | None:
    where = {"variant": variant, "stress": stress, "defence": "none", "group": {}}
    for metric in ("robust_accuracy", "accuracy"):
        found = material.results.find(metric, contrast=None, **where)
        if found:
            return found[0]
    return None
