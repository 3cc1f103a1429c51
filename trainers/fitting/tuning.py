"""From recipe to numbers: the rate and the weight decay of a phase, given or found."""

from __future__ import annotations

from dataclasses import dataclass

from audit.study_results import RangeTest
from trainers.fitting.range_test import POINTS, best_decay, range_test
from trainers.fitting.steps import Steps
from trainers.progress import Progress
from trainers.recipe import WEIGHT_DECAYS

FALLBACK_LR = 3e-3  # fastai 1.0.52 `defaults.lr`


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a phase is trained with. `lr_from`: "recipe", "range test", or why it is neither."""

    phase: str
    lr: float
    weight_decay: float
    lr_from: str
    tests: tuple[RangeTest, ...] = ()


def tune(steps: Steps, phase: str, weight_decay: float | None, progress: Progress) -> Tuned:
    """The rate and weight decay of a phase; range tests where the recipe says "auto".

    `weight_decay`: what an earlier phase chose. One decay serves the whole training: it is
    chosen by the first phase's tests, and later phases are tested with it.
    """
    recipe = steps.recipe
    given = recipe.weight_decay if recipe.weight_decay != "auto" else weight_decay
    if recipe.lr != "auto" and given is not None:
        return Tuned(phase, recipe.lr, given, "recipe")
    tests = [_told(steps, phase, decay, progress) for decay in _decays(given)]
    chosen = best_decay(tests)
    marked = tuple(t.model_copy(update={"chosen": t is chosen}) for t in tests)
    if recipe.lr != "auto":
        return Tuned(phase, recipe.lr, chosen.weight_decay, "recipe", marked)
    if chosen.suggestion is None:
        why = f"no suggestion from {len(chosen.rates)} points"
        progress.note(f"range test ({phase}): {why}; learning rate {FALLBACK_LR:g} instead")
        return Tuned(phase, FALLBACK_LR, chosen.weight_decay, why, marked)
    progress.note(
        f"range test ({phase}): learning rate {chosen.suggestion:.2g}, "
        f"weight decay {chosen.weight_decay:g}"
    )
    return Tuned(phase, chosen.suggestion, chosen.weight_decay, "range test", marked)


def _decays(given: float | None) -> tuple[float, ...]:
    return WEIGHT_DECAYS if given is None else (given,)


def _told(steps: Steps, phase: str, decay: float, progress: Progress) -> RangeTest:
    name = f"{steps.recipe.architecture} range test ({phase}, weight decay {decay:g})"
    return range_test(steps, phase, decay, lambda done: progress.run(name, done, POINTS))
