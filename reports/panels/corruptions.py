"""Section 7: dose and response of the corruptions under which accuracy falls."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.changes import change_cell
from reports.corruptions import RATES, Dose, clean_of, doses
from reports.figures.curves import Pane, curves
from reports.language import _
from reports.material import Material
from reports.names import LEVELS
from reports.numbers import left_out, level, listed, metric_name, sentence, stress_name
from reports.panels.registry import panel

MOST_PANES = 9


@panel("corruption_curves")
def corruption_curves(material: Material) -> Sequence[Block]:
    found = doses(material)
    falling = sorted((d for d in found if d.falls_at is not None), key=_change_at_worst)
    shown = falling[:MOST_PANES]
    blocks: list[Block] = []
    if shown:
        panes = [_pane(material, dose) for dose in shown]
        blocks = [_figure(panes), _table(shown, len(falling))]
    return [*blocks, *_not_fallen(found)]


def _change_at_worst(dose: Dose) -> float:
    changes = [f.value for f in dose.changes["accuracy"] if f is not None and f.value is not None]
    return min(changes, default=0.0)


def _figure(panes: Sequence[Pane]) -> Figure:
    caption = _(
        "Accuracy, sensitivity and specificity against severity, for the corruptions with a "
        "detectable loss of accuracy, largest loss first. Bands: 95% CI. Dashed: accuracy of the "
        "same images without the change. Severities keep their order, not their distance."
    )
    alt = _(
        "One set of axes per corruption ({names}): {metrics} against severity with 95% bands, and "
        "accuracy without the change as a dashed line. Numbers are in the table below."
    ).format(
        names=", ".join(pane.title for pane in panes),
        metrics=", ".join(metric_name(metric) for metric in RATES),
    )
    picture = curves(panes, _("severity"), caption)
    return Figure(picture, alt, caption, "half" if len(panes) == 1 else "full")


def _pane(material: Material, dose: Dose) -> Pane:
    """From none over mild to gross."""
    series: dict[str, list[tuple[float, Finding]]] = {}
    for metric in RATES:
        points = [(float(x + 1), f) for x, f in enumerate(dose.rates[metric]) if f is not None]
        series[metric_name(metric)] = [(0.0, clean_of(material, dose, metric)), *points]
    ticks = [_("none"), *(level(value) for value in dose.levels)]
    height = clean_of(material, dose, "accuracy").value
    lines = {} if height is None else {_("accuracy without the change"): height}
    axis = _(LEVELS.get(dose.parameter, dose.parameter.replace("_", " ")))
    return Pane(sentence(stress_name(dose.stress)), series, lines, axis, ticks)


def _table(shown: Sequence[Dose], of: int) -> Table:
    """Per corruption the first level with a loss, and the grossest where that is another."""
    rows: list[list[str | Cell]] = []
    for dose in shown:
        first, last = dose.falls_at or 0, len(dose.levels) - 1
        for place in dict.fromkeys((first, last)):
            name = sentence(stress_name(dose.stress)) if place == first else ""
            when = _("first loss") if place == first else _("grossest")
            setting = f"{level(dose.levels[place])} ({when})"
            cells = [rate_cell(dose.rates[metric][place]) for metric in RATES]
            change = change_cell(dose.changes["accuracy"][place])
            rows.append([Cell(name or setting, sub=setting if name else ""), change, *cells])
    columns = [_("Corruption, severity"), _("Change of accuracy")]
    columns += [sentence(metric_name(metric)) for metric in RATES]
    note = _(
        "Change: in points, against the same images without the change, paired, 95% CI below it. "
        "A loss is detectable where that interval lies below 0; each severity is looked at on "
        "its own. 95% CI · k/n below each rate. † imprecise. Severities between are drawn above "
        "and stand in audit.json."
    )
    if of > len(shown):
        note += " " + _("The {n} with the largest loss; all {of} are in audit.json.").format(
            n=len(shown), of=of
        )
    caption = _("Where accuracy falls")
    return Table(caption, columns, rows, note, frozenset({1, 2, 3, 4}), (24, 19, 19, 19, 19))


def _not_fallen(found: Sequence[Dose]) -> list[Block]:
    """What was looked at and not found, with its denominator; never that it is absent."""
    tried = [d for d in found if d.first_loss is not None and d.falls_at is None]
    untold = [d for d in tried if d.first_loss is not None and left_out(d.first_loss)]
    sought = [d for d in tried if d not in untold]
    blocks: list[Block] = []
    for n in dict.fromkeys(dose.n for dose in sought):
        same = [dose for dose in sought if dose.n == n]
        names = listed([
            f"{stress_name(dose.stress)} ({level(dose.levels[-1])})" if dose.levels
            else stress_name(dose.stress)
            for dose in same
        ])  # fmt: skip
        words = _(
            "No loss of accuracy found in {n} images up to the grossest severity (in brackets) "
            "of {names}. A small loss may be missed in so many images."
        )
        blocks.append(Text(words.format(n=n, names=names), _("Nothing found.")))
    if untold:
        words = _("This edition leaves out whether accuracy falls under {names}: small counts.")
        names = listed([stress_name(dose.stress) for dose in untold])
        blocks.append(Text(words.format(names=names), _("Left out.")))
    left = [stress_name(dose.stress) for dose in found if dose.first_loss is None]
    if left:
        words = _("At fewer than three severities, so no first loss was looked for: {names}.")
        blocks.append(Text(words.format(names=listed(left)), _("Not looked for.")))
    return blocks
