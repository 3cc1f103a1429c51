"""What a set of phantom radiographs is made of: one readable, recorded specification."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from audit.errors import HipauditError, did_you_mean

SHORTCUTS = ("scanner", "marker", "age", "view")
SPLITS = ("train", "val", "test")
SHARES = (
    "prevalence_train", "prevalence_val", "prevalence_test", "frontal", "label_noise",
    "intertrochanteric", "occult", "slight", "moderate", "old", "implant", "cast", "arthritis",
    "marker", "first_scanner", "collimated", "moved", "exposure_fault", "off_centre",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PhantomSpec:
    """A data set as numbers. The same specification gives the same bytes.

    `train`, `val`, `test`: radiographs (the first two and their prevalences are the thesis's;
    the third is held out). `images_per_patient`: probabilities of 1, 2, 3 … radiographs of one
    patient, who is in one split only; frontal and lateral alternate, repeats are new exposures.
    `frontal`: share of frontal radiographs. `label_noise`: share of radiographs with the wrong
    label, as many in each direction, so that the prevalence of written labels stays; all of a
    patient's are wrong together.

    Severity of fractures: `occult`, `slight`, `moderate`, the rest is gross. `intertrochanteric`:
    their share, the rest goes through the neck.

    Nuisances are independent of the fracture unless planted. Shares of patients: `old` (80 and
    above), `implant`, `cast`, `arthritis`, `first_scanner` (the others share the rest). Shares of
    radiographs: `marker`, `collimated`, `moved` (motion blur), `exposure_fault`, `off_centre` (by
    more than 40 mm, so that a fracture may lie outside). `field_mm`: at the hip, least and most.

    `shortcuts`: strength s of a feature among scanner (the first one), marker (there is one), age
    (old) and view (frontal): s = P(feature | fracture) - P(feature | normal) over the radiographs
    of a split, in [-1, 1]. The feature's overall share moves only as far as s needs.
    `shortcut_splits`: the splits in which they are planted.
    """

    train: int = 6952
    val: int = 1676
    test: int = 1676
    prevalence_train: float = 0.431
    prevalence_val: float = 0.425
    prevalence_test: float = 0.425
    size: int = 256
    seed: int = 0
    form: Literal["dicom", "png"] = "png"
    images_per_patient: tuple[float, ...] = (0.08, 0.64, 0.18, 0.10)
    frontal: float = 0.5
    label_noise: float = 0.01
    intertrochanteric: float = 0.45
    occult: float = 0.07
    slight: float = 0.18
    moderate: float = 0.25
    old: float = 0.45
    implant: float = 0.10
    cast: float = 0.02
    arthritis: float = 0.25
    marker: float = 0.7
    first_scanner: float = 0.34
    collimated: float = 0.6
    moved: float = 0.06
    exposure_fault: float = 0.06
    off_centre: float = 0.04
    field_mm: tuple[float, float] = (150.0, 240.0)
    shortcuts: Mapping[str, float] = field(default_factory=dict)
    shortcut_splits: tuple[str, ...] = SPLITS

    def __post_init__(self) -> None:
        _check_shares(self)
        _check_counts(self)
        _check_shortcuts(self)

    @property
    def counts(self) -> dict[str, int]:
        """Radiographs per split; a split of none is left out."""
        return {name: n for name in SPLITS if (n := getattr(self, name))}

    def prevalence(self, split: str) -> float:
        value: float = getattr(self, f"prevalence_{split}")
        return value

    def recorded(self) -> dict[str, Any]:
        """Plain data for spec.json: tuples as lists."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def _check_shares(spec: PhantomSpec) -> None:
    for name in SHARES:
        if not 0 <= getattr(spec, name) <= 1:
            raise HipauditError(f"{name} in [0, 1]", f"{getattr(spec, name)}")
    if spec.occult + spec.slight + spec.moderate > 1 + 1e-9:
        raise HipauditError("occult + slight + moderate up to 1", "more", "The rest is gross.")
    chances = spec.images_per_patient
    if not chances or min(chances) < 0 or abs(sum(chances) - 1) > 1e-6:
        raise HipauditError("images_per_patient as probabilities that sum to 1", f"{chances}")
    low, high = spec.field_mm
    if not 60 <= low <= high <= 400:
        raise HipauditError("field_mm as two widths from 60 to 400 mm", f"{low}, {high}")


