"""What the models were fitted, chosen and tested on."""

from __future__ import annotations

from collections.abc import Sequence

from audit.study_results import SplitCount
from reports.blocks import Block, Table, Text
from reports.study.material import StudyMaterial

NAMES = {"train": "Training", "val": "Validation", "test": "Test"}
ROLES = {
    "train": "weights are fitted on it",
    "val": "decides when training stops and which weights are kept",
    "test": "is what this report's numbers are about",
}


def splits(material: StudyMaterial) -> Sequence[Block]:
    counted = material.results.splits
    if not counted:
        return [Text("Not recorded.", "Splits.")]
    positive = material.results.positive_class
    rows = [_row(split) for split in counted]
    columns = ["Split", "Images", "Patients", "Prevalence", "Labels", "Views"]
    note = f"Prevalence: share of images labelled {positive}. " + "; ".join(
        f"{NAMES[split.name].lower()} {ROLES[split.name]}" for split in counted
    )
    table = Table(
        "Splits", columns, rows, note + ".", frozenset({1, 2, 3}), (14, 12, 14, 14, 22, 24)
    )
    words = (
        "Judged on the images that chose their weights, as the published study did: optimistic. "
        "A held-out test split is the default of this command."
        if material.results.as_published
        else "No patient is in two splits; the test split took no part in fitting or choosing."
        if all(split.patients is not None for split in counted)
        else "Patients are not identified in every split: whether one is in two cannot be told."
    )
    return [table, Text(words, "Selection and test.")]


def _row(split: SplitCount) -> list[str]:
    return [
        NAMES[split.name],
        str(split.images),
        "not identified" if split.patients is None else str(split.patients),
        f"{100 * split.prevalence:.1f}%",
        _counts(split.labels) or "not recorded",
        _counts(split.views) or "not recorded",
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
