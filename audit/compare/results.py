"""compare.json: what two audits say of the same cases. The report on a comparison reads this."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from audit.errors import DamagedFile, HipauditError
from audit.results import Finding, Note, Part, Preparation, Scalar, stable_text

SCHEMA_VERSION = 1
ALPHA = 0.05
Answer = Literal["worse", "better", "no difference shown", "too few"]
WORDS: tuple[Answer, ...] = ("worse", "better", "no difference shown", "too few")


class Audit(Part):
    """One of the two. `sha256`: of its audit.json; `weights`: of the model's files.

    `patients`, `labels` count its own cases, paired or not; `data_sha256` is of those cases.
    `calibration`: its own findings on how well scores are calibrated, without stress. `gate_file`:
    the hash of the rules as they stood before its first unit ran.
    """

    model: str
    architecture: str
    weights: tuple[str, ...] = ()
    threshold: float | None = None
    threshold_origin: str = ""
    data: str
    cases: int
    run_id: str = ""
    date: str = ""
    seed: int = 0
    sha256: str = ""
    synthetic: bool = False
    patients: int | None = None
    labels: dict[str, int] = Field(default_factory=dict)
    data_sha256: str = ""
    preset: str = ""
    preparation: Preparation | None = None
    preparation_origin: str = ""
    tool_version: str = ""
    python: str = ""
    platform: str = ""
    device: str = ""
    search: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    gate_file: str = ""
    calibration: tuple[Finding, ...] = ()


class Pairs(Part):
    """Which cases stand on both sides. `patients`: None where none is known."""

    paired: int
    only_base: int
    only_new: int
    patients: int | None = None
    labels: dict[str, int] = Field(default_factory=dict)


class Difference(Finding):
    """NEW − BASE of one metric on the cases that both audits have; `contrast` is "base".

    `base`, `new`: the metric itself on these `n` cases. `lost`: cases that count for BASE and not
    for NEW, `gained` the reverse; None for AUROC. `lower_is_better`: a rise is worse. `verdict`:
    on which side of 0 the 95% interval lies. `p_holm` is adjusted over `family`.
    """

    base: float | None = None
    new: float | None = None
    gained: int | None = None
    lost: int | None = None
    lower_is_better: bool = False
    verdict: Answer = "too few"

    @property
    def shown(self) -> bool:
        """Whether it holds after Holm's adjustment."""
        return self.p_holm is not None and self.p_holm < ALPHA


class Level(Part):
    """One level of one stress: what could be paired there, or why nothing was (`reason`).

    `lost`: right under BASE and wrong under NEW; `gained` the reverse. Right without stress means
    decided correctly; under a stress, decided correctly without it and under it.
    """

    stress: str
    kind: str
    defence: str = "none"
    params: dict[str, Scalar] = Field(default_factory=dict)
    variant: str = ""
    cases: int = 0
    lost: int = 0
    gained: int = 0
    reason: str | None = None


class Flip(Part):
    """A case that is right in one audit and wrong in the other, at `levels[level]`.

    `base`, `new`: log-odds of the positive class; None where the output was not finite or was
    combined from several attacks.
    """

    level: int
    case: str
    change: Literal["lost", "gained"]
    label: str
    base: float | None = None
    new: float | None = None
    group: dict[str, str] = Field(default_factory=dict)


class Comparison(Part):
    """Two audits of the same cases. `seed`, `resamples`: of the patient bootstrap.

    `calibration`: the Brier score without stress, paired too, in a family of its own.
    """

    schema_version: int = SCHEMA_VERSION
    tool: str = "hipaudit"
    tool_version: str = ""
    base: Audit
    new: Audit
    classes: tuple[str, ...]
    positive_class: str
    pairs: Pairs
    subgroups: tuple[str, ...] = ()
    seed: int = 0
    resamples: int = 0
    levels: tuple[Level, ...] = ()
    differences: tuple[Difference, ...] = ()
    flips: tuple[Flip, ...] = ()
    calibration: tuple[Difference, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def regressions(self) -> list[Difference]:
        """Differences for the worse that hold after Holm's adjustment over their family."""
        return [d for d in self.differences if d.verdict == "worse" and d.shown]

    @property
    def answered(self) -> bool:
        """Whether anything is known of everyone without stress."""
        plain = [d for d in self.differences if d.stress == "clean" and not d.group]
        return any(d.value is not None for d in plain)

    def to_json(self) -> str:
        """Stable text: sorted keys, a line per difference and per flip, no NaN."""
        return stable_text(self)


def read_comparison(path: Path) -> Comparison:
    """Read and check a compare.json. Raises HipauditError in one line when it is not one."""
    if not path.is_file():
        raise HipauditError(
            "a compare.json",
            f"no file named {path.name}",
            "Run: hipaudit compare BASE NEW --out DIR",
        )
    try:
        found = Comparison.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "text"
        raise DamagedFile("a valid compare.json", f"{where}: {first['msg']}") from error
    if found.schema_version != SCHEMA_VERSION:
        raise DamagedFile(
            f"a compare.json of schema_version {SCHEMA_VERSION}",
            f"schema_version {found.schema_version}",
            "Compare the audits again with this version of hipaudit.",
        )
    return found
