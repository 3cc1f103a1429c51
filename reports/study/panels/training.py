"""Learning-rate range tests and training curves, with their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.study_results import EpochRow, RangeTest, Trained
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.study.figures.epochs import training
from reports.study.figures.rates import PHASES, rates
from reports.study.material import StudyMaterial

PER_PICTURE = 4
MOST_EPOCHS = 70
MOST_DECAYS = 6
ENDED = {
    "epochs": "the recipe's largest number of epochs",
    "early stop": "no better validation value for as many epochs as the recipe waits",
    "time": "the time limit",
}


def range_tests(material: StudyMaterial) -> Sequence[Block]:
    """Pictures of four models each, then one table of all tests."""
    tested = [model for model in material.results.models if model.range_tests]
    if not tested:
        return [Text("None was run: the learning rate was given.", "Range tests.")]
    found: list[Block] = []
    for part in _parts(tested):
        names = [material.label(model.name) for model in part]
        caption = (
            f"Learning-rate range tests: {', '.join(names)}. The line of the chosen weight decay "
            "is thick; a diamond marks its suggestion, where the smoothed loss falls fastest. One "
            "short run per line: the curve depends on the order of the batches, and it does not "
            "say which rate ends at the best model."
        )
        alt = (
            f"Smoothed loss against learning rate for {', '.join(names)}, body frozen and all "
            "layers, one line per weight decay. The suggestions are in the table below."
        )
        rows = [(material.label(model.name), model.range_tests) for model in part]
        found.append(Figure(rates(rows, caption), alt, caption))
    return [*found, _suggestions(material, tested)]


def _suggestions(material: StudyMaterial, tested: Sequence[Trained]) -> Table:
    """A row per model and phase, a column per weight decay."""
    decays = sorted({t.weight_decay for m in tested for t in m.range_tests}, reverse=True)
    decays = decays[:MOST_DECAYS]
    rows: list[list[str | Cell]] = []
    for model in tested:
        for phase, words in PHASES.items():
            same = {t.weight_decay: t for t in model.range_tests if t.phase == phase}
            cells = [_suggestion(same.get(decay)) for decay in decays]
            rows.append([material.label(model.name), words, *cells, _used(model, phase)])
    columns = ["Model", "Phase", *(f"Weight decay {d:g}" for d in decays), "Rate used"]
    note = (
        "The suggested rate, and below it the lowest smoothed loss (Smith 2018). Suggestion: the "
        "steepest fall of the smoothed loss, the first 10 and last 5 points left out. Bold: the "
        "chosen weight decay. Where the rate that was used is another one, the recipe says why."
    )
    share = 48 // len(decays)
    widths = (72 - share * len(decays), 15, *(share for _ in decays), 13)
    numeric = frozenset(range(2, len(columns)))
    return Table("Learning-rate range tests", columns, rows, note, numeric, widths)


def _used(model: Trained, phase: str) -> str:
    """The peak rate the fit recorded for a phase."""
    place: Any = model.recipe
    for name in ("used", "phases", phase, "lr"):
        place = place.get(name) if isinstance(place, Mapping) else None
    return f"{place:.2e}" if isinstance(place, float) else "–"


def _suggestion(test: RangeTest | None) -> Cell:
    if test is None:
        return Cell("–", sub="not run")
    losses = test.smoothed or test.losses
    rate = "none" if test.suggestion is None else f"{test.suggestion:.2e}"
    lowest = f"lowest {min(losses):.3f}, {len(losses)} points" if losses else "no point"
    return Cell(rate, strong=test.chosen, sub=lowest)


def curves(material: StudyMaterial) -> Sequence[Block]:
    """Losses and validation scores per epoch, four models a picture, then what was kept."""
    trained = [model for model in material.results.models if model.epochs]
    if not trained:
        return [Text("No epoch was recorded.", "Training curves.")]
    found: list[Block] = []
    for part in _parts(trained):
        names = [material.label(model.name) for model in part]
        caption = (
            f"Training: {', '.join(names)}. Dashed line: the epoch whose weights were kept; solid "
            "grey line: the body was unfrozen. Training loss is measured with augmentation and "
            "dropout, validation loss without: their gap is not overfitting alone."
        )
        alt = (
            f"Losses and validation scores per epoch for {', '.join(names)}. The epochs that "
            "matter are in the table below."
        )
        rows = [(material.label(model.name), model) for model in part]
        found.append(Figure(training(rows, caption), alt, caption))
    return [*found, _epochs(material, trained), _ends(material, trained)]


def _epochs(material: StudyMaterial, trained: Sequence[Trained]) -> Table:
    kept = {model.name: _told(model) for model in trained}
    total = sum(len(model.epochs) for model in trained)
    rows = [
        [material.label(model.name), *_epoch(row, model)]
        for model in trained
        for row in kept[model.name]
    ][: max(MOST_EPOCHS, 4 * len(trained))]
    columns = [
        "Model",
        "Epoch",
        "Last rate",
        "Training loss",
        "Validation loss",
        "Accuracy",
        "AUROC",
    ]
    note = (
        f"First, last frozen, kept (*) and last epoch of each model; all {total} are in "
        "study.json and in each model's training log. Accuracy and AUROC of the validation split."
    )
    numeric = frozenset(range(1, 7))
    return Table("Epochs", columns, rows, note, numeric, (28, 10, 13, 13, 13, 12, 11))


def _told(model: Trained) -> list[EpochRow]:
    frozen = [row.number for row in model.epochs if row.phase == "frozen"]
    numbers = {model.epochs[0].number, model.epochs[-1].number, *frozen[-1:], model.best_epoch}
    return [row for row in model.epochs if row.number in numbers]


def _epoch(row: EpochRow, model: Trained) -> list[str]:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    star = "*" if row.number == model.best_epoch else ""
    accuracy = "–" if row.val_accuracy is None else f"{100 * row.val_accuracy:.1f}%"
    return [
        f"{row.number}{star}",
        f"{row.lr:.1e}",
        number(row.train_loss),
        number(row.val_loss),
        accuracy,
        number(row.val_auroc),
    ]


def _ends(material: StudyMaterial, trained: Sequence[Trained]) -> Table:
    rows = []
    for model in trained:
        frozen = sum(row.phase == "frozen" for row in model.epochs)
        kept = "–" if model.best_epoch is None else str(model.best_epoch)
        ended = ENDED.get(model.ended, model.ended) or "not recorded"
        counts = [str(frozen), str(len(model.epochs) - frozen), kept]
        rows.append([material.label(model.name), *counts, ended])
    columns = ["Model", "Epochs frozen", "Epochs unfrozen", "Epoch kept", "Why training ended"]
    numeric = frozenset({1, 2, 3})
    return Table("How training ended", columns, rows, "", numeric, (28, 13, 14, 11, 34))


def _parts(models: Sequence[Trained]) -> list[Sequence[Trained]]:
    return [models[at : at + PER_PICTURE] for at in range(0, len(models), PER_PICTURE)]
