"""Words for what it decides under stress."""

from __future__ import annotations

from hipaudit.metric_words.words import Words

_ROBUST_LIMITS = (
    "An upper bound: a stronger attack may find more. The attack, its radius and the number of "
    "cases belong to the number."
)
_DISTANCE = "Carlini et al. 2019, arXiv:1902.06705"
_SMALLEST = (
    "An upper estimate per image: a stronger attack may find a smaller one. What nothing fooled "
    "counts as above the maximum."
)
METRICS = {
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
}
