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
    return [table, Text(_apart(material), "Selection and test.")]


def _apart(material: StudyMaterial) -> str:
    """Whether what is reported was kept from what chose the weights."""
    results = material.results
    if results.as_published:
        return (
            "Judged on the images that chose their weights, as the published study did: "
            "optimistic. A held-out test split is the default of this command."
        )
    if not any(split.name == "train" for split in results.splits):
        return (
            "Nothing was fitted in this study. Whether a model that was given was fitted to any "
            "of these images is not known."
        )
    if all(split.patients is not None for split in results.splits):
        return "No patient is in two splits; the test split took no part in fitting or choosing."
    return "Patients are not identified in every split: whether one is in two cannot be told."


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
