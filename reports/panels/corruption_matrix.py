"""Section 7: every corruption by severity, as a picture and as the table of its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Figure, Table
from reports.cells import rate_cell
from reports.corruptions import Dose, doses
from reports.figures.matrix import FEWEST_COLUMNS, Row, matrix
from reports.language import N_, _
from reports.material import Material
from reports.names import LEVELS
from reports.numbers import level, metric_name, sentence, stress_name
from reports.panels.registry import panel

MOST_ROWS = 25
WHY = {
    "robust_sensitivity": N_(
        "Robust sensitivity: the share of positives decided correctly both without the change "
        "and under it."
    ),
    "robust_accuracy": N_(
        "Robust accuracy: the share of images decided correctly both without the change and "
        "under it; the samples hold too few positives for a sensitivity."
    ),
}


@panel("corruption_matrix")
def corruption_matrix(material: Material) -> Sequence[Block]:
    found = doses(material)
    metric = _metric(found)
    if not metric:
        return []
    ordered = sorted(found, key=lambda dose: _mean(dose, metric))
    shown = ordered[:MOST_ROWS]
    caption = " ".join([
        _(WHY[metric]),
        _(
            "In %, by corruption and severity; the severities stand below each name, from mild to "
            "gross, and the most affected corruption comes first. Framed: the first severity "
            "with a detectable loss of accuracy. One severity of one corruption is not "
            "comparable with the same number of another, and pictures altered by a program do "
            "not show what a scanner would do."
        ),
    ])  # fmt: skip
    alt = _(
        "Grid of {rows} corruptions by up to {columns} severities, coloured from 0% (dark blue) "
        "to 100% (yellow), with the number in each cell. The numbers are in the table below."
    ).format(rows=len(shown), columns=max(len(dose.rates[metric]) for dose in shown))
    rows = [_row(dose, metric) for dose in shown]
    axis = (_("severity 1 (mild)"), _("gross"))
    return [
        Figure(matrix(rows, axis, caption), alt, caption),
        _table(shown, metric, len(ordered)),
    ]


def _metric(found: Sequence[Dose]) -> str:
    """Robust sensitivity where at least half of the levels have it, else robust accuracy."""
    for metric in WHY:
        values = [f for dose in found for f in dose.rates[metric]]
        known = sum(f is not None and f.value is not None for f in values)
        if known and 2 * known >= len(values):
            return metric
    return ""


def _mean(dose: Dose, metric: str) -> float:
    values = [f.value for f in dose.rates[metric] if f is not None and f.value is not None]
    return sum(values) / len(values) if values else 2.0


def severities(dose: Dose) -> str:
    """ "part of the dose: .5 · .25 · .1"; "" of a corruption that has no severity."""
    if not dose.parameter:
        return ""
    name = _(LEVELS.get(dose.parameter, dose.parameter.replace("_", " ")))
    return f"{name}: {' · '.join(level(value) for value in dose.levels)}"


def _row(dose: Dose, metric: str) -> Row:
    values = [None if f is None else f.value for f in dose.rates[metric]]
    return Row(sentence(stress_name(dose.stress)), severities(dose), values, dose.falls_at)


def _table(shown: Sequence[Dose], metric: str, of: int) -> Table:
    count = max(FEWEST_COLUMNS, *(len(dose.rates[metric]) for dose in shown))
    rows: list[list[str | Cell]] = []
    for dose in shown:
        name = Cell(sentence(stress_name(dose.stress)), sub=severities(dose))
        cells = [rate_cell(f) for f in dose.rates[metric]]
        rows.append([name, *cells, *[""] * (count - len(cells))])
    columns = [_("Corruption"), *(str(x + 1) for x in range(count))]
    note = _("95% CI · k/n below each value. † imprecise.")
    if of > len(shown):
        note += " " + _("The {n} most affected; all {of} are in audit.json.").format(
            n=len(shown), of=of
        )
    share = 74 // count
    caption = _("{metric} by corruption and severity").format(metric=sentence(metric_name(metric)))
    widths = (100 - share * count, *(share for _column in range(count)))
    return Table(caption, columns, rows, note, frozenset(range(1, count + 1)), widths)
