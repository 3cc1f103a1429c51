"""What the user may say about a model; everything else is read from the file or assumed aloud."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OUTPUTS = ("logits", "probabilities", "log_probabilities", "sigmoid", "one_logit")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Flags about a model, None where not given.

    `arch`: a torchvision name or "package.module:factory" (`--arch`). `classes`: names in the
    order of the outputs (`--classes`). `sidecar`: a model.yaml (`--preprocess`). `output`:
    one of `OUTPUTS`. `trust_code`: the SHA-256 of the one file that may run code
    (`--trust-code`). `sha256`: the digest the file must have (`--sha256`).
    """

    arch: str | None = None
    classes: tuple[str, ...] | None = None
    positive_class: str | None = None
    sidecar: Path | None = None
    threshold: float | None = None
    output: str | None = None
    trust_code: str | None = None
    sha256: str | None = None
    device: str = "cpu"
