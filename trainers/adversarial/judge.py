"""The judge of an adversarial training: accuracy with and without attack after every epoch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.files import write_whole
from audit.results import Preparation
from trainers.adversarial.settings import Adversarial
from trainers.adversarial.watch import MOST, Strength, collapsed, strength, warning
from trainers.fitting.steps import normalised
from trainers.pixels.load import load_pixels, load_targets
from trainers.progress import Progress, Quiet
from trainers.recipe import Recipe

FILE = "strength.json"


class Judge:
    """Called with the network after every epoch; gives the mean of clean and PGD accuracy.

    `history` has what was measured, in the order of the epochs; with a folder it survives an
    interruption. Each is told to `progress`, and a collapse of one-step training when it happens.
    """

    def __init__(
        self,
        val: Cases,
        way: Preparation,
        classes: tuple[str, ...],
        settings: Adversarial,
        *,
        seed: int = 0,
        batch_size: int = 32,
        folder: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        some = _sample(val)
        self.x: Tensor = load_pixels(some, way)
        self.y: Tensor = load_targets(some, classes)
        self.way, self.settings, self.seed, self.batch_size = way, settings, seed, batch_size
        self.folder, self.progress = folder, progress or Quiet()
        self._found: dict[str, Strength] = {} if folder is None else _kept(folder / FILE)

    @property
    def history(self) -> tuple[Strength, ...]:
        return tuple(self._found.values())

    def __call__(self, module: nn.Module) -> float:
        found = self.measure(module)
        # By weights: an epoch repeated after an interruption is measured, not counted, twice.
        self._found[_digest(module)] = found
        if self.folder is not None:
            kept = {name: one.recorded() for name, one in self._found.items()}
            write_whole(self.folder / FILE, json.dumps(kept) + "\n", mode=0o600)
        self.progress.note(f"on {found.n} validation images: {found}")
        if collapsed(self.history):
            self.progress.note(warning(self.settings, len(self.history), found))
        return found.balanced

    def measure(self, module: nn.Module) -> Strength:
        """Accuracies of the network as it stands; counted nowhere."""
        place = next(module.parameters()).device

        def forward(x: Tensor) -> Tensor:
            logits: Tensor = module(normalised(x, self.way))
            return logits

        return strength(
            module,
            forward,
            self.x.float().to(place),
            self.y.to(place),
            self.settings,
            batch_size=self.batch_size,
            seed=self.seed,
        )


def judge_of(
    recipe: Recipe,
    val: Cases,
    way: Preparation,
    classes: tuple[str, ...],
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Judge | None:
    """The judge of a recipe with adversarial examples; None for a recipe without."""
    if recipe.adversarial is None:
        return None
    return Judge(
        val,
        way,
        classes,
        recipe.adversarial,
        seed=recipe.seed,
        batch_size=recipe.batch_size,
        folder=folder,
        progress=progress,
    )


def _sample(val: Cases) -> Cases:
    """At most `MOST` cases; their ids are hashes, so the first are a random choice."""
    return val if len(val) <= MOST else Cases(val[:MOST], val.description)


def _digest(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _kept(path: Path) -> dict[str, Strength]:
    """What an interrupted call measured; an unreadable file counts as none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: Strength(**one) for name, one in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
