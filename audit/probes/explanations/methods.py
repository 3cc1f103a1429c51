"""The methods that are examined, what a map of each costs, and which cases are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audit.cascade.module import Cascade
from audit.classifier import Classifier
from audit.findings.rates import FEWEST
from audit.probes.cam.maps import CHANNELS, Map, grad_cam, score_cam
from audit.probes.cam.smooth import DRAWS, smoothgrad
from audit.probes.explanations.removal import IMAGES

RANDOMISED = 2  # networks with randomised weights
ALTERED = 2  # versions of an image: with noise, and attacked
ATTACK = 4  # forwards for an attacked version


@dataclass(frozen=True)
class Method:
    """`make(classifier, seed)` gives its map, which costs `forwards` (a backward counts two).

    `most` cases at most, within the part `share` of what the probe may spend.
    """

    name: str
    title: str
    make: Callable[[Classifier, int], Map]
    forwards: int
    most: int
    share: float

    def affordable(self, budget: int) -> int:
        """How many cases the budget pays for: maps, removals, and one more map for a box."""
        maps = 1 + RANDOMISED + ALTERED + 1
        return min(self.most, int(budget * self.share) // (maps * self.forwards + IMAGES + ATTACK))


METHODS = (
    # The gradient of the score at one layer.
    Method("grad-cam", "Grad-CAM", lambda c, _: grad_cam(c, signed=True), 3, 48, 0.3),
    # No gradient: what the model says of the image seen through each channel of that layer.
    Method("score-cam", "Score-CAM", lambda c, _: score_cam(c), CHANNELS + 1, 24, 0.3),
    # No layer: the gradient at the pixels, whatever lies in between.
    Method("smoothgrad", "SmoothGrad", lambda c, seed: smoothgrad(c, seed), 3 * DRAWS, 32, 0.4),
)
TITLES = {method.name: method.title for method in METHODS}


def methods_for(classifier: Classifier) -> tuple[Method, ...]:
    """All of them; Grad-CAM alone for a cascade, whose branches differ from image to image."""
    return METHODS[:1] if isinstance(classifier.module, Cascade) else METHODS


def too_few(method: Method, budget: int) -> str | None:
    """Why a method is left out, if it is."""
    if method.affordable(budget) >= FEWEST:
        return None
    return f"fewer than {FEWEST} cases within {budget} forwards"
