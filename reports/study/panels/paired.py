"""Paired tests between models on the same images: McNemar, adjusted by Holm."""

from __future__ import annotations

from collections.abc import Sequence

from audit.study_results import PairedTest
from reports.blocks import Block, Cell, Table
from reports.numbers import metric_name
from reports.study.material import StudyMaterial

WIDEST = 8
MOST_ROWS = 80
LEVEL = 0.05


def paired_tests(material: StudyMaterial) -> Sequence[Block]:
    """A matrix per metric where it fits the page, else a list by rising p."""
    found: list[Block] = []
    for metric in dict.fromkeys(test.metric for test in material.results.tests):
        tests = [test for test in material.results.tests if test.metric == metric]
        named = {name for test in tests for name in (test.first, test.second)}
        order = [model.name for model in material.results.models if model.name in named]
        order += sorted(named - set(order))
        square = 3 <= len(order) <= WIDEST
        found.append(
            _matrix(material, metric, tests, order) if square else _list(material, metric, tests)
        )
    return found


def _matrix(
    material: StudyMaterial, metric: str, tests: Sequence[PairedTest], order: Sequence[str]
) -> Table:
    cells = {(test.first, test.second): test for test in tests}
    rows: list[list[str | Cell]] = []
    for at, row in enumerate(order):
        line: list[str | Cell] = [Cell(f"{at + 1} {material.label(row)}")]
        for other, column in enumerate(order):
            line.append(_cell(cells, row, column, upper=other > at) if other != at else "")
        rows.append(line)
    share = 70 // len(order)
    widths = (100 - share * len(order), *(share for _ in order))
    note = (
        "Above the diagonal: p after Holm, bold below .05. Below it: images "
        f"{_did(metric)} only by the row's / only by the column's, of {_counts(tests)}. Exact "
        "McNemar test. A large p does not show that the two are equal."
    )
    columns = ["Model", *(str(i + 1) for i in range(len(order)))]
    title = f"Paired tests of {metric_name(metric)}"
    return Table(title, columns, rows, note, frozenset(range(1, len(columns))), widths)


def _cell(
    cells: dict[tuple[str, str], PairedTest], row: str, column: str, *, upper: bool
) -> str | Cell:
    test, turned = cells.get((row, column)), cells.get((column, row))
    known = test or turned
    if known is None:
        return "–"
    if upper:
        return Cell(p_value(known.p_holm), strong=known.p_holm < LEVEL)
    mine, other = known.only_first, known.only_second
    return f"{mine}/{other}" if test else f"{other}/{mine}"


def _list(material: StudyMaterial, metric: str, tests: Sequence[PairedTest]) -> Table:
    ranked = sorted(tests, key=lambda test: (test.p_holm, test.p))
    rows: list[list[str | Cell]] = [
        [
            material.label(test.first),
            material.label(test.second),
            f"{test.only_first}/{test.only_second}",
            str(test.n),
            p_value(test.p),
            Cell(p_value(test.p_holm), strong=test.p_holm < LEVEL),
        ]
        for test in ranked[:MOST_ROWS]
    ]
    left = len(ranked) - len(rows)
    note = (
        f"Images {_did(metric)} by the first only / by the second only. Exact McNemar test; p "
        f"after Holm is over all pairs of this metric ({len(tests)}), bold below .05. A large p "
        "does not show that the two are equal."
    )
    if left:
        note += f" {left} more pairs, with larger p, are in study.json."
    return Table(
        f"Paired tests of {metric_name(metric)}",
        ["First", "Second", "Only first / only second", "n", "p", "p after Holm"],
        rows,
        note,
        frozenset({2, 3, 4, 5}),
        (26, 26, 16, 10, 10, 12),
    )


def _did(metric: str) -> str:
    return "called positive" if metric.startswith("positive") else "decided rightly"


def _counts(tests: Sequence[PairedTest]) -> str:
    sizes = sorted({test.n for test in tests})
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"


def p_value(p: float) -> str:
    """ "<.001", ".034", "1"; three decimals as journals print them.

    >>> p_value(0.00002), p_value(0.0341), p_value(1.0)
    ('<.001', '.034', '1')
    """
    if p < 0.001:
        return "<.001"
    return "1" if p >= 0.9995 else f"{p:.3f}".removeprefix("0")
