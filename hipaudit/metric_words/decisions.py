"""Words for what the model decides without stress."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

METRICS = {
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
    "not_finite": Words(
        "cases whose output was NaN or infinite",
        "a count; such cases are decided as wrong everywhere",
        "A fault of the model or its preparation, not a measure of it.",
    ),
}
