"""What a training is made of: two splits, decoded when first needed, and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import Tensor

from audit.cases.case import Cases
from audit.results import Preparation
from trainers.fitting.team import Team
from trainers.pixels.batches import Batches, kind_for
from trainers.pixels.cache import Kind, store_pixels
from trainers.pixels.load import load_targets
from trainers.pixels.stored import Stored
from trainers.progress import Progress
from trainers.recipe import Recipe


@dataclass(frozen=True)
class Material:
    """`pixels`: the private folder of decoded images, None to keep them for this call only."""

    train_cases: Cases
    val_cases: Cases
    classes: tuple[str, ...]
    positive: int
    recipe: Recipe
    way: Preparation
    team: Team
    pixels: Path | None
    progress: Progress

    @cached_property
    def y(self) -> Tensor:
        """(N,) class indices of the training images."""
        return load_targets(self.train_cases, self.classes)

    @cached_property
    def val_y(self) -> Tensor:
        return load_targets(self.val_cases, self.classes)

    @cached_property
    def train(self) -> Batches:
        """Augmented on the device."""
        recipe = self.recipe
        stored = self._stored(self.train_cases, kind_for(recipe.augmentation), "train split")
        return Batches(stored, self.way, recipe.augmentation, recipe.flip, self.team.device)

    @cached_property
    def val(self) -> Stored:
        """As the audit prepares them."""
        return self._stored(self.val_cases, "prepared", "val split")

    def _stored(self, cases: Cases, kind: Kind, name: str) -> Stored:
        """The first process of a team decodes; the others then find the file."""
        if self.pixels is None:
            return store_pixels(cases, self.way, kind, progress=self.progress, name=name)
        if self.team.rank:
            self.team.wait()
        stored = store_pixels(
            cases, self.way, kind, folder=self.pixels, progress=self.progress, name=name
        )
        if not self.team.rank:
            self.team.wait()
        return stored
