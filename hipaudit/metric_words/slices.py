"""Words for the search of slices in which a model is worse."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

METRICS = {
    "weak_slice": Words(
        "a value, or pair of values, of the attributes in which the model is worse than elsewhere",
        "the slice minus all other cases, of the metric named under `of`; p_holm is adjusted for "
        "every slice and metric searched, by exchanging what was wrong between patients of like "
        "outcomes (Westfall-Young)",
        "Chosen because it is the worst: a new set will show less. A slice that overlaps a weak "
        "one is weak with it. None found is not evidence that there is none: small slices hide.",
        "Westfall & Young 1993; Ge et al. 2003, doi:10.1007/BF02595811",
    ),
}
