"""What a user may ask of an audit. No torch here: the command line builds these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.results import GateFile


@dataclass(frozen=True)
class AuditOptions:
    """Options of one audit; `None` means "as the preset says" (or every declared attribute).

    `batch_size` None: as many images as a fixed share of memory holds. `search`: the network that
    attacks search with (exact, fused, compiled, bf16, or auto: the fastest in a short trial).
    `subgroups`: attributes, or crossings of two ("view*sex"). `prevalences`: shares of positives
    where the model will be used, for what depends on them.
    """

    preset: str = "standard"
    stresses: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    epsilons: tuple[float, ...] | None = None
    defences: tuple[str, ...] | None = None
    subgroups: tuple[str, ...] | None = None
    prevalences: tuple[float, ...] = ()
    max_samples: int | None = None
    max_time: float | None = None
    seed: int = 0
    batch_size: int | None = None
    search: str = "fused"
    probes: tuple[str, ...] | None = None
    resume: bool = True
    overwrite: bool = False
    images: bool = True
    device: str = "cpu"
    command: str = ""
    gate_file: GateFile | None = None
