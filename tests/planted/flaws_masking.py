"""Models and defences that withstand attacks only because these are blind there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from audit.classifier import Classifier
from audit.defences.registry import DEFENCES, defence, load_defences
from audit.results import Results
from tests.planted.planting import Flaw, Outcome, audited, either, named
from tests.probes import masked_models as masked

EPSILONS = (4 / 255, 12 / 255, 24 / 255)
SMALL = {
    "fgsm": {"epsilons": EPSILONS},
    "pgd": {"epsilons": EPSILONS, "steps": 8, "restarts": 1},
    "square": {"epsilons": (12 / 255, 24 / 255), "queries": 60},
}
ROUNDING = "rounding"
Audit = Callable[[Path], Results]


def attacked(module: Callable[[], nn.Module], *stresses: str, **options: object) -> Audit:
    return audited(
        lambda: masked.classifier_of(module()),
        masked.cases,
        *(stresses or ("fgsm", "pgd", "square")),
        probes=("masking",),
        params=SMALL,
        **options,
    )


def rounding_defence(folder: Path) -> Results:
    """An audit with a defence that rounds its input: accuracy kept, gradient gone."""
    load_defences()

    @defence(ROUNDING)
    def rounding(classifier: Classifier) -> Classifier:
        return classifier.derived(lambda x: classifier.logits(torch.round(x * 63) / 63))

    try:
        return attacked(masked.Linear, "pgd", defences=(ROUNDING,))(folder)
    finally:
        del DEFENCES[ROUNDING]


def only_under_rounding(results: Results, _folder: Path) -> Outcome:
    (report,) = results.probes
    under = [(flag["defence"], flag["code"]) for flag in report.details["flags"]]
    said = ", ".join(f"{code} under {where}" for where, code in under) or "nothing"
    right = (ROUNDING, "masking-zero-gradient") in under and all(w == ROUNDING for w, _ in under)
    return Outcome(right, said)


FLAWS = (
    Flaw(
        "quantised input",
        "rounds to 64 grey levels: the gradient is zero",
        "probe masking: `masking-zero-gradient`",
        attacked(masked.quantised),
        named("masking-zero-gradient"),
    ),
    Flaw(
        "shattered gradient",
        "a ripple of 1/255 on every pixel drowns the slope",
        "probe masking: `masking-black-box` or `masking-half`",
        attacked(masked.shattered),
        either("masking-black-box", "masking-half"),
    ),
    Flaw(
        "stochastic gradient",
        "noise in the logits misleads whoever follows one draw",
        "probe masking: `masking-random`",
        attacked(masked.stochastic, "fgsm"),
        named("masking-random"),
    ),
    Flaw(
        "softmax on softmax",
        "probabilities of 0 and 1 taken for logits flatten every gradient",
        "probe masking: `masking-probabilities`",
        attacked(masked.softmaxed, "fgsm"),
        named("masking-probabilities"),
    ),
    Flaw(
        "saturated loss",
        "sound, but its softmax gives no gradient to a loss of probabilities",
        "probe masking: `masking-saturated`",
        attacked(masked.saturated, "fgsm", "pgd"),
        named("masking-saturated"),
    ),
    Flaw(
        "a defence that only masks",
        "a sound model behind a defence that rounds",
        "probe masking: `masking-zero-gradient`, under that defence only",
        rounding_defence,
        only_under_rounding,
    ),
)
