"""Would another normalisation or class order fit the data much better than the one assumed?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from audit.cascade.describe import ARCHITECTURE
from audit.classifier import Classifier
from audit.decision import margin
from audit.metrics.auroc import auroc, auroc_interval, roc
from audit.results import Note, Preparation

# Both classes need this many sampled cases before anything is said.
ENOUGH = 10
# Another normalisation must separate better by this much, and well in itself. With 32 + 32
# cases the standard error of one AUROC is about .07, and several alternatives are tried.
MARGIN = 0.15
WELL = 0.75
# Of more than two classes: accuracy under the best other order against the given one.
ORDER_MARGIN = 0.30
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
LogitsOf = Callable[[Classifier, Sequence[Tensor]], Floats]


def implausible(
    classifier: Classifier,
    x: Sequence[Tensor],
    z: Floats,
    targets: Ints,
    logits_of: LogitsOf,
) -> list[Note]:
    """Warnings from prepared images, their logits z (N, K) and true classes (N,).

    None where the sample is too small. Costs 3 or 4 forwards per image, none for a model
    that separates too well for another to be much better.
    """
    positive = targets == classifier.decision.positive
    if min(int(positive.sum()), int((~positive).sum())) < ENOUGH:
        return []
    now = _auroc(z, classifier, positive)
    order = _order(classifier, z, targets)
    # Another order explains more than another normalisation unless that one does still better.
    bar = max(now, 1 - now) if order else now
    return [*order, *_better_normalisation(classifier, x, positive, bar, logits_of)]


def _better_normalisation(
    classifier: Classifier,
    x: Sequence[Tensor],
    positive: npt.NDArray[np.bool_],
    bar: float,
    logits_of: LogitsOf,
) -> list[Note]:
    """A normalisation whose AUROC is well above `bar`."""
    chained = classifier.description.architecture == ARCHITECTURE  # every link has its own
    if chained or bar > 1 - MARGIN:
        return []
    tried = {
        name: _auroc(logits_of(_with(classifier, way), x), classifier, positive)
        for name, way in alternatives(classifier.preparation).items()
    }
    best = max(tried, key=lambda name: tried[name], default="")
    if not best or tried[best] < max(WELL, bar + MARGIN):
        return []
    text = (
        f"Another normalisation fits much better: AUROC {tried[best]:.2f} with {best}, "
        f"at most {bar:.2f} as read, on {len(x)} sampled cases. "
        "Say the right one in model.yaml: input."
    )
    return [Note(code="normalisation-implausible", level="warning", text=text)]


def alternatives(way: Preparation) -> dict[str, Preparation]:
    """Normalisations in common use, without the one at hand."""
    grey = way.channels == 1
    mean = (0.449,) if grey else (0.485, 0.456, 0.406)
    std = (0.226,) if grey else (0.229, 0.224, 0.225)
    n = way.channels
    common: dict[str, dict[str, object]] = {
        "ImageNet mean and std": {"value_range": 1.0, "mean": mean, "std": std},
        "none (values 0 to 1)": {"value_range": 1.0, "mean": (0.0,) * n, "std": (1.0,) * n},
        "mean 0.5, std 0.5": {"value_range": 1.0, "mean": (0.5,) * n, "std": (0.5,) * n},
        "none (values 0 to 255)": {"value_range": 255.0, "mean": (0.0,) * n, "std": (1.0,) * n},
    }
    ways = {name: way.model_copy(update=change) for name, change in common.items()}
    return {name: other for name, other in ways.items() if other != way}


def _with(classifier: Classifier, way: Preparation) -> Classifier:
    description = classifier.description.model_copy(update={"preparation": way})
    return Classifier(classifier.module, description, device=str(classifier.device))


def _auroc(z: Floats, classifier: Classifier, positive: npt.NDArray[np.bool_]) -> float:
    scores = margin(z, classifier.decision.positive)
    return auroc(scores, positive) if np.isfinite(scores).all() else 0.0


def _order(classifier: Classifier, z: Floats, targets: Ints) -> list[Note]:
    """Are the outputs in another order than the names?"""
    if z.shape[1] > 2:
        return _order_of_many(classifier, z, targets)
    rule = classifier.decision
    positive = targets == rule.positive
    interval = auroc_interval(roc(margin(z, rule.positive), positive, np.arange(len(z))))
    value = _auroc(z, classifier, positive)
    if value >= 0.5 or (interval.high is not None and interval.high >= 0.5):
        return []
    text = (
        f"Classes may be swapped: AUROC {value:.2f} with the order {_names(classifier.classes)}, "
        f"{1 - value:.2f} with {_names(classifier.classes[::-1])}, on {len(z)} sampled cases. "
        f"If so, add: --classes {','.join(classifier.classes[::-1])}"
    )
    return [Note(code="classes-swapped", level="warning", text=text)]


def _order_of_many(classifier: Classifier, z: Floats, targets: Ints) -> list[Note]:
    said = z.argmax(axis=1)
    k = z.shape[1]
    table = np.zeros((k, k))
    np.add.at(table, (said, targets), 1)
    outputs, named = linear_sum_assignment(-table)
    now, best = np.trace(table) / len(z), table[outputs, named].sum() / len(z)
    if best < now + ORDER_MARGIN:
        return []
    order = [classifier.classes[index] for index in named]
    text = (
        f"Classes may be in another order: accuracy {now:.2f} with {_names(classifier.classes)}, "
        f"{best:.2f} with {_names(order)}, on {len(z)} sampled cases."
    )
    return [Note(code="classes-swapped", level="warning", text=text)]


def _names(classes: Sequence[str]) -> str:
    return ", ".join(classes)
