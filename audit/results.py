"""The results: every finding with its context, and where it came from. This is `audit.json`.

No torch here: the gate and the report read this file and nothing heavier.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from audit.errors import DamagedFile, HipauditError

SCHEMA_VERSION = 1
Scalar = str | bool | int | float


class Part(BaseModel):
    """A frozen piece of audit.json; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Finding(Part):
    """One number with its context.

    `params` are the run's parameters plus, for a level, that level's own (`epsilon`).
    `group` maps attribute to value ({} = everyone); `contrast` names what the value is a
    difference from. `n` is the denominator, `events` the numerator; `method` names the
    interval's method. `independent` is true when images were treated as independent.
    A difference that was tested has its two-sided `p` and, over all tests of its `family`,
    `p_holm`. No value means `reason` says why.
    """

    metric: str
    stress: str = "clean"
    params: dict[str, Scalar] = {}
    variant: str = ""
    defence: str = "none"
    group: dict[str, str] = {}
    contrast: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    method: str | None = None
    n: int = 0
    events: int | None = None
    independent: bool = True
    imprecise: bool = False
    p: float | None = None
    p_holm: float | None = None
    family: str | None = None
    reason: str | None = None


class Note(Part):
    """Something a reader must know: an assumption, a warning, a named fault."""

    code: str
    level: Literal["info", "assumed", "warning", "fault"]
    text: str


class Preparation(Part):
    """From a case to the model's input; normalisation is applied inside the model."""

    height: Annotated[int, Field(ge=1, le=8192)] = 224
    width: Annotated[int, Field(ge=1, le=8192)] = 224
    resize: Literal["crop", "squish", "pad"] = "crop"
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"
    channels: Literal[1, 3] = 3
    value_range: float = 1.0
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)


class ModelDescription(Part):
    """What was loaded and what was assumed about it. Names no file path.

    `golden`: case id -> logits the model's maker says it must give; preflight compares.
    """

    name: str
    architecture: str
    sha256: tuple[str, ...] = ()
    container: str = "module"
    trusted_code: bool = False
    parameters: int = 0
    classes: tuple[str, ...]
    positive_class: str
    threshold: float | None = None
    threshold_origin: str = "argmax"
    preparation: Preparation = Preparation()
    preparation_origin: str = "assumed"
    output: str = "logits"
    cam_layer: str | None = None
    gradients: bool = True
    golden: dict[str, tuple[float, ...]] = {}
    training: dict[str, Any] = {}
    notes: tuple[Note, ...] = ()


class Skipped(Part):
    """A case that could not be used: its number in reading order and why, never its path."""

    case: str
    reason: str


class DataDescription(Part):
    """What was read. Counts only; no path, no identifier of a person."""

    name: str = "data"
    layout: str
    cases: int
    patients: int | None = None
    labels: dict[str, int] = {}
    attributes: dict[str, dict[str, int]] = {}
    sha256: str = ""
    synthetic: bool = False
    burned_in: int = 0
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Note, ...] = ()


UNDEFENDED = "undefended"


class PlannedRun(Part):
    """One run as planned and as carried out.

    `surrogate`: what the images were made on before they were shown to the audited model: ""
    itself, "undefended" the same model without the defence, else the name of another model.
    """

    id: str
    stress: str
    kind: Literal["clean", "attack", "corruption"]
    norm: str | None = None
    params: dict[str, Any] = {}
    defence: str = "none"
    surrogate: str = ""
    sample: int
    of: int
    state: Literal["planned", "done", "failed", "not applicable", "skipped"] = "planned"
    reason: str | None = None
    forwards: int = 0
    rule: str = ""


class Plan(Part):
    preset: str
    seed: int
    runs: tuple[PlannedRun, ...] = ()
    not_tested: dict[str, str] = {}


class Artefact(Part):
    """A picture or table that lies beside audit.json; `path` is relative to it."""

    path: str
    kind: str
    sha256: str
    title: str
    alt: str
    caption: str = ""
    meta: dict[str, Scalar] = {}


class Curve(Part):
    """A line that rests on every case, thinned to what a picture can show.

    `kind` says what x and y are: roc (1 − specificity, sensitivity), precision-recall
    (sensitivity, precision), success by queries (queries per image, share of attacked images
    fooled by then). `at`: the point of the deployed decision rule, where it lies on the line.
    `n` cases, `events` positives among them (successes, for queries).
    """

    kind: Literal["roc", "precision-recall", "success by queries"]
    stress: str = "clean"
    params: dict[str, Scalar] = {}
    variant: str = ""
    defence: str = "none"
    group: dict[str, str] = {}
    x: tuple[float, ...]
    y: tuple[float, ...]
    at: tuple[float, float] | None = None
    n: int
    events: int


