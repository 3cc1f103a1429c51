"""From recipe to numbers: the rate and the weight decay of a phase, given or found."""

from __future__ import annotations

from dataclasses import dataclass

from audit.study_results import RangeTest
from trainers.fitting.range_test import POINTS, best_decay, range_test, valley
from trainers.fitting.steps import Steps
from trainers.progress import Progress
from trainers.recipe import WEIGHT_DECAYS

FALLBACK_LR = 3e-3  # fastai 1.0.52 `defaults.lr`
FAR_BELOW = 10.0  # times below the middle of the fall a suggestion is noise


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a phase is trained with. `lr_from`: "recipe", "range test: …" or "default: …"."""

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
    lr, why = read_off(chosen)
    progress.note(
        f"range test ({phase}): learning rate {lr:.2g} ({why}), "
        f"weight decay {chosen.weight_decay:g}"
    )
    return Tuned(phase, lr, chosen.weight_decay, why, marked)


def read_off(test: RangeTest) -> tuple[float, str]:
    """The rate to use and where it comes from.

    The suggestion, which is where the smoothed loss falls fastest. The average is short at
    first, so that its noise can fall faster than the loss ever does: a suggestion more than ten
    times below the middle of the loss's longest fall is not used, but that middle. Without a
    suggestion it is the library's default.
    """
    if test.suggestion is None:
        return FALLBACK_LR, f"default: no suggestion from {len(test.rates)} points"
    middle = valley(test.rates, test.smoothed)
    if middle is not None and test.suggestion * FAR_BELOW < middle:
        return (
            middle,
            "range test: the middle of the longest fall; "
            f"{test.suggestion:.1e}, where it falls fastest, is noise",
        )
    return test.suggestion, "range test: where the loss falls fastest"


def _decays(given: float | None) -> tuple[float, ...]:
    return WEIGHT_DECAYS if given is None else (given,)


def _told(steps: Steps, phase: str, decay: float, progress: Progress) -> RangeTest:
    name = f"{steps.recipe.architecture} range test ({phase}, weight decay {decay:g})"
    return range_test(steps, phase, decay, lambda done: progress.run(name, done, POINTS))
