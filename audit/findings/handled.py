"""Which defences hand cases to a human."""

from __future__ import annotations

from audit.evidence import Predictions

# These refer even where they happen to refer nobody, and never change a decision.
ONLY_REFER = ("quality-filter", "referral")


def refers(predictions: Predictions, defence: str) -> bool:
    """Whether what is handled alone differs, or could, from what is decided."""
    return defence in ONLY_REFER or any(
        evidence.run.defence == defence and bool(evidence.rows.referred.any())
        for evidence in predictions.runs
    )