class ProbeReport(Part):
    """What one probe found, or why it did not run."""

    probe: str
    state: Literal["done", "failed", "not applicable", "skipped"] = "done"
    reason: str | None = None
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    details: dict[str, Any] = {}


class GateFile(Part):
    """The rules as they stood before the first unit ran."""

    sha256: str
    recorded: str


class Provenance(Part):
    """How to repeat this: command, versions, machine class, day.

    `search`: the network that attacks searched with (exact, fused, compiled, bf16); every success
    was judged by the untouched one. `search_drift`: their largest difference of a logit, as a part
    of the largest logit, rounded up to a power of ten.
    """

    date: str
    command: str = ""
    python: str = ""
    platform: str = ""
    packages: dict[str, str] = {}
    device: str = "cpu"
    batch_size: int = 0
    search: str = "exact"
    search_drift: float = 0.0
    gate_file: GateFile | None = None


class Results(Part):
    """Everything one audit established. Rendered, gated and compared from here alone.

    `predictions_sha256`: of the predictions.csv written with it, which a comparison reads.
    """

    schema_version: int = SCHEMA_VERSION
    tool: str = "hipaudit"
    tool_version: str = ""
    run_id: str = ""
    model: ModelDescription
    data: DataDescription
    plan: Plan
    findings: tuple[Finding, ...] = ()
    curves: tuple[Curve, ...] = ()
    probes: tuple[ProbeReport, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    notes: tuple[Note, ...] = ()
    provenance: Provenance
    predictions_sha256: str = ""

    def find(self, metric: str, **where: Any) -> list[Finding]:
        """Findings of a metric whose fields equal `where` (group={} means everyone)."""
        return [
            f
            for f in self.findings
            if f.metric == metric and all(getattr(f, k) == v for k, v in where.items())
        ]

    def to_json(self) -> str:
        """Stable text: sorted keys, a line per finding, no NaN, a final newline."""
        # Tens of thousands, each flat: what they hold is JSON as it is.
        return stable_text(self, findings=[vars(found) for found in self.findings])


def stable_text(whole: Part, **flat: list[dict[str, Any]]) -> str:
    """JSON with sorted keys, a line for each object of a list at the top, no NaN.

    `flat`: fields by name that need no conversion to JSON's types.
    """
    data = {**whole.model_dump(mode="json", exclude=set(flat)), **flat}
    parts = (f' "{name}": {_laid_out(data[name])}' for name in sorted(data))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _laid_out(value: Any) -> str:
    """A list of objects with a line for each, which thousands of findings need; else indented."""
    how: dict[str, Any] = {"sort_keys": True, "ensure_ascii": False, "allow_nan": False}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        line = json.JSONEncoder(**how).encode
        return "[\n  " + ",\n  ".join(map(line, value)) + "\n ]"
    return json.dumps(value, indent=1, **how)


def read_results(path: Path) -> Results:
    """Read and check an audit.json. Raises HipauditError in one line when it is not one."""
    if not path.is_file():
        raise HipauditError(
            "an audit.json", f"no file named {path.name}", "Run: hipaudit run MODEL --data PATH"
        )
    try:
        raw = from_json(path.read_bytes(), allow_inf_nan=False)
    except OSError as error:
        raise HipauditError(f"to read {path.name}", error.strerror or "an error") from error
    except ValueError as error:
        raise DamagedFile("an audit.json", f"text that is not JSON ({error})") from error
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise DamagedFile(
            f"an audit.json of schema_version {SCHEMA_VERSION}",
            f"schema_version {version!r}",
            "Run the audit again with this version of hipaudit.",
        )
    try:
        return Results.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DamagedFile("a valid audit.json", f"{place}: {first['msg']}") from error


def as_levels(value: float) -> str:
    """A pixel amount in [0, 1] as 8-bit grey levels: 0.00784… -> "2/255".

    >>> as_levels(2 / 255), as_levels(0.153)
    ('2/255', '39.02/255')
    """
    levels = value * 255
    whole = round(levels)
    text = str(whole) if math.isclose(levels, whole, abs_tol=1e-6) else f"{levels:.2f}"
    return f"{text}/255"
