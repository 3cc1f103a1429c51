"""Which defences hand cases to a human."""

from __future__ import annotations

from audit.evidence import Predictions
from audit.results import Finding

# These refer even where they happen to refer nobody, and never change a decision.
ONLY_REFER = ("quality-filter", "referral")
# Of decisions alone: under such a defence the same as without, in every group.
DECIDED = (
    *("accuracy", "sensitivity", "specificity", "precision", "f1", "auroc"),
    *("robust_accuracy", "robust_sensitivity", "robust_specificity"),
    *("attack_success", "attack_success_8bit"),
)


def repeats(finding: Finding) -> bool:
    """Whether a finding of a group only says again what stands without the defence."""
    return bool(finding.group) and finding.defence in ONLY_REFER and finding.metric in DECIDED


def refers(predictions: Predictions, defence: str) -> bool:
    """Whether what is handled alone differs, or could, from what is decided."""
    return defence in ONLY_REFER or any(
        evidence.run.defence == defence and bool(evidence.rows.referred.any())
        for evidence in predictions.runs
    )
