"""One training from its first epoch to its last: phases, early stopping, taken up where left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from audit.checkpoints.assemble import load_strictly
from audit.errors import DamagedFile, HipauditError
from trainers.fitting.groups import freeze, peaks
from trainers.fitting.log import Epoch, TrainingLog
from trainers.fitting.precision import Precision, choose_precision
from trainers.fitting.schedules import one_cycle, triangular
from trainers.fitting.state import FILE, State, read_state, write_state
from trainers.fitting.steps import Schedule, Steps
from trainers.fitting.tuning import Tuned, tune
from trainers.fitting.validate import validate
from trainers.progress import Progress
from trainers.recipe import Recipe

Judge = Callable[[nn.Module], float]


@dataclass(frozen=True, slots=True)
class Phase:
    """`first`: epochs before it; `last`: epochs when it is over."""

    name: str
    first: int
    last: int


def phases(recipe: Recipe) -> list[Phase]:
    """Those that have an epoch: the body frozen, then all."""
    both = [
        Phase("frozen", 0, recipe.freeze_epochs),
        Phase("all", recipe.freeze_epochs, recipe.epochs),
    ]
    return [phase for phase in both if phase.last > phase.first]


@dataclass
class Course:
    """One training under way: what it is done with, whom it tells, and how far it is."""

    steps: Steps
    progress: Progress
    folder: Path | None
    key: dict[str, Any]
    judge: Judge | None
    train: dict[str, int]
    val: dict[str, int]
    state: State = field(default_factory=State)

    def run(self, max_seconds: float | None) -> TrainingLog:
        """All phases that are left. See `train_module`."""
        end = None if max_seconds is None else time.monotonic() + max_seconds
        self._resume()
        if self.state.ended:
            return self._over()
        self._settle()
        # What there is to go back to when the first epoch fails.
        self.state.best = self.state.best or _copied(self.steps.module)
        try:
            for phase in phases(self.steps.recipe):
                if not self.state.ended and len(self.state.epochs) < phase.last:
                    self._phase(phase, end)
        except HipauditError:
            self._restore()
            raise
        return self._over()

    def _over(self) -> TrainingLog:
        self._restore()
        if not self.state.best_epoch:
            raise HipauditError(
                "a validation value that is a number", "none in any epoch", "Use a smaller lr."
            )
        self.progress.run(self._name, self._total, self._total)
        return self.log()

    def _settle(self) -> None:
        """In what numbers it trains: as before when taken up again on such a device."""
        steps, recipe = self.steps, self.steps.recipe
        kept = self.state.precision
        if kept.get("device") != steps.device.type:
            each = recipe.batch_size // steps.team.size
            shape = (each, steps.way.channels, steps.way.height, steps.way.width)
            found = choose_precision(
                steps.module, shape, steps.device, recipe.mixed_precision, recipe.channels_last
            )
            kept = {"device": steps.device.type, **steps.team.agreed(found.recorded())}
        self.state.precision = kept
        steps.use(Precision(kept["dtype"], kept["channels_last"], kept["tried"]))

    def _phase(self, phase: Phase, end: float | None) -> None:
        steps, state = self.steps, self.state
        freeze(steps.module, steps.groups, frozen=phase.name == "frozen")
        steps.begin()
        if phase.name not in state.tuned:
            decay = next((t.weight_decay for t in state.tuned.values()), None)
            found = tune(steps, phase.name, decay, self.progress)
            state.tuned[phase.name] = steps.team.agreed(found)
            if state.tuned[phase.name].tests:  # as long as an epoch or two
                self._keep()
        tuned = state.tuned[phase.name]
        optimiser = steps.optimiser(self._peaks(tuned), tuned.weight_decay)
        steps.use(steps.precision)  # with a scale that no range test has moved
        if len(state.epochs) > phase.first:
            optimiser.load_state_dict(state.optimiser)
            if state.scaler:
                steps.scaler.load_state_dict(state.scaler)
        else:
            state.phase_best, state.stale = -float("inf"), 0
        while len(state.epochs) < phase.last and not state.ended:
            self._epoch(phase, optimiser, tuned)
            state.optimiser, state.scaler = optimiser.state_dict(), steps.scaler.state_dict()
            patience = steps.recipe.patience
            if phase.name == "all" and patience and state.stale >= patience:
                state.ended = "early stop"
            elif len(state.epochs) == steps.recipe.epochs:
                state.ended = "epochs"
            elif end is not None and steps.team.agreed(time.monotonic() > end):
                state.ended = "time"
            self._keep()

    def _epoch(self, phase: Phase, optimiser: torch.optim.AdamW, tuned: Tuned) -> None:
        steps, state, start = self.steps, self.state, time.monotonic()
        number = len(state.epochs) + 1
        before = (number - 1) * steps.per_epoch
        loss, lr = steps.epoch(
            optimiser,
            self._schedule(phase),
            number,
            before - phase.first * steps.per_epoch,
            lambda done: self.progress.run(self._name, before + done, self._total),
        )
        found = validate(steps)
        value = found.of(steps.recipe.metric) if self.judge is None else self.judge(steps.module)
        value = steps.team.agreed(value)
        state.epochs.append(
            Epoch(
                number, phase.name, lr, loss, found.loss, found.accuracy, found.auroc,
                time.monotonic() - start, value, tuned.lr, tuned.weight_decay,
            )
        )  # fmt: skip
        state.stale = 0 if value > state.phase_best else state.stale + 1
        state.phase_best = max(state.phase_best, value)
        if value > state.best_value:
            state.best_value, state.best_epoch = value, number
            state.best = _copied(steps.module)
        self.progress.note(_line(state.epochs[-1], steps.recipe.epochs))

    def _schedule(self, phase: Phase) -> Schedule:
        """The frozen phase is one cycle; the cyclical policy is for what follows it."""
        per_epoch = self.steps.per_epoch
        if phase.name == "all" and self.steps.recipe.schedule == "triangular":
            return lambda step: triangular(step, per_epoch)
        total = (phase.last - phase.first) * per_epoch
        return lambda step: one_cycle(step, total)

    def _peaks(self, tuned: Tuned) -> list[float]:
        return peaks(self.steps.recipe, tuned.lr, len(self.steps.groups))

    def _resume(self) -> None:
        if self.folder is None:
            return
        try:
            found = read_state(self.folder, self.key)
        except DamagedFile:
            self.progress.note(f"{FILE} is damaged: the training begins anew")
            return
        if found is None:
            return
        self.state, weights = found
        load_strictly(self.steps.module, weights)
        self.state.ended = "" if self.state.ended == "time" else self.state.ended
        if not self.state.ended:
            self.progress.note(f"going on after epoch {len(self.state.epochs)}")

    def _restore(self) -> None:
        """The best weights so far, or those it began with."""
        self.steps.end()
        self.steps.module.load_state_dict(self.state.best)
        self.steps.module.eval()

    def _keep(self) -> None:
        if self.folder is not None and self.steps.team.rank == 0:
            write_state(self.folder, self.key, self.state, self.steps.module)
            self.log().write(self.folder, self.steps.recipe.recorded())

    def log(self) -> TrainingLog:
        state = self.state
        tests = tuple(test for tuned in state.tuned.values() for test in tuned.tests)
        return TrainingLog(
            tuple(state.epochs), state.best_epoch, state.ended, self.train, self.val, tests,
            self._used(),
        )  # fmt: skip

    def _used(self) -> dict[str, Any]:
        """Every number the recipe left open, and what the training ran on."""
        steps = self.steps
        return {
            "phases": {
                name: {
                    "lr": tuned.lr,
                    "lr_from": tuned.lr_from,
                    "weight_decay": tuned.weight_decay,
                    "peaks": self._peaks(tuned),
                }
                for name, tuned in self.state.tuned.items()
            },
            "groups": [sum(p.numel() for p in group.values()) for group in steps.groups],
            "steps_per_epoch": steps.per_epoch,
            **_patience(steps.recipe.patience),
            **self.state.precision,
            "device": steps.device.type,
            "processes": steps.team.size,
            "batchnorm_over": steps.team.batchnorm,
            "torch": str(torch.__version__),
            "torchvision": torchvision.__version__,
        }

    @property
    def _name(self) -> str:
        return f"{self.steps.recipe.architecture}: training"

    @property
    def _total(self) -> int:
        return self.steps.per_epoch * self.steps.recipe.epochs


def _patience(epochs: int) -> dict[str, int]:
    """Which epoch without a better value is the last; fastai's callback lets one more pass."""
    return {"last_stale_epoch": epochs, "last_stale_epoch_in_fastai": epochs + 1} if epochs else {}


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _line(epoch: Epoch, of: int) -> str:
    return (
        f"epoch {epoch.number}/{of} ({epoch.phase}): loss {epoch.train_loss:.3f}, "
        f"validation accuracy {epoch.val_accuracy:.3f}, AUROC {epoch.val_auroc:.3f}, "
        f"{epoch.seconds:.0f} s"
    )
