"""The learning-rate range test (Smith 2018, arXiv:1803.09820) and what is read off its curve.

Source of the details: fastai 1.0.52 (`callbacks/lr_finder.py`, `Recorder.plot`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from audit.study_results import RangeTest
from trainers.fitting.chance import draws, seeded
from trainers.fitting.steps import Steps

LOWEST, SPAN, POINTS = 1e-7, 1e8, 100
BETA = 0.98  # of the moving average of the loss
TOO_HIGH = 4.0  # times the best smoothed loss: stop
SKIP_START, SKIP_END = 10, 5
MUST_DIFFER = 0.01  # of the lowest loss, for weight decays to count as different


def rate(point: int) -> float:
    """The learning rate of a point: from 1e-7 up to (not including) 10, evenly in the exponent."""
    return float(LOWEST * SPAN ** (point / POINTS))


def range_test(
    steps: Steps, phase: str, weight_decay: float, tell: Callable[[int], None]
) -> RangeTest:
    """Train with a rising rate until the loss explodes; the network is put back as it was.

    All groups of layers have the same rate. The optimiser is one of its own, and so are the
    random draws: equal for every weight decay, and none taken from the training.
    """
    kept = {name: value.clone() for name, value in steps.module.state_dict().items()}
    mode = steps.module.training
    try:
        rates, losses = _climb(steps, phase, weight_decay, tell)
    finally:
        steps.module.load_state_dict(kept)
        steps.module.train(mode)
    smooth = smoothed(losses)
    return RangeTest(
        phase="frozen" if phase == "frozen" else "all",
        weight_decay=weight_decay,
        rates=tuple(rates),
        losses=tuple(losses),
        smoothed=tuple(smooth),
        suggestion=suggestion(rates, smooth),
    )


def _climb(
    steps: Steps, phase: str, weight_decay: float, tell: Callable[[int], None]
) -> tuple[list[float], list[float]]:
    """Rate and loss of each point that has a finite loss."""
    seed = steps.recipe.seed
    optimiser = steps.optimiser([1.0] * len(steps.groups), weight_decay)
    draw = draws(seed, "augmentation", "range test", phase)
    steps.module.train()
    rates, losses = list[float](), list[float]()
    batches = list[Tensor]()
    with seeded(steps.device, seed, "network", "range test", phase):
        for point in range(POINTS):
            if point % steps.per_epoch == 0:
                batches = steps.batches("range test", phase, str(point // steps.per_epoch))
            for group in optimiser.param_groups:
                group["lr"] = rate(point)
            rows = batches[point % steps.per_epoch]
            loss = float(steps.team.mean(steps.step(optimiser, rows, draw, 0.0)))
            if not math.isfinite(loss):
                break
            rates.append(rate(point))
            losses.append(loss)
            tell(point + 1)
            smooth = smoothed(losses)
            if smooth[-1] > TOO_HIGH * min(smooth):
                break
    tell(POINTS)
    return rates, losses


def smoothed(losses: Sequence[float]) -> list[float]:
    """Exponential moving average with its bias corrected: s_i / (1 - β^i)."""
    average, out = 0.0, list[float]()
    for index, loss in enumerate(losses, start=1):
        average = BETA * average + (1 - BETA) * loss
        out.append(average / (1 - BETA**index))
    return out


def suggestion(rates: Sequence[float], smooth: Sequence[float]) -> float | None:
    """The rate at which the smoothed loss falls fastest; None where there is no such point.

    The first 10 and the last 5 points do not count; what is left must be two points at least,
    and the loss must fall somewhere among them.
    """
    kept = np.asarray(smooth[SKIP_START : len(smooth) - SKIP_END])
    if len(kept) < 2:
        return None
    slope = np.gradient(kept)
    steepest = int(slope.argmin())
    return float(rates[SKIP_START + steepest]) if slope[steepest] < 0 else None


def valley(rates: Sequence[float], smooth: Sequence[float]) -> float | None:
    """The rate halfway down the longest fall of the smoothed loss; None where it never falls.

    The longest subsequence of ever lower losses, ending where it is longest first; half of the
    way from its start to its end, in points. Noise moves it little. Source: fastai 2
    (`callback/schedule.py`, `valley`), among the points that count for `suggestion`.
    """
    kept = smooth[SKIP_START : len(smooth) - SKIP_END]
    length, begin = [1] * len(kept), list(range(len(kept)))
    for end in range(len(kept)):
        for before in range(end):
            if kept[before] > kept[end] and length[before] + 1 > length[end]:
                length[end], begin[end] = length[before] + 1, begin[before]
    if max(length, default=1) < 2:
        return None
    end = length.index(max(length))
    return float(rates[SKIP_START + (begin[end] + end) // 2])


def best_decay(tests: Sequence[RangeTest]) -> RangeTest:
    """The test whose weight decay is used: lowest smoothed loss, and among equals most decay.

    Smith 2018 chooses the decay that reaches the lowest loss in the test, and of those that do
    the largest, because it regularises most. Equal is within 1% of the lowest.
    """
    lowest = [min(test.smoothed, default=math.inf) for test in tests]
    good = min(lowest) * (1 + MUST_DIFFER)
    fit = [test for test, low in zip(tests, lowest, strict=True) if low <= good]
    return max(fit or tests, key=lambda test: test.weight_decay)
