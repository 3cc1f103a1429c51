"""A training recipe: every number that decides what the weights become, frozen and recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from audit.errors import HipauditError, did_you_mean

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is fitted. Recorded as it is in the checkpoint and the training log.

    `size`: input height and width. `lr`: peak of the one-cycle schedule (Smith 2018,
    arXiv:1803.09820), for the head; the body gets `lr / body_divisor` once it is unfrozen.
    `freeze_epochs` of `epochs` train the head (and the body's BatchNorm) only.
    `metric`: what early stopping watches on the validation split, after `patience` epochs
    without a strictly better value; 0 never stops early. The best weights are restored.
    `augmentation`: "study" is the study's; "gentle" only shifts by up to 4% and, like
    "study", flips left to right where `flip` is set.
    `class_weights`: "balanced" weighs the loss by n / (K · n_k).
    `threshold`: "youden" puts the decision threshold where sensitivity + specificity is
    largest on the validation split (Youden 1950).
    """

    architecture: str
    head: str = "native"
    size: int = 224
    resize: Literal["crop", "squish", "pad"] = "crop"
    epochs: int = 10
    freeze_epochs: int = 0
    batch_size: int = 32
    lr: float = 1e-3
    body_divisor: float = 10.0
    weight_decay: float = 1e-2
    betas: tuple[float, float] = (0.9, 0.99)
    augmentation: Literal["study", "gentle", "none"] = "study"
    flip: bool = True
    class_weights: Literal["none", "balanced"] = "none"
    metric: Literal["accuracy", "auroc", "loss"] = "accuracy"
    patience: int = 7
    threshold: Literal["argmax", "youden"] = "argmax"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.freeze_epochs <= self.epochs or self.epochs < 1:
            raise HipauditError(
                "0 <= freeze_epochs <= epochs and at least one epoch",
                f"freeze_epochs {self.freeze_epochs}, epochs {self.epochs}",
            )
        if self.size < 8 or self.batch_size < 2 or not self.lr > 0:
            raise HipauditError(
                "size >= 8, batch_size >= 2 and lr > 0",
                f"size {self.size}, batch_size {self.batch_size}, lr {self.lr}",
            )

    def recorded(self) -> dict[str, Any]:
        """Plain data for the checkpoint and the log: tuples as lists."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def make_recipe(architecture: str, settings: dict[str, Any]) -> Recipe:
    """A Recipe from keyword settings; an unknown name is a HipauditError."""
    known = [field.name for field in fields(Recipe)]
    for name in settings:
        if name not in known:
            raise HipauditError("a setting of a recipe", f'"{name}"', did_you_mean(name, known))
    return Recipe(architecture, **settings)
