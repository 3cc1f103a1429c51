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
_DISTANCE = "Carlini et al. 2019, arXiv:1902.06705"
_SMALLEST = (
    "An upper estimate per image: a stronger attack may find a smaller one. What nothing fooled "
    "counts as above the maximum."
)
_SELECTIVE = "El-Yaniv & Wiener 2010, JMLR 11:1605 (selective classification)"
_BOUND = "Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404"
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
    "first_loss": Words(
        "change of accuracy at the mildest level of a stress at which a loss is detected",
        "accuracy at that level minus without stress, case by case; its 95% interval lies below 0",
        "Few cases detect late: no loss detected is no proof of none. Every level is looked at on "
        "its own, so among many one may be found by chance.",
        "Bonett & Price 2012, doi:10.3102/1076998611411915 (interval)",
    ),
    "change_per_step": Words(
        "change of accuracy from one level of a stress to the next, mean over the levels",
        "(accuracy at the grossest level - without stress) / number of levels, case by case",
        "Steps are those of this run and are not equal in size; the curve shows where it falls.",
    ),
    "referral_rate": Words(
        "share of the cases that the model hands to a human",
        "referred / all",
        "Only where the model refers; every other rate counts referred cases by their decision.",
    ),
    "accuracy_handled": Words(
        "share of the cases handled alone that are decided correctly",
        "correct and not referred / not referred",
        "Rises when hard cases are handed over: read it beside referral_rate.",
        _SELECTIVE,
    ),
    "sensitivity_handled": Words(
        "share of the positive cases handled alone that are called positive",
        "TP and not referred / positive and not referred",
        "A fracture that was referred counts neither for nor against it.",
        _SELECTIVE,
    ),
    "specificity_handled": Words(
        "share of the negative cases handled alone that are called negative",
        "TN and not referred / negative and not referred",
        "A normal image that was referred counts neither for nor against it.",
        _SELECTIVE,
    ),
    "missed_handled": Words(
        "positive cases that are missed while nobody looks, per case handled alone",
        "FN and not referred / not referred; the upper limit is that of a one-sided 95% interval",
        "Depends on prevalence. None in 598 is needed before the rate is below 0.5% at 95%.",
        _BOUND,
    ),
    "missed_of_positives": Words(
        "positive cases that are missed while nobody looks, per positive case",
        "FN and not referred / positive, referred or not; upper limit one-sided 95%",
        "Assumes that whoever gets the referred cases misses none of them.",
        _BOUND,
    ),
    "unseen_error_rate": Words(
        "share of all cases decided wrongly and referred to nobody",
        "wrong and not referred / all; under stress, wrong without it or under any variant",
        "Stresses do not aim at the referral: an attack that does may find more.",
        _SELECTIVE,
    ),
    "handled_above": Words(
        "share of all cases whose decided class has at least the probability of the cut-off",
        "log(p / (1 - p)) >= log(cutoff / (1 - cutoff)) and not referred / all",
        "A softmax probability is a score: 99.5% is not a chance of 99.5%.",
        _SELECTIVE,
    ),
    "accuracy_above": Words(
        "share of the cases above the cut-off that are decided correctly",
        "correct above / above",
        "Read it beside handled_above; no cut-off follows from it.",
        _SELECTIVE,
    ),
    "sensitivity_above": Words(
        "share of the positive cases above the cut-off that are called positive",
        "TP above / positive above",
        "A fracture below the cut-off counts neither for nor against it.",
        _SELECTIVE,
    ),
    "specificity_above": Words(
        "share of the negative cases above the cut-off that are called negative",
        "TN above / negative above",
        "A normal image below the cut-off counts neither for nor against it.",
        _SELECTIVE,
    ),
    "missed_above": Words(
        "positive cases missed above the cut-off, per case above it",
        "FN above / above; the upper limit is that of a one-sided 95% interval",
        "Depends on prevalence. None in 598 is needed before the rate is below 0.5% at 95%.",
        _BOUND,
    ),
    "missed_of_positives_above": Words(
        "positive cases missed above the cut-off, per positive case",
        "FN above / positive; upper limit one-sided 95%",
        "Assumes that whoever gets the cases below misses none of them.",
        _BOUND,
    ),
    "unseen_error_above": Words(
        "share of all cases decided wrongly with at least the probability of the cut-off",
        "wrong above / all; under stress, wrong without it or under any variant",
        "Stresses do not aim at confidence: an attack that does may find more.",
        _SELECTIVE,
    ),
    "selective_risk": Words(
        "share decided wrongly among the surest cases, at a coverage",
        "wrong / cases at least as sure as the coverage asks, ties together",
        "How these images were ranked; says nothing of others.",
        _SELECTIVE,
    ),
    "aurc": Words(
        "area under the risk-coverage curve",
        "mean over k of the share wrong among the k surest; patient bootstrap",
        "Falls with accuracy and with ranking alike: compare models of like accuracy.",
        _SELECTIVE,
    ),
    "poor_quality": Words(
        "share of the images beyond the limits of quality",
        "beyond a limit of blur, contrast, uniformity, noise, exposure or border / all",
        "What the picture shows is not looked at; the limits are told in the notes.",
        "Crete et al. 2007, doi:10.1117/12.702790",
    ),
    "accuracy_sound": Words(
        "share of the images within the limits of quality that are decided correctly",
        "correct and within / within",
        "Read it beside accuracy and poor_quality.",
    ),
    "accuracy_poor": Words(
        "share of the images beyond the limits of quality that are decided correctly",
        "correct and beyond / beyond",
        "Read it beside accuracy_sound; few images as a rule.",
    ),
    "kappa": Words(
        "agreement of two readers beyond chance (Cohen)",
        "(observed - expected) / (1 - expected) agreement, expected from how often each says what",
        "Falls when findings are rare although readers agree: read it beside specific agreement.",
        "Cohen 1960, doi:10.1177/001316446002000104; interval Fleiss et al. 1969",
    ),
    "agreement": Words(
        "share of the cases on which two readers say the same",
        "same / all cases both read",
        "High by chance alone where nearly all cases are normal.",
    ),
    "positive_agreement": Words(
        "agreement on the positive class: of two readers, when one says it, the other does",
        "2 both / (2 both + only one + only the other)",
        "Does not say who is right.",
        "Cicchetti & Feinstein 1990, doi:10.1016/0895-4356(90)90159-M",
    ),
    "negative_agreement": Words(
        "agreement on everything but the positive class",
        "2 neither / (2 neither + only one + only the other)",
        "Does not say who is right.",
        "Cicchetti & Feinstein 1990, doi:10.1016/0895-4356(90)90159-M",
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
    "smallest_epsilon": Words(
        "median of the smallest perturbation found to turn an image",
        "median over the clean-correct cases of smallest_epsilon; interval by order statistics",
        _SMALLEST,
        _DISTANCE,
    ),
    "smallest_epsilon_lower_quartile": Words(
        "a quarter of the images is turned by this perturbation or a smaller one",
        "lower quartile over the clean-correct cases; interval by order statistics",
        _SMALLEST,
        _DISTANCE,
    ),
    "smallest_epsilon_upper_quartile": Words(
        "three quarters of the images are turned by this perturbation or a smaller one",
        "upper quartile over the clean-correct cases; interval by order statistics",
        _SMALLEST,
        _DISTANCE,
    ),
    "queries_to_success": Words(
        "how often a search asked the model about an image before it was turned",
        "median over the turned cases; interval by order statistics; the budget is `queries`",
        "Of the turned cases only: read it beside attack_success, which says how many they are.",
    ),
    "masking_flags": Words(
        "signs that robust accuracy may be an artefact of masked gradients",
        "a count per defence, by the probe masking; each sign is a note of its own",
        "Zero is no proof that gradients are sound.",
        _DISTANCE,
    ),
    "not_finite": Words(
        "cases whose output was NaN or infinite",
        "a count; such cases are decided as wrong everywhere",
        "A fault of the model or its preparation, not a measure of it.",
    ),
}
