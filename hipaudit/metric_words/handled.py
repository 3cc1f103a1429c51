"""Words for what is handled alone and what is handed to a human."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

_SELECTIVE = "El-Yaniv & Wiener 2010, JMLR 11:1605 (selective classification)"
_BOUND = "Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404"
METRICS = {
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
}
