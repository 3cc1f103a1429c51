"""Figure 2 of the study: FGSM on one image, before, the change and after."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from torch import Tensor

from audit.cases.case import Case
from audit.decision import margin
from audit.draws import generator
from audit.probes.gradcam.gallery import outcomes
from audit.probes.pictures import SMALLEST, Bytes, in_a_row, levels_of
from audit.probes.registry import Picture
from audit.results import as_levels
from audit.stresses.registry import Batch, get_stress
from trainers.study.inconsistencies import EPSILON, STD
from trainers.study.surest import Sight

# ε of the audit, and the thesis's .153 read as normalised space: one length for a grey image.
EPSILONS = {
    "2-255": (2 / 255, "a radius of the audit"),
    "thesis": (
        EPSILON * sum(STD) / len(STD),
        f"the thesis's ε = {EPSILON} taken to be in normalised space",
    ),
}


@dataclass(frozen=True)
class Said:
    """A decision on one image: the class, and P(positive class)."""

    decided: str
    probability: float


def attacked(sight: Sight) -> Iterator[Picture]:
    """FGSM on one image at two radii. Nothing without gradients or without a candidate.

    The image is the first by id that was decided correctly, of the positive class where there is
    one, whether the attack succeeds on it or not.
    """
    cases = sight.cases.by_id()
    order = {"TP": 0, "TN": 1}
    right = [s for s in outcomes(sight.predictions) if s.outcome in order]
    shown = [s for s in right if cases[s.case].burned_in is not True]
    candidates = [s.case for s in sorted(shown, key=lambda s: (order[s.outcome], s.case))]
    if not candidates or not sight.classifier.has_gradients:
        return
    case = cases[candidates[0]]
    x = sight.classifier.prepare(case)[None]
    batch = Batch(x, sight.classifier.targets([case]), [generator(sight.seed, case.id, "figure")])
    stress = get_stress("fgsm")
    wanted = stress.check({"epsilons": tuple(epsilon for epsilon, _ in EPSILONS.values())})
    made = list(stress.perturb(sight.classifier, batch, **wanted))
    for altered, (word, (epsilon, why)) in zip(made, EPSILONS.items(), strict=True):
        after = cast(Tensor, altered.images)  # FGSM works on the prepared input
        bare = Picture(f"fgsm-{word}.png", panels(x[0], after[0], epsilon), "fgsm", "", "")
        said = _said(sight, x), _said(sight, after)
        yield _worded(bare, sight, case, said, (epsilon, why))


def panels(before: Tensor, after: Tensor, epsilon: float) -> bytes:
    """Two (C, H, W) in [0, 1] -> PNG: before, the change from −ε (black) to ε (white), after."""
    change = 0.5 + (after - before) / (2 * epsilon)
    return _png(in_a_row([levels_of(image) for image in (before, change, after)]))


def _worded(
    picture: Picture, sight: Sight, case: Case, said: tuple[Said, Said], radius: tuple[float, str]
) -> Picture:
    (before, after), (epsilon, why) = said, radius
    positive, levels = sight.classifier.description.positive_class, as_levels(epsilon)
    fooled = after.decided != before.decided
    outcome = f"then called {after.decided}" if fooled else f"still called {after.decided}"
    view = case.attributes.get("view", "")
    return replace(
        picture,
        title=f"FGSM at ε = {levels}: case {case.id}",
        alt=f"Three pictures: a radiograph labelled {case.label} and called {before.decided}; "
        f"the change, magnified; the changed radiograph, {outcome}.",
        caption=f"Before: P({positive}) = {before.probability:.3f}; after: "
        f"{after.probability:.3f}, {outcome}. ε = {levels} in pixels of [0, 1], {why}. The change "
        "is shown from −ε (black) to ε (white). One image says nothing about how often it works.",
        meta={
            "model": sight.name,
            "case": case.id,
            "view": view,
            "epsilon": epsilon,
            "fooled": fooled,
            "before": before.decided,
            "after": after.decided,
        },
    )


def _said(sight: Sight, x: Tensor) -> Said:
    logits = sight.classifier.predict(x).logits.numpy()
    rule = sight.classifier.decision
    place = int(sight.classifier.decide(logits)[0])
    name = sight.classifier.classes[place] if place >= 0 else "nothing (not finite)"
    return Said(name, float(1 / (1 + np.exp(-margin(logits, rule.positive)[0]))))


def _png(image: Bytes) -> bytes:
    from PIL import Image

    picture = Image.fromarray(image)
    times = -(-SMALLEST // image.shape[0])
    if times > 1:
        size = (image.shape[1] * times, image.shape[0] * times)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return stream.getvalue()
