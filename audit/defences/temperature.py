"""Temperature scaling: scores made less, or more, extreme by one number fitted on other images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from torch import Tensor

from audit.cases.case import Case
from audit.classifier import Classifier
from audit.defences.registry import defence, untrained
from audit.defences.telling import defended
from audit.errors import HipauditError
from audit.findings.rates import FEWEST

NAME = "temperature-scaling"
LOWEST, HIGHEST = 0.02, 50.0
_AT_ONCE = 64


@defence(NAME, trained=True, images="--calibration-data")
def temperature_scaling(classifier: Classifier) -> Classifier:  # noqa: ARG001 the table gives it
    """Divides the logits by one temperature, fitted on separate images by likelihood.

    The images come from --calibration-data; none of them may be among the audited ones. It is
    meant for scores that are too extreme, or too little: calibration slope, ECE and Brier score
    tell what it did. The ranking of the classes in an image never changes, so under argmax no
    decision does. A threshold stays as deployed and is held against the scaled probability:
    "positive at 0.3" then means other cases than before, and sensitivity and specificity move.
    It cannot mend a wrong average (calibration in the large), nor what differs between groups,
    and it stands against no attack: the same images fool it.

    Source: Guo et al. 2017, arXiv:1706.04599.
    """
    raise untrained(NAME)  # one that was fitted is looked up among `hardened`


def calibrated(classifier: Classifier, cases: Sequence[Case]) -> Classifier:
    """The classifier with the temperature that is likeliest for `cases`, told in its notes.

    Cases without a finite output are left out, and counted in the note. Raises HipauditError
    where the images tell no temperature.
    """
    logits = _logits(classifier, cases)
    finite = np.isfinite(logits).all(axis=1)
    targets = classifier.targets(cases).numpy()
    check_enough(targets[finite] == classifier.decision.positive)
    temperature = fit_temperature(logits[finite], targets[finite])
    return scaled(classifier, temperature, int(finite.sum()), int((~finite).sum()))


def scaled(
    classifier: Classifier, temperature: float, images: int, left_out: int = 0
) -> Classifier:
    """The classifier with logits divided by `temperature`, which `images` images were fitted to."""

    def forward(x: Tensor) -> Tensor:
        return classifier.logits(x) / temperature

    text = (
        f"Temperature scaling divides the logits by {temperature!r}, fitted by likelihood on "
        f"{images} separate images."
    )
    if left_out:
        text += f" {left_out} more had no finite output."
    if classifier.decision.threshold is not None:
        text += (
            f" The threshold of {classifier.decision.threshold:g} is held against the scaled "
            "probability, so decisions may change."
        )
    return defended(classifier, forward, f"{NAME}.temperature", text)


def fit_temperature(logits: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]) -> float:
    """(n, K) logits, (n,) classes -> the T > 0 that makes softmax(logits / T) likeliest.

    Rounded to six decimals. Raises HipauditError where T runs off: nothing is wrong, or the
    scores say nothing of the classes. Source: Guo et al. 2017, arXiv:1706.04599.
    """
    from scipy.optimize import minimize_scalar

    z = np.asarray(logits, np.float64)
    own = z[np.arange(len(z)), targets]

    def loss(log_temperature: float) -> float:
        cold = np.exp(-log_temperature)
        return float(np.mean(logsumexp(z * cold, axis=1) - own * cold))

    # Convex in 1 / T: it has a least value inside unless it falls towards one of the ends.
    if (own >= z.max(axis=1)).all() or own.mean() <= z.mean():
        raise untold()
    ends = float(np.log(LOWEST)), float(np.log(HIGHEST))
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9})
    if min(found.x - ends[0], ends[1] - found.x) < 1e-3:
        raise untold()
    return round(float(np.exp(found.x)), 6)


def untold() -> HipauditError:
    return HipauditError(
        "calibration images that tell a temperature",
        f"none from {LOWEST:g} to {HIGHEST:g}: all of them right, or scores that say nothing",
        "Check the labels of --calibration-data, or give more images.",
    )


def check_enough(positive: npt.NDArray[np.bool_]) -> None:
    """HipauditError unless there are ten of each outcome."""
    ill, well = int(positive.sum()), int((~positive).sum())
    if min(ill, well) < FEWEST:
        raise HipauditError(
            f"at least {FEWEST} positive and {FEWEST} negative calibration images",
            f"{ill} and {well}",
            "Give more images after --calibration-data.",
        )


def _logits(classifier: Classifier, cases: Sequence[Case]) -> npt.NDArray[np.float32]:
    """(n, K) of the cases, a few in memory at a time; none counts as a forward of the audit."""
    from audit.preflight import logits_of

    parts = [np.zeros((0, len(classifier.classes)), np.float32)]
    with classifier.uncounted():
        for start in range(0, len(cases), _AT_ONCE):
            some = [classifier.prepare(case) for case in cases[start : start + _AT_ONCE]]
            parts.append(logits_of(classifier, some))
    return np.concatenate(parts)
