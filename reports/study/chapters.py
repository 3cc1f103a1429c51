"""Which chapters a study's report has, by kind, and what each is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports.blocks import Block
from reports.study.material import StudyMaterial
from reports.study.panels.audits import audits, other_stressed
from reports.study.panels.differences import differences
from reports.study.panels.methods import inconsistencies, limits, methods
from reports.study.panels.paired import paired_tests
from reports.study.panels.pictures import pictures
from reports.study.panels.readers import agreement
from reports.study.panels.recipe import recipe
from reports.study.panels.splits import splits
from reports.study.panels.sweep import sweeps
from reports.study.panels.table import (
    accuracy_bars,
    baseline,
    failures,
    other_metrics,
    results_table,
)
from reports.study.panels.training import curves, range_tests
from reports.study.panels.views import by_view

Panel = Callable[[StudyMaterial], Sequence[Block]]
TABLES: tuple[Panel, ...] = (results_table, baseline, other_metrics, failures)
RESULTS: dict[str, tuple[Panel, ...]] = {
    "models": (accuracy_bars, *TABLES),
    "views": (accuracy_bars, *TABLES, differences),
    "learning-curve": (sweeps, baseline, failures, differences),
    "resolution": (sweeps, baseline, failures, differences),
    "readers": (agreement, differences, failures),
}


@dataclass(frozen=True)
class Chapter:
    id: str
    number: int
    title: str
    blocks: Sequence[Block]


def chapters(material: StudyMaterial) -> list[Chapter]:
    """Numbered in order; a chapter that has nothing to say is left out."""
    made = [(name, title, _blocks(material, panels)) for name, title, panels in _plan(material)]
    kept = [(name, title, blocks) for name, title, blocks in made if blocks]
    return [Chapter(n, at, title, blocks) for at, (n, title, blocks) in enumerate(kept, start=1)]


def _plan(material: StudyMaterial) -> list[tuple[str, str, tuple[Panel, ...]]]:
    kind = material.results.kind
    heading = "Agreement" if kind == "readers" else "Results on the test split"
    first = ("results", heading, RESULTS[kind])
    data = ("data", "Splits", (splits,))
    last = [
        ("open", "The published text", (inconsistencies,)),
        ("methods", "Limits and methods", (limits, methods)),
    ]
    who = "readers" if kind == "readers" else "models"
    pairs = ("pairs", f"Paired tests between {who}", (paired_tests,))
    if kind == "readers":
        return [first, pairs, data, *last]
    views = ("views", "Frontal against lateral", (by_view,))
    fitted = [
        ("recipe", "Recipe", (recipe,)),
        ("rates", "Learning-rate range tests", (range_tests,)),
        ("epochs", "Training curves", (curves,)),
    ]
    seen: list[tuple[str, str, tuple[Panel, ...]]] = [
        ("pictures", "Pictures", (pictures,)),
        ("audits", "Audits of the models", (audits, other_stressed)),
    ]
    return [first, pairs, views, data, *fitted, *seen, *last]


def _blocks(material: StudyMaterial, panels: Sequence[Panel]) -> list[Block]:
    return [block for panel in panels for block in panel(material)]
