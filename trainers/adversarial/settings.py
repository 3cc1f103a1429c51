"""How adversarial examples enter training: every number, frozen and recorded."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from audit.errors import HipauditError, did_you_mean

METHODS = ("fbf", "fgsm", "pgd")
FBF_STEP = 1.25  # of ε; Wong et al. 2020, section 4
PGD_REACH = 2.5  # all steps together, of ε; Madry et al. 2018, appendix


@dataclass(frozen=True, slots=True)
class Adversarial:
    """Adversarial examples mixed into every training batch. A field of a Recipe.

    `method`: "fbf", a random start in the ball and one signed-gradient step (Fast is better than
    free; Wong et al. 2020, arXiv:2001.03994); "fgsm", one step from the image itself
    (Goodfellow et al. 2015, arXiv:1412.6572); "pgd", `steps` projected steps (Madry et al. 2018,
    arXiv:1706.06083), from a random start where `random_start` is set.
    `epsilon`: radius of the ball in pixels of [0, 1], before normalisation. It grows linearly
    from 0 over the first `ramp` (share of all steps), then stays.
    `step_size`: of one step, in units of ε; None takes 1.25 (fbf), 1 (fgsm), 2.5 / steps (pgd).
    `share`: of every batch, rounded, that is adversarial. The loss is the mean cross-entropy of
    the mixed batch: (1 - share) · clean + share · adversarial, each image used once.
    Examples are clipped to [0, 1]. Raises HipauditError for values out of range.
    """

    method: Literal["fbf", "fgsm", "pgd"] = "fbf"
    epsilon: float = 4 / 255
    ramp: float = 0.3
    share: float = 0.5
    steps: int = 7
    step_size: float | None = None
    random_start: bool = True

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            fix = did_you_mean(str(self.method), list(METHODS))
            raise HipauditError("a method of adversarial training", f'"{self.method}"', fix)
        _in_range("an epsilon above 0 and at most 1", self.epsilon, 0 < self.epsilon <= 1)
        _in_range("a ramp from 0 to 1", self.ramp, 0 <= self.ramp <= 1)
        _in_range("a share above 0 and at most 1", self.share, 0 < self.share <= 1)
        _in_range("at least one step", self.steps, self.steps >= 1)
        if self.step_size is not None:
            right = math.isfinite(self.step_size) and self.step_size > 0
            _in_range("a step size above 0, in units of epsilon", self.step_size, right)

    @property
    def step(self) -> float:
        """Size of one step in units of ε."""
        if self.step_size is not None:
            return self.step_size
        return {"fbf": FBF_STEP, "fgsm": 1.0}.get(self.method, PGD_REACH / self.steps)

    @property
    def gradients(self) -> int:
        """Gradients per adversarial example: what it costs beside a clean one."""
        return self.steps if self.method == "pgd" else 1

    @property
    def starts_at_random(self) -> bool:
        return self.method == "fbf" or (self.method == "pgd" and self.random_start)

    def epsilon_at(self, progress: float) -> float:
        """ε once `progress` (0 to 1) of all training steps are done."""
        return self.epsilon if progress >= self.ramp else self.epsilon * progress / self.ramp

    def crafted(self, n: int) -> int:
        """How many images of a batch of n are adversarial; at least one."""
        return max(1, math.floor(self.share * n + 0.5)) if n else 0

    def recorded(self) -> dict[str, Any]:
        """Plain data for checkpoint and log, with the step that was really taken."""
        return {**asdict(self), "step_size": self.step}


def make_adversarial(settings: dict[str, Any]) -> Adversarial:
    """Adversarial from keyword settings; an unknown name is a HipauditError."""
    known = [field.name for field in fields(Adversarial)]
    for name in settings:
        if name not in known:
            fix = did_you_mean(name, known)
            raise HipauditError("a setting of adversarial training", f'"{name}"', fix)
    return Adversarial(**settings)


def _in_range(expected: str, value: float, right: bool) -> None:
    if not right:
        raise HipauditError(expected, f"{value:g}")
