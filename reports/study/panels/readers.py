"""Agreement of readers, and of the model with each: a forest of kappa and its table."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.numbers import group_name, metric_name
from reports.study.figures.dots import dots
from reports.study.material import StudyMaterial

MOST_ROWS = 60
MOST_COLUMNS = 5


def agreement(material: StudyMaterial) -> Sequence[Block]:
    """Kappa drawn, every measure of agreement in the table."""
    known = [f for f in material.results.findings if f.contrast is None]
    if not known:
        return [Text("No agreement was computed.", "Agreement.")]
    metrics = list(dict.fromkeys(f.metric for f in known))
    rows = list(dict.fromkeys(_who(f) for f in known))
    cells = {(_who(f), f.metric): f for f in known}
    return [*_forest(rows, cells, metrics), *_tables(rows, cells, metrics)]


def _forest(
    rows: Sequence[str], cells: dict[tuple[str, str], Finding], metrics: Sequence[str]
) -> list[Figure]:
    kappas = [metric for metric in metrics if "kappa" in metric][:2]
    drawn = [row for row in rows if any((row, metric) in cells for metric in kappas)][:MOST_ROWS]
    if not kappas or not drawn:
        return []
    panes = {_spoken(m): {_spoken(m): [cells.get((row, m)) for row in drawn]} for m in kappas}
    lows = [f.low for f in cells.values() if "kappa" in f.metric and f.low is not None]
    bottom = min([-0.2, *lows])
    caption = (
        "Cohen's kappa with 95% CI; 1 is full agreement, 0 what chance alone would give. Kappa "
        "depends on how common the finding is, and agreement does not say who is right."
    )
    alt = f"Forest plot of kappa for {'; '.join(drawn[:12])}. The numbers are in the table below."
    single = {name: {"": next(iter(series.values()))} for name, series in panes.items()}
    source = dots(drawn, single, caption, (bottom, 1.0), {"chance": 0.0})
    return [Figure(source, alt, caption)]


def _tables(
    rows: Sequence[str], cells: dict[tuple[str, str], Finding], metrics: Sequence[str]
) -> list[Table]:
    found = []
    for at in range(0, len(metrics), MOST_COLUMNS):
        part = metrics[at : at + MOST_COLUMNS]
        lines: list[list[str | Cell]] = [
            [row, *(rate_cell(cells.get((row, metric))) for metric in part)]
            for row in rows[:MOST_ROWS]
        ]
        share = 66 // len(part)
        widths = (100 - share * len(part), *(share for _ in part))
        columns = ["Who and which images", *(_spoken(metric) for metric in part)]
        note = "95% CI · k/n below each value. † imprecise."
        numeric = frozenset(range(1, len(columns)))
        found.append(Table("Agreement", columns, lines, note, numeric, widths))
    return found


def _who(f: Finding) -> str:
    sides = [str(f.params[name]) for name in ("first", "second") if name in f.params]
    words = " and ".join(sides) or f.variant or ", ".join(str(v) for v in f.params.values())
    return f"{words or 'all'}: {group_name(f.group)}"


def _spoken(metric: str) -> str:
    words = metric_name(metric)
    return words[:1].upper() + words[1:]
