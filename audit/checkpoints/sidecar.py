"""model.yaml: what a checkpoint cannot say about itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from audit.checkpoints.text import quoted
from audit.errors import DamagedFile, HipauditError, did_you_mean
from audit.results import Preparation

MAX_BYTES = 1 << 20
Size = Annotated[int, Field(ge=1, le=8192)]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Input(Strict):
    """How a picture becomes the network's input. `range`: the largest value, or [low, high]."""

    size: Size | tuple[Size, Size] | None = None
    resize: Literal["crop", "squish", "pad"] | None = None
    channels: Literal[1, 3] | None = None
    range: float | tuple[float, float] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    interpolation: Literal["bilinear", "bicubic", "nearest"] | None = None

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _one_number(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else value


class Sidecar(Strict):
    """A model.yaml. Everything is optional; an unknown key is an error.

    `arch`: a torchvision name (code is only ever named on the command line). `weights`: the
    checkpoint's file name, beside this file. `input`: what is said here replaces what would
    be assumed. `threshold`: positive when P(positive) >= it; `threshold_origin` says how it
    was chosen. `golden`: case id -> logits that the model must give for it.
    `training_data`: a folder or manifest that leakage checks compare with.
    `quality_limits`: beyond which a picture is referred by the quality filter, as
    `audit.quality.limits.Limits.as_dict()` gives them.
    """

    arch: str | None = None
    weights: str | None = None
    sha256: str | None = None
    input: Input | None = None
    classes: tuple[str, ...] | None = None
    positive_class: str | None = None
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    threshold_origin: str | None = None
    output: (
        Literal["logits", "probabilities", "log_probabilities", "sigmoid", "one_logit"] | None
    ) = None
    cam_layer: str | None = None
    golden: dict[str, tuple[float, ...]] = {}
    training_data: str | None = None
    quality_limits: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _no_code(self) -> Sidecar:
        if self.arch is not None and ":" in self.arch:
            raise ValueError("a torchvision name; code is named on the command line with --arch")
        return self


def find_sidecar(checkpoint: Path) -> Path | None:
    """`<stem>.yaml` or `model.yaml` beside a checkpoint, the more particular first."""
    for name in (f"{checkpoint.stem}.yaml", "model.yaml"):
        beside = checkpoint.with_name(name)
        if beside.is_file() and beside != checkpoint:
            return beside
    return None


def read_sidecar(path: Path) -> Sidecar:
    """Read and check a model.yaml. Raises HipauditError with the line number."""
    if not path.is_file():
        raise HipauditError("a model.yaml", f"no file named {quoted(path.name)}")
    if path.stat().st_size > MAX_BYTES:
        raise DamagedFile("a model.yaml of less than a megabyte", f"{quoted(path.name)}, larger")
    try:
        text = path.read_text(encoding="utf-8")
        _plain(text, path.name)
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise DamagedFile("a model.yaml in UTF-8", f"{quoted(path.name)}, other bytes") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise DamagedFile("YAML", f"{quoted(path.name)}{where}: {problem}") from error
    try:
        return Sidecar.model_validate({} if raw is None else raw)
    except ValidationError as error:
        raise _said(path, tree, error) from error


def _plain(text: str, name: str) -> None:
    """No aliases (a few lines of them can mean gigabytes)."""
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            line = token.start_mark.line + 1
            raise DamagedFile("YAML without aliases", f"{quoted(name)} line {line}: one")


def _said(path: Path, tree: yaml.Node | None, error: ValidationError) -> HipauditError:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if not re.search(r"[\[\]-]", str(part))]
    name = ".".join(place[:2]) or "the file"
    where = f"{quoted(path.name)} line {_line(tree, place)}: {quoted(name)}"
    if first["type"] == "extra_forbidden":
        part = Input if place[:1] == ["input"] and len(place) > 1 else Sidecar
        return HipauditError(
            "a key of model.yaml", where, did_you_mean(place[-1], list(part.model_fields))
        )
    return HipauditError(f"{name} of model.yaml to be right", f"{where}, {first['msg']}")


def _line(tree: yaml.Node | None, place: list[str]) -> int:
    """The line on which the key stands, as far down as the keys can be followed."""
    line = 1 if tree is None else tree.start_mark.line + 1
    node: yaml.Node | None = tree
    for part in place:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == part]
        if not found:
            break
        key, node = found[0]
        line = key.start_mark.line + 1
    return line


def as_preparation(given: Input, otherwise: Preparation) -> Preparation:
    """What is given over what is assumed.

    `range: [low, high]` is folded into mean and std exactly:
    (x (high - low) + low - mean) / std. Raises HipauditError where channels do not agree.
    """
    size = given.size or (otherwise.height, otherwise.width)
    height, width = (size, size) if isinstance(size, int) else size
    channels = given.channels or otherwise.channels
    low, high = given.range if isinstance(given.range, tuple) else (0.0, given.range)
    mean = _spread(given.mean or otherwise.mean, channels, "mean")
    std = _spread(given.std or otherwise.std, channels, "std")
    if high is not None and high <= low:
        raise HipauditError("a range from low to high", f"[{low:g}, {high:g}] in model.yaml")
    return Preparation(
        height=height,
        width=width,
        resize=given.resize or otherwise.resize,
        interpolation=given.interpolation or otherwise.interpolation,
        channels=channels,
        value_range=otherwise.value_range if high is None else high - low,
        mean=tuple(m - low for m in mean),
        std=std,
    )


def _spread(values: tuple[float, ...], channels: int, name: str) -> tuple[float, ...]:
    if len(values) == 1:
        return values * channels
    if len(values) != channels:
        raise HipauditError(f"one or {channels} numbers as {name}", f"{len(values)} in model.yaml")
    return values
