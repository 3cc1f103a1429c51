"""What a study established: `study.json`, from which its report is rendered. No torch here.

A study fits models and compares them on one test split; `audit.json` is about one model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from audit.errors import DamagedFile, HipauditError
from audit.results import Artefact, Finding, Note, Part, Provenance

STUDY_SCHEMA_VERSION = 1
Kind = Literal["models", "views", "learning-curve", "resolution", "readers"]


class SplitCount(Part):
    """One split: what is in it. `prevalence`: share of the positive class among its images."""

    name: Literal["train", "val", "test"]
    images: int
    patients: int | None = None
    labels: dict[str, int] = Field(default_factory=dict)
    views: dict[str, int] = Field(default_factory=dict)
    prevalence: float


class RangeTest(Part):
    """One learning-rate range test (Smith 2018): rate and loss of each mini-batch."""

    phase: Literal["frozen", "all"]
    weight_decay: float
    rates: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    smoothed: tuple[float, ...] = ()
    suggestion: float | None = None
    chosen: bool = False


class EpochRow(Part):
    """One epoch. Losses are mean cross-entropy per image; accuracy and AUROC of the val split."""

    number: int
    phase: str
    lr: float
    train_loss: float
    val_loss: float | None = None
    val_accuracy: float | None = None
    val_auroc: float | None = None


class Trained(Part):
    """One model of the study, or one point of a curve, and what the test split says of it.

    `name` is unique in the study; `settings`: what this one differs in ({"view": "frontal"},
    {"images": 512}, {"size": 128}). `findings` are on the test split: `accuracy` has a Wilson
    interval (method "wilson"); {} is everyone, {"view": …} a view.
    `audit`: path of its audit.json relative to study.json.
    """

    name: str
    title: str
    architecture: str
    settings: dict[str, str | int | float] = Field(default_factory=dict)
    state: Literal["done", "failed", "planned"] = "planned"
    reason: str | None = None
    parameters: int = 0
    weights: str = ""
    recipe: dict[str, Any] = Field(default_factory=dict)
    range_tests: tuple[RangeTest, ...] = ()
    epochs: tuple[EpochRow, ...] = ()
    best_epoch: int | None = None
    ended: str = ""
    sha256: str = ""
    findings: tuple[Finding, ...] = ()
    audit: str | None = None
    audit_run_id: str | None = None


class PairedTest(Part):
    """Exact McNemar test of two models on the same images; `p_holm` over all tests of a metric."""

    first: str
    second: str
    metric: str
    only_first: int
    only_second: int
    n: int
    p: float
    p_holm: float


class Published(Part):
    """A row of a published table, with the Wilson interval its count implies (values in [0, 1])."""

    title: str
    architecture: str
    accuracy: float
    low: float
    high: float
    n: int
    source: str


class Inconsistency(Part):
    """Something the published text says that cannot be so, or leaves open."""

    claim: str
    finding: str


class StudyResults(Part):
    """Everything one study established. `baseline`: accuracy of always saying the commoner class.

    `as_published`: models were judged on the images that chose their weights (optimistic).
    `findings` are of the study, not of one model: `params` {"model": name} names the model meant,
    `contrast` "model=name" what a difference is from. A finding of agreement names its two sides
    in `params` {"first": …, "second": …}. Points of a curve have `settings` "images" or "size".
    `artefacts` are PNG; `kind`: "augmentation" (Figure 1), "fgsm" (2), "confident-correct" (4),
    "unsure-wrong" (5), with `meta` {"model": name}; any other is shown under its title.
    """

    schema_version: int = STUDY_SCHEMA_VERSION
    tool: str = "hipaudit"
    tool_version: str = ""
    kind: Kind
    title: str
    synthetic: bool = False
    as_published: bool = False
    classes: tuple[str, ...]
    positive_class: str
    splits: tuple[SplitCount, ...]
    baseline: float | None = None
    models: tuple[Trained, ...] = ()
    tests: tuple[PairedTest, ...] = ()
    findings: tuple[Finding, ...] = ()
    published: tuple[Published, ...] = ()
    inconsistencies: tuple[Inconsistency, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    notes: tuple[Note, ...] = ()
    provenance: Provenance

    def to_json(self) -> str:
        """Stable text: sorted keys, no NaN, a final newline."""
        data = self.model_dump(mode="json")
        return (
            json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        )


def read_study(path: Path) -> StudyResults:
    """Read and check a study.json. Raises HipauditError in one line when it is not one."""
    if not path.is_file():
        raise HipauditError(
            "a study.json", f"no file named {path.name}", "Run: hipaudit study --data PATH"
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return StudyResults.model_validate(raw)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DamagedFile("a study.json", f"text that is not JSON ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DamagedFile("a valid study.json", f"{place}: {first['msg']}") from error
