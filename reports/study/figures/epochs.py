"""Training curves: losses, and what the validation split said, a row of panes per model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.study_results import Trained
from reports.figures.style import SOFT, as_address, drawing, look, shorten


def training(rows: Sequence[tuple[str, Trained]], title: str) -> str:
    """Left: mean cross-entropy per epoch. Right: validation accuracy, AUROC. Kept epoch marked."""
    from matplotlib.ticker import MaxNLocator

    with drawing(2, len(rows), 0.55 + 1.55 * len(rows)) as (figure, grid):
        handles: dict[str, Any] = {}
        for line, (name, model) in zip(grid, rows, strict=True):
            handles |= _losses(line[0], model)
            handles |= _scores(line[1], model)
            for axes, words in zip(line, ("loss", "validation"), strict=True):
                handles |= _marks(axes, model)
                axes.set_title(f"{shorten(name, 34)}, {words}")
        for axes in grid.flat:
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        for axes in grid[-1]:
            axes.set_xlabel("epoch")
        figure.legend(handles.values(), handles, loc="outside upper left", ncols=3)
        return as_address(figure, title)


def _losses(axes: Any, model: Trained) -> dict[str, Any]:
    axes.set_ylabel("cross-entropy")
    return _lines(
        axes,
        model,
        {"training loss": (0, "train_loss"), "validation loss": (1, "val_loss")},
    )


def _scores(axes: Any, model: Trained) -> dict[str, Any]:
    handles = _lines(
        axes,
        model,
        {"validation accuracy": (2, "val_accuracy"), "validation AUROC": (3, "val_auroc")},
    )
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1])
    return handles


def _lines(axes: Any, model: Trained, wanted: dict[str, tuple[int, str]]) -> dict[str, Any]:
    handles = {}
    for word, (at, field) in wanted.items():
        points = [(row.number, getattr(row, field)) for row in model.epochs]
        known = [(x, y) for x, y in points if y is not None]
        if known:
            every = max(1, len(known) // 12)
            (handles[word],) = axes.plot(
                *zip(*known, strict=True), **look(at), markevery=every, markersize=2.8
            )
    return handles


def _marks(axes: Any, model: Trained) -> dict[str, Any]:
    """Where the body was unfrozen, and the epoch whose weights were kept."""
    handles = {}
    frozen = [row.number for row in model.epochs if row.phase == "frozen"]
    if frozen and len(frozen) < len(model.epochs):
        handles["unfrozen"] = axes.axvline(max(frozen) + 0.5, color=SOFT, linewidth=0.8)
    if model.best_epoch is not None:
        handles["weights kept"] = axes.axvline(
            model.best_epoch, color=SOFT, linewidth=0.9, linestyle=(0, (2, 2))
        )
    return handles
