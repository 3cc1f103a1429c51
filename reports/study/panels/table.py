"""The results table beside the published one, and Figure 3."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from audit.study_results import Published, Trained
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.study.figures.bars import Bar, bars
from reports.study.material import StudyMaterial

OTHERS = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "f1": "F1",
    "auroc": "AUROC",
}
BASELINE = "always the commoner class"


def results_table(material: StudyMaterial) -> Sequence[Block]:
    """Accuracy of every model with its Wilson interval, the published value beside it."""
    published = bool(material.results.published)
    rows = [_row(material, model, published) for model in material.results.models]
    rows += [_not_trained(p) for p in _left_over(material)]
    columns = ["Model", "Parameters", "Accuracy, this study"]
    widths: tuple[int, ...] = (34, 18, 48)
    note = (
        "95% Wilson interval · k/n below each value. "
        f"Positive class: {material.results.positive_class}."
    )
    if published:
        columns += ["Accuracy, published"]
        widths = (34, 16, 25, 25)
        sources = "; ".join(dict.fromkeys(row.source for row in material.results.published))
        note += (
            " Published values are of other images, and were measured on the images that decided "
            "when training stopped; their intervals follow from the nearest count. No test "
            f"compares the two columns. Published in: {sources}."
        )
    title = "Accuracy on the test split"
    return [
        Table(title, columns, rows, note, frozenset({1, 2, 3} if published else {1, 2}), widths)
    ]


def _row(material: StudyMaterial, model: Trained, published: bool) -> list[str | Cell]:
    parameters = f"{model.parameters / 1e6:.2f} M" if model.parameters else "–"
    part = model.settings.get("view")
    only = f"tested on {part} images only" if part else ""
    name = Cell(material.label(model.name), strong=model is material.best, sub=only)
    row: list[str | Cell] = [name, parameters]
    if model.state == "done":
        row.append(rate_cell(material.found(model, "accuracy")))
    else:
        row.append(Cell("–", sub="failed, see below" if model.state == "failed" else "not trained"))
    if published:
        row.append(_published(material.published_of(model)))
    return row


def _not_trained(row: Published) -> list[str | Cell]:
    return [row.title, "–", Cell("–", sub="not in this study"), _published(row)]


def _published(row: Published | None) -> Cell:
    if row is None:
        return Cell("–", sub="none")
    return Cell(
        f"{100 * row.accuracy:.2f}%", sub=f"{100 * row.low:.2f}–{100 * row.high:.2f}% · n = {row.n}"
    )


def _left_over(material: StudyMaterial) -> list[Published]:
    trained = {model.architecture for model in material.results.models}
    return [row for row in material.results.published if row.architecture not in trained]


def other_metrics(material: StudyMaterial) -> Sequence[Block]:
    """Sensitivity to AUROC, one row per finished model."""
    shown = [m for m in OTHERS if any(material.found(model, m) for model in material.done)]
    if not shown:
        return []
    rows: list[list[str | Cell]] = [
        [material.label(model.name), *(rate_cell(material.found(model, m)) for m in shown)]
        for model in material.done
    ]
    share = 74 // len(shown)
    widths = (100 - share * len(shown), *(share for _ in shown))
    note = "95% CI · k/n below each value. † imprecise: half-width over 10 points."
    columns = ["Model", *(OTHERS[m] for m in shown)]
    title = f"What else the test split says (positive class: {material.results.positive_class})"
    return [Table(title, columns, rows, note, frozenset(range(1, len(columns))), widths)]


def accuracy_bars(material: StudyMaterial) -> Sequence[Block]:
    """Figure 3: accuracy of every finished model, published values beside."""
    known = [
        (m, f) for m in material.comparable if (f := material.found(m, "accuracy")) and _has(f)
    ]
    if not known:
        return []
    names = [material.label(model.name) for model, _ in known]
    series: dict[str, Sequence[Bar | None]] = {"this study": [_bar(f) for _, f in known]}
    beside = [material.published_of(model) for model, _ in known]
    if any(beside):
        series["published"] = [Bar(p.accuracy, p.low, p.high) if p else None for p in beside]
    baseline = material.results.baseline
    line = (BASELINE, baseline) if baseline is not None else None
    number = "Figure 3. " if material.results.kind == "models" else ""
    caption = (
        f"{number}Accuracy on the test split with 95% Wilson intervals"
        + (", the published values beside them (hatched; other images)" if any(beside) else "")
        + ". Accuracy alone does not say which errors are made, and depends on the share of "
        "positives; the table gives sensitivity and specificity."
    )
    alt = (
        f"Bars of accuracy for {', '.join(names)} with 95% intervals"
        + (", each beside its published value" if any(beside) else "")
        + ". The numbers are in the table below."
    )
    return [Figure(bars(names, series, caption, line), alt, caption)]


def _has(finding: Finding) -> bool:
    return finding.value is not None


def _bar(finding: Finding) -> Bar:
    return Bar(finding.value or 0.0, finding.low, finding.high)


def failures(material: StudyMaterial) -> Sequence[Block]:
    """Models without a result, each with its reason."""
    if not material.unfinished:
        return []
    rows = [
        [material.label(model.name), model.state, model.reason or "no reason recorded"]
        for model in material.unfinished
    ]
    return [Table("Models without a result", ["Model", "State", "Why"], rows, widths=(30, 14, 56))]


def baseline(material: StudyMaterial) -> Sequence[Block]:
    """What a model must beat to have learned anything."""
    value = material.results.baseline
    if value is None:
        return []
    words = f"Always answering the commoner class gives an accuracy of {100 * value:.1f}%."
    return [Text(words, "Baseline.")]
