"""What one method's maps are, over a sample of cases: similarity, stability, removal, boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from audit.classifier import Classifier
from audit.draws import generator, ranked
from audit.probes.cam.maps import Array
from audit.probes.cam.randomised import randomised
from audit.probes.explanations.methods import RANDOMISED, Method
from audit.probes.explanations.pointing import Pointed, pointed
from audit.probes.explanations.removal import Removal, removal
from audit.probes.explanations.similarity import FEWEST_CELLS, rank_similarity
from audit.probes.gradcam.gallery import Shown, outcomes
from audit.probes.registry import Examination
from audit.stresses.registry import Batch, get_stress

SIGMA = 0.01  # of small noise, in pixels of [0, 1]
EPSILON = 2 / 255
MEASURED = 16  # images for the statistics of a randomised network


@dataclass
class Looked:
    """Case id -> what one method's maps showed of it; a case is missing where it had no map."""

    randomised: dict[str, float] = field(default_factory=dict)
    noise: dict[str, float] = field(default_factory=dict)
    fgsm: dict[str, float] = field(default_factory=dict)
    removed: dict[str, Removal] = field(default_factory=dict)
    boxed: dict[str, Pointed] = field(default_factory=dict)
    looked_at: int = 0


class Sight:
    """The cases in their seeded order, and what all methods share about them."""

    def __init__(self, examination: Examination) -> None:
        self.examination = examination
        self.classifier = examination.classifier
        self.cases = examination.cases.by_id()
        self.seed = examination.seed
        found = {place.case: place for place in outcomes(examination.predictions)}
        self.order = [found[c] for c in ranked(self.seed, list(found), "explanations")]
        boxed = [m.case for m in self.order if m.outcome == "TP" and self.cases[m.case].boxes]
        self.boxed = [found[c] for c in ranked(self.seed, boxed, "gradcam boxes")]
        self._attacked: dict[str, Tensor | None] = {}
        self._controls: list[Classifier] = []

    def image(self, place: Shown) -> Tensor:
        self.examination.check_time()
        return self.classifier.prepare(self.cases[place.case])

    def controls(self) -> list[Classifier]:
        """The networks with randomised weights; their statistics are of the first cases."""
        if not self._controls:
            images = [self.image(place) for place in self.order[:MEASURED]]
            alike = [x for x in images if x.shape == images[0].shape]
            seeds = range(self.seed, self.seed + RANDOMISED)
            self._controls = [randomised(self.classifier, alike, seed) for seed in seeds]
        return self._controls

    def noisy(self, place: Shown, x: Tensor) -> Tensor:
        noise = generator(self.seed, place.case, "explanations noise").normal(0, SIGMA, x.shape)
        return (x + torch.from_numpy(noise).float()).clamp(0, 1)

    def attacked(self, place: Shown, x: Tensor) -> Tensor | None:
        """x after FGSM, where the decision stays the same; None where it does not."""
        if place.case not in self._attacked:
            rngs = [generator(self.seed, place.case, "explanations fgsm")]
            batch = Batch(x[None], torch.tensor([place.predicted]), rngs)
            (found,) = get_stress("fgsm").perturb(self.classifier, batch, epsilons=(EPSILON,))
            image = torch.as_tensor(np.asarray(found.images))[0]
            said = self.classifier.decide(self.classifier.predict(image[None]).logits)[0]
            self._attacked[place.case] = image if said == place.predicted else None
        return self._attacked[place.case]


def look(method: Method, sight: Sight, budget: int, into: Looked) -> str | None:
    """Fill `into` case by case, so that what was seen before time was up is kept.

    Gives the reason why nothing can be said where the maps are too small.
    """
    own = method.make(sight.classifier, sight.seed)
    controls = [method.make(control, sight.seed) for control in sight.controls()]
    count = method.affordable(budget)
    for place in sight.order[:count]:
        x = sight.image(place)
        heat = own(x, place.predicted)
        if heat.size < FEWEST_CELLS:
            return f"its map has fewer than {FEWEST_CELLS} cells"
        into.looked_at += 1
        others = [control(x, place.predicted) for control in controls]
        _put(into.randomised, place.case, _sameness(heat, others))
        again = own(sight.noisy(place, x), place.predicted)
        _put(into.noise, place.case, rank_similarity(heat, again))
        attacked = sight.attacked(place, x)
        if attacked is not None:
            _put(into.fgsm, place.case, rank_similarity(heat, own(attacked, place.predicted)))
        if heat.max() > 0:
            rng = generator(sight.seed, place.case, "explanations removal")
            batch = sight.examination.batch_size
            into.removed[place.case] = removal(
                sight.classifier, x, place.predicted, np.maximum(heat, 0), rng, batch
            )
    for place in sight.boxed[:count]:
        heat = own(sight.image(place), place.predicted)
        if heat.max() > 0:
            case = sight.cases[place.case]
            into.boxed[place.case] = pointed(case, heat, sight.classifier)
    return None


def _sameness(heat: Array, others: Sequence[Array]) -> float | None:
    """Mean size of the rank correlation with maps of randomised networks.

    Its sign is left out: a map upside down is the same map.
    """
    found = [rank_similarity(heat, other) for other in others]
    known = [abs(one) for one in found if one is not None]
    return float(np.mean(known)) if known else None


def _put(into: dict[str, float], case_id: str, value: float | None) -> None:
    if value is not None:
        into[case_id] = value
