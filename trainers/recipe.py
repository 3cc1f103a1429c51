"""A training recipe: every number that decides what the weights become, frozen and recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from types import UnionType
from typing import Any, Literal

from audit.errors import HipauditError, did_you_mean
from trainers.adversarial.settings import Adversarial

WEIGHT_DECAYS = (1e-2, 1e-3, 1e-4)  # what "auto" chooses from
DEFAULT_SEED = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is fitted. Recorded as it is in the checkpoint and the training log.

    `size`: input height and width. `resize`: "crop" the middle of the short side, "squish" both.
    `freeze_epochs` train the head (and the body's BatchNorm) only, by one cycle; then at most
    `max_epochs` train everything, by `schedule`:
    "one_cycle" (Smith 2018, arXiv:1803.09820; as fastai: cosine, 30% of the way up, from lr/25
    to lr/250,000, momentum .95 → .85 → .95) or "triangular" (Smith 2017, arXiv:1506.01186;
    linear between lr/4 and lr, two epochs up and two down, momentum the other way round).
    `lr`: the peak rate of the last group of layers, or "auto": the range test's suggestion, once
    for each phase. `spread`: the peak of the other groups: lr / `body_divisor` ("slice"), equal
    ratios from lr / `body_divisor` to lr ("geometric"), or lr ("even").
    `weight_decay`: decoupled (AdamW), on all parameters; "auto" chooses one of WEIGHT_DECAYS.
    `metric`: what early stopping watches on the validation split: the `patience`-th epoch
    without a strictly better value is the last (fastai's callback stops one later); 0 never
    stops early. The best weights are restored.
    `augmentation`: "study" is the study's; "gentle" only shifts by up to 4% and, like
    "study", flips left to right where `flip` is set.
    `class_weights`: "balanced" weighs the loss by n / (K · n_k).
    `threshold`: "youden" puts the decision threshold where sensitivity + specificity is
    largest on the validation split (Youden 1950).
    `mixed_precision`: "auto" where a short trial shows that it helps. `channels_last` likewise.
    `adversarial`: adversarial examples in every batch, or None; with them the mean of clean and
    PGD accuracy is watched in place of `metric`.
    """

    architecture: str
    head: str = "native"
    size: int = 224
    resize: Literal["crop", "squish", "pad"] = "crop"
    freeze_epochs: int = 0
    max_epochs: int = 10
    batch_size: int = 32
    schedule: Literal["one_cycle", "triangular"] = "one_cycle"
    lr: float | Literal["auto"] = 1e-3
    spread: Literal["slice", "geometric", "even"] = "even"
    body_divisor: float = 10.0
    weight_decay: float | Literal["auto"] = 1e-2
    betas: tuple[float, float] = (0.9, 0.99)
    augmentation: Literal["study", "gentle", "none"] = "study"
    flip: bool = True
    class_weights: Literal["none", "balanced"] = "none"
    metric: Literal["accuracy", "auroc", "loss"] = "accuracy"
    patience: int = 7
    threshold: Literal["argmax", "youden"] = "argmax"
    mixed_precision: Literal["auto", "bf16", "fp16", "off"] = "off"
    channels_last: Literal["auto", "on", "off"] = "off"
    adversarial: Adversarial | None = None
    seed: int = DEFAULT_SEED

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                found = str(getattr(self, name))
                raise HipauditError(f"a {name}", f'"{found}"', did_you_mean(found, list(known)))
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise HipauditError(f"a number for {name}", f"{value!r}")
        if self.freeze_epochs < 0 or self.max_epochs < 0 or self.epochs < 1:
            raise HipauditError(
                "freeze_epochs >= 0, max_epochs >= 0 and at least one epoch in all",
                f"freeze_epochs {self.freeze_epochs}, max_epochs {self.max_epochs}",
            )
        if self.size < 8 or self.batch_size < 2 or self.patience < 0:
            raise HipauditError(
                "size >= 8, batch_size >= 2 and patience >= 0",
                f"size {self.size}, batch_size {self.batch_size}, patience {self.patience}",
            )
        if not _is_auto_or(self.lr, lambda lr: 0 < lr < 100):
            raise HipauditError('0 < lr < 100, or "auto"', f"lr {self.lr}")
        if not _is_auto_or(self.weight_decay, lambda decay: 0 <= decay < 1):
            raise HipauditError('0 <= weight_decay < 1, or "auto"', f"{self.weight_decay}")
        if not self.body_divisor >= 1:
            raise HipauditError("body_divisor >= 1", f"{self.body_divisor}")

    @property
    def epochs(self) -> int:
        """The recorded maximum: frozen and unfrozen epochs together."""
        return self.freeze_epochs + self.max_epochs

    def recorded(self) -> dict[str, Any]:
        """Plain data for the checkpoint and the log: tuples as lists."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
        plain["adversarial"] = self.adversarial.recorded() if self.adversarial else None
        return plain


def _is_auto_or(value: object, accepts: Callable[[float], bool]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value == "auto"
    return accepts(value)


_KINDS: dict[str, type | UnionType] = {
    **dict.fromkeys(("size", "freeze_epochs", "max_epochs", "batch_size", "patience", "seed"), int),
    "body_divisor": int | float,
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "resize": ("crop", "squish", "pad"),
    "schedule": ("one_cycle", "triangular"),
    "spread": ("slice", "geometric", "even"),
    "augmentation": ("study", "gentle", "none"),
    "class_weights": ("none", "balanced"),
    "metric": ("accuracy", "auroc", "loss"),
    "threshold": ("argmax", "youden"),
    "mixed_precision": ("auto", "bf16", "fp16", "off"),
    "channels_last": ("auto", "on", "off"),
}
_STUDY: dict[str, Any] = {
    "head": "concat-pool",
    "freeze_epochs": 8,
    "max_epochs": 40,  # the thesis gives none
    "lr": "auto",
    "spread": "slice",
    "weight_decay": "auto",
    "mixed_precision": "auto",
    "channels_last": "auto",
}


def make_recipe(architecture: str, settings: dict[str, Any]) -> Recipe:
    """A Recipe from keyword settings; an unknown name is a HipauditError."""
    return changed(Recipe(architecture), settings)


def study_recipe(architecture: str, **overrides: Any) -> Recipe:
    """The study's own recipe for one network; `overrides` are fields that replace it.

    224 × 224, batches of 32, the study's augmentation; 8 epochs with the body frozen, then at
    most 40 with a tenth of the rate for all but the head; rate and weight decay from the range
    test; accuracy, patience 7, argmax.
    """
    return changed(Recipe(architecture), {**_STUDY, **overrides})


def changed(recipe: Recipe, settings: dict[str, Any]) -> Recipe:
    """The recipe with other settings. Raises HipauditError for an unknown name or value."""
    known = [field.name for field in fields(Recipe)]
    for name in settings:
        if name not in known:
            raise HipauditError("a setting of a recipe", f'"{name}"', did_you_mean(name, known))
    return replace(recipe, **settings)
