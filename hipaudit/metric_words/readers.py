"""Words for the agreement of readers."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

METRICS = {
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
}