def _check_counts(spec: PhantomSpec) -> None:
    if spec.size < 32 or spec.size > 4096:
        raise HipauditError("size from 32 to 4096 pixels", f"{spec.size}")
    if spec.form not in ("dicom", "png"):
        raise HipauditError("format dicom or png", f'"{spec.form}"')
    if not spec.counts or min(getattr(spec, name) for name in SPLITS) < 0:
        raise HipauditError("a number of radiographs in at least one split", "none")
    for split, count in spec.counts.items():
        broken = round(spec.prevalence(split) * count)
        if not 0 < broken < count:
            raise HipauditError(
                f"radiographs of both labels in {split}",
                f"{broken} of {count} with a fracture",
                "Ask for more radiographs or another prevalence.",
            )


def _check_shortcuts(spec: PhantomSpec) -> None:
    for name, strength in spec.shortcuts.items():
        if name not in SHORTCUTS:
            raise HipauditError(
                "a shortcut among " + ", ".join(SHORTCUTS),
                f'"{name}"',
                did_you_mean(name, list(SHORTCUTS)),
            )
        if not -1 <= strength <= 1:
            raise HipauditError(f"a strength of {name} in [-1, 1]", f"{strength}")
    for split in spec.shortcut_splits:
        if split not in SPLITS:
            raise HipauditError("shortcut_splits among " + ", ".join(SPLITS), f'"{split}"')


def made(settings: Mapping[str, Any], start: PhantomSpec | None = None) -> PhantomSpec:
    """`start` (the default specification) with some fields replaced; unknown names are refused."""
    start = start or PhantomSpec()
    known = {each.name: getattr(start, each.name) for each in fields(PhantomSpec)}
    plain: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            raise HipauditError(
                "a field of the specification", f'"{name}"', did_you_mean(name, list(known))
            )
        plain[name] = _like(name, value, known[name])
    return replace(start, **plain)


def _like(name: str, value: Any, example: Any) -> Any:
    """The value in the type of the field's default, or a HipauditError."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(example, str) and isinstance(value, str):
        return value
    if isinstance(example, float) and number:
        return float(value)
    if isinstance(example, int) and isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(example, tuple) and isinstance(value, list | tuple) and value:
        return tuple(_like(name, each, example[0]) for each in value)
    if isinstance(example, Mapping) and isinstance(value, Mapping):
        return {str(key): _like(f"{name}.{key}", each, 0.0) for key, each in value.items()}
    raise HipauditError(f"{name} like {example!r}", f"{value!r}"[:60])


def read_spec(path: Path, start: PhantomSpec | None = None) -> PhantomSpec:
    """A specification from a TOML file that names the fields to replace.

    Raises HipauditError when it cannot be read, is no TOML, or names an unknown field.
    """
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise HipauditError(f"to read {path.name}", reason, "Check --spec.") from None
    except tomllib.TOMLDecodeError as error:
        raise HipauditError(f"TOML in {path.name}", str(error), "Mend that line.") from None
    return made(settings, start)


def scaled(spec: PhantomSpec, images: int) -> PhantomSpec:
    """The specification with `images` radiographs in all, in the same proportions."""
    total = sum(spec.counts.values())
    train = round(images * spec.train / total)
    both = round(images * (spec.train + spec.val) / total)
    return replace(spec, train=train, val=both - train, test=images - both)


# What the demo learns from in two minutes: mostly displaced fractures in a tight field.
EASY = PhantomSpec(
    form="dicom",
    images_per_patient=(0.0, 1.0),
    label_noise=0.0,
    occult=0.0,
    slight=0.06,
    moderate=0.0,
    cast=0.0,
    arthritis=0.0,
    moved=0.0,
    exposure_fault=0.0,
    off_centre=0.0,
    field_mm=(120.0, 140.0),
    shortcuts={"age": 0.2},
)
