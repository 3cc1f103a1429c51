"""What each metric means, how it is computed, what it does not say, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    meaning: str
    how: str
    limits: str
    source: str = ""


_ROBUST_LIMITS = (
    "An upper bound: a stronger attack may find more. The attack, its radius and the number of "
    "cases belong to the number."
)
METRICS: dict[str, Words] = {
    "accuracy": Words(
        "share of all cases decided correctly",
        "(TP + TN) / all",
        'Flatters a model that always says "normal" where few are abnormal.',
    ),
    "sensitivity": Words(
        "share of the positive cases that are called positive",
        "TP / (TP + FN), at the deployed decision rule",
        "Depends on the threshold and on how severe the positive cases are.",
        "CLAIM 2024, items 28-29",
    ),
    "specificity": Words(
        "share of the negative cases that are called negative",
        "TN / (TN + FP), at the deployed decision rule",
        "Depends on the threshold and on who was chosen as negative.",
        "CLAIM 2024, items 28-29",
    ),
    "precision": Words(
        "share of the cases called positive that are positive (PPV)",
        "TP / (TP + FP)",
        "Depends on prevalence: never carry it over from an enriched test set.",
    ),
    "f1": Words(
        "harmonic mean of precision and sensitivity",
        "2 TP / (2 TP + FP + FN)",
        "Ignores true negatives, depends on prevalence.",
    ),
    "auroc": Words(
        "probability that a positive case scores above a negative one",
        "area under the ROC curve of the log-odds; interval by DeLong, clustered by patient",
        "Says nothing about the deployed threshold or about calibration.",
        "DeLong et al. 1988, Biometrics 44:837; Obuchowski 1997, Biometrics 53:567",
    ),
    "robust_accuracy": Words(
        "share of all cases decided correctly without stress and under it",
        "clean-correct and stressed-correct / all cases in the sample",
        _ROBUST_LIMITS,
    ),
    "robust_sensitivity": Words(
        "share of the positive cases called positive without stress and under it",
        "positive, clean-correct and stressed-correct / positive",
        _ROBUST_LIMITS,
    ),
    "robust_specificity": Words(
        "share of the negative cases called negative without stress and under it",
        "negative, clean-correct and stressed-correct / negative",
        _ROBUST_LIMITS,
    ),
    "attack_success": Words(
        "share of the correctly decided cases that the attack turned",
        "turned / clean-correct, re-verified on the untouched model in float32",
        "Its denominator shrinks with accuracy: compare robust accuracy between models.",
    ),
    "attack_success_8bit": Words(
        "attack success that survives rounding to 8 bits",
        "turned after rounding the prepared input to k/255 / clean-correct",
        "Of the prepared input, not of a file one could submit.",
    ),
    "referral_rate": Words(
        "share of the cases that the model hands to a human",
        "referred / all",
        "Only where the model refers; every other rate counts referred cases by their decision.",
    ),
    "cam_energy_in_box": Words(
        "share of a Grad-CAM map that lies inside the lesion boxes, mean over true positives",
        "sum of the map inside the boxes / sum of the map; maps of zero left out",
        "Association, not proof of what the model uses. Compare with box_area: what a map "
        "without aim would reach.",
        "Wang et al. 2020, arXiv:1910.01279 (energy-based pointing game)",
    ),
    "box_area": Words(
        "share of the image inside the lesion boxes, mean over the same cases",
        "pixels inside the boxes / pixels of the prepared input",
        "Describes the data, not the model; the chance level of cam_energy_in_box.",
    ),
    "not_finite": Words(
        "cases whose output was NaN or infinite",
        "a count; such cases are decided as wrong everywhere",
        "A fault of the model or its preparation, not a measure of it.",
    ),
}
