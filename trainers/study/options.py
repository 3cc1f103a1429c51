"""What a user may ask of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """Options of every study.

    `architectures`: which, in order; empty for the study's seven. `weights`: "imagenet" from
    torchvision's hub, "none" for random, or a folder with `<architecture>*.pth`. `settings`:
    fields of a Recipe that replace the study's. `as_published`: choose and report on the same
    split, marked optimistic. `preset`: of the audit of every model, "none" for no audit;
    `audit_samples`, `audit_time` (seconds per model) cap it. `positive_class`: None takes it
    from the names. `images`: whether radiographs may be shown. `points`: of a curve, numbers of
    training images or input sizes; empty for the study's own. `command`: to type again.
    """

    architectures: tuple[str, ...] = ()
    weights: Literal["imagenet", "none"] | Path = "imagenet"
    settings: Mapping[str, Any] = field(default_factory=dict)
    as_published: bool = False
    preset: str = "quick"
    audit_samples: int | None = None
    audit_time: float | None = None
    subgroups: tuple[str, ...] = ("view",)
    positive_class: str | None = None
    images: bool = True
    points: tuple[float, ...] = ()
    device: str = "cpu"
    seed: int = 0
    command: str = ""
