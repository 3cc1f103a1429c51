"""What the published study says that cannot be so, or leaves open; each number computed here."""

from __future__ import annotations

from audit.study_results import Inconsistency
from trainers.study.published import (
    DETAILS,
    PREVALENCE,
    TOTAL,
    TRAINING,
    VALIDATION,
    published_table,
)

VGG19_PARAMETERS, VGG16_PARAMETERS = 143_667_240, 138_357_544  # with 1,000 classes
EPSILON = 0.153
STD = (0.229, 0.224, 0.225)  # of ImageNet's normalisation, by channel


def accuracy_from(recall: float, precision: float, prevalence: float) -> float:
    """The accuracy that recall and precision of a class imply at its prevalence.

    >>> round(accuracy_from(0.5, 1.0, 0.5), 2)
    0.75
    """
    hits = recall * prevalence
    false_alarms = hits * (1 / precision - 1)
    return hits + (1 - prevalence) - false_alarms


def f1_from(recall: float, precision: float) -> float:
    """Harmonic mean.

    >>> round(f1_from(0.5, 1.0), 4)
    0.6667
    """
    return 2 * recall * precision / (recall + precision)


def exact_percentages() -> list[float]:
    """Those of the published accuracies that are a whole count over n, rounded to 0.01%."""
    found = []
    for row in published_table():
        percent = round(100 * row.accuracy, 2)
        counts = range(VALIDATION + 1)
        if any(f"{100 * k / VALIDATION:.2f}" == f"{percent:.2f}" for k in counts):
            found.append(percent)
    return found


def epsilon_in_levels() -> tuple[float, float]:
    """(smallest, largest) of .153 in normalised space, in grey levels of 255 by channel."""
    levels = [EPSILON * std * 255 for std in STD]
    return min(levels), max(levels)


def inconsistencies() -> tuple[Inconsistency, ...]:
    """Every one of them, in the order of the text."""
    return (*_of_the_data(), *_of_the_numbers(), *_of_the_method())


def _of_the_data() -> tuple[Inconsistency, ...]:
    split = TRAINING + VALIDATION
    return (
        _said(
            f"{TOTAL:,} images, {TRAINING:,} for training and {VALIDATION:,} for validation",
            f"{TRAINING:,} + {VALIDATION:,} = {split:,}: {TOTAL - split} images are not "
            "accounted for.",
        ),
        _said(
            "a split of 1:5",
            f"{TRAINING:,} to {VALIDATION:,} is {TRAINING / VALIDATION:.2f} to 1.",
        ),
        _said(
            "the DICOM metadata was discarded",
            "Scanner, sex, age and view can no longer be examined as confounders.",
        ),
        _said(
            "no patient is in both splits",
            "Images of one patient are still clustered within a split; nothing says how many "
            "patients there were, so no interval can take it into account.",
        ),
    )


def _of_the_numbers() -> tuple[Inconsistency, ...]:
    exact = exact_percentages()
    shown = ", ".join(f"{percent:.2f}%" for percent in exact) or "none"
    recall, precision, said_f1 = DETAILS["densenet169"]
    other_recall, other_precision, other_f1 = DETAILS["resnet50"]
    as_fracture = accuracy_from(recall, precision, PREVALENCE)
    as_normal = accuracy_from(recall, precision, 1 - PREVALENCE)
    stated = next(r.accuracy for r in published_table() if r.architecture == "densenet169")
    return (
        _said(
            f"seven accuracies with two decimals on {VALIDATION:,} images",
            f"Only {shown} is a whole number of images over {VALIDATION:,}, rounded; the "
            "intervals shown here use the nearest count.",
        ),
        _said(
            f"DenseNet-169: accuracy {stated:.3f}, recall {recall:.3f}, precision {precision:.3f}",
            f"With {PREVALENCE:.1%} fractures that recall and precision give an accuracy of "
            f"{as_fracture:.3f} if fracture is the positive class and {as_normal:.3f} if normal "
            "is: the positive class was probably normal, the second in the alphabet, and is not "
            "named.",
        ),
        _said(
            f"DenseNet-169: F1 {said_f1:.3f}; ResNet-50: F1 {other_f1:.3f}",
            f"From precision and recall as printed F1 is {f1_from(recall, precision):.3f} and "
            f"{f1_from(other_recall, other_precision):.3f}.",
        ),
        _said(
            "VGG_19 has 138 million parameters",
            f"VGG-19 has {VGG19_PARAMETERS / 1e6:.2f} million; "
            f"{VGG16_PARAMETERS / 1e6:.0f} million is VGG-16.",
        ),
    )


def _of_the_method() -> tuple[Inconsistency, ...]:
    low, high = epsilon_in_levels()
    return (
        _said(
            "stochastic gradient descent with Adam",
            "These are two different optimisers; AdamW, the library's default, is used here.",
        ),
        _said(
            f"ε = {EPSILON}, described as a vector of the gradient's elements",
            f"ε is a length and its space is not stated: in normalised space it is {low:.1f} to "
            f"{high:.1f} grey levels of 255, in [0, 1] it is {EPSILON * 255:.0f}.",
        ),
        _said(
            "one adversarial example is shown",
            "One example says nothing about how often an attack succeeds: no rate is given.",
        ),
        _said(
            f"training stopped when the {VALIDATION:,} validation images showed no improvement",
            "The same images decide when to stop and are reported: the accuracies are optimistic.",
        ),
        _said(
            "accuracies of seven models",
            "No AUROC, interval, calibration, repetition over seeds or agreement of the two "
            "annotators is reported.",
        ),
    )


def _said(claim: str, finding: str) -> Inconsistency:
    return Inconsistency(claim=claim, finding=finding)
