"""What each metric counts, as far as one number tells another."""

from __future__ import annotations

from audit.results import Curve, Finding, Scalar

# Of the positives alone, of the others alone, and of both (which with one tells the other).
POSITIVE = ("sensitivity", "missed_per_1000")
NEGATIVE = ("specificity", "false_alarms_per_1000")
BOTH = (
    *("accuracy", "precision", "f1", "ppv", "npv", "net_benefit"),
    *("likelihood_ratio_positive", "likelihood_ratio_negative"),
    *("attack_success", "attack_success_8bit"),
)
# A denominator that the labels decide is no secret beside these; every other is a count itself.
BY_LABEL = (
    *("accuracy", "sensitivity", "specificity", "auroc", "partial_auroc", "ppv", "npv"),
    *("missed_per_1000", "false_alarms_per_1000", "net_benefit", "net_benefit_of_all"),
    *("robust_accuracy", "robust_sensitivity", "robust_specificity"),
    *("likelihood_ratio_positive", "likelihood_ratio_negative"),
    *("calibration_intercept", "calibration_slope", "observed_expected", "brier", "ece"),
    *("sensitivity_at_specificity", "specificity_at_sensitivity", "aurc"),
)
# Told of one view, at a point of its own: the view is the same without these.
POINTS = ("prevalence", "threshold", "specificity", "sensitivity", "max_fpr", "coverage")
PARTS = ("cutoff", "measure", "quartile", "bin", "bins", "mean_score")
# Differences under a name of their own, and what they are differences of.
DIFFERENCE_OF = {"first_loss": "accuracy", "change_per_step": "accuracy"}

Place = tuple[object, ...]


def family(metric: str) -> str:
    """Which cases are counted, and how: all, those that withstood, those above a cut-off …"""
    if metric.startswith(("robust_", "attack_success")):
        return "robust"
    for ending in ("_above", "_handled", "_by_quality"):
        if metric.endswith(ending):
            return ending
    handled = ("missed_of_positives", "unseen_error_rate", "referral_rate")
    return "_handled" if metric in handled else ""


def bare(metric: str) -> str:
    """
    >>> bare("robust_sensitivity"), bare("missed_of_positives_above")
    ('sensitivity', 'missed_of_positives')
    """
    found = metric.removeprefix("robust_")
    for ending in ("_above", "_handled", "_by_quality"):
        found = found.removesuffix(ending)
    return found


def side(finding: Finding) -> str:
    """ "positive", "negative", "both", or "" for what tells no count of decisions."""
    name = bare(finding.metric)
    if name in POSITIVE:
        return "positive"
    if name in NEGATIVE:
        return "negative"
    everyone = name == "selective_risk" and finding.params.get("coverage") == 1.0
    return "both" if name in BOTH or everyone else ""


def settings(part: Finding | Curve, *without: str) -> tuple[tuple[str, Scalar], ...]:
    found = [(k, v) for k, v in part.params.items() if k not in without]
    return tuple(sorted(found, key=lambda pair: pair[0]))


def group_of(part: Finding | Curve) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(part.group.items()))


def view_of(finding: Finding) -> Place:
    """What was looked at: stress, level, defence."""
    told = settings(finding, *POINTS, *PARTS)
    return finding.stress, told, finding.variant, finding.defence


def block_of(finding: Finding) -> Place:
    """The numbers that tell one another: of one view, family and group."""
    told = settings(finding, *POINTS)
    where = finding.stress, told, finding.variant, finding.defence
    return *where, family(finding.metric), group_of(finding)


def row_of(finding: Finding) -> Place:
    """One metric of one view in all its groups."""
    where = finding.stress, settings(finding), finding.variant, finding.defence
    return finding.metric, *where
