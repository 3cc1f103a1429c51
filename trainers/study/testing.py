"""What the test split says of one model: a pass without stress, and the numbers read from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.engine import Progress, execute
from audit.evidence import Predictions
from audit.findings import derive
from audit.metrics.proportion import wilson
from audit.options import AuditOptions
from audit.plan import make_plan
from audit.results import Finding
from audit.store import Store

WIDE = 0.10  # half-width above which a number is called imprecise, as in an audit
# What the audit's results add to a model's row: how it stands under attack.
UNDER_ATTACK = ("robust_accuracy", "robust_sensitivity", "robust_specificity", "attack_success")


def predict_test(
    classifier: Classifier, cases: Cases, folder: Path, *, seed: int, progress: Progress
) -> Predictions:
    """One pass over the test split; what `folder` already holds of it is not computed again."""
    runs = make_plan(classifier, cases, AuditOptions(preset="ci", stresses=(), seed=seed))
    return execute(runs, classifier, cases, Store(folder), seed=seed, progress=progress)


def findings_of(
    predictions: Predictions, subgroups: Sequence[str], seed: int
) -> tuple[Finding, ...]:
    """The audit's own numbers, overall and by subgroup, with accuracy by Wilson.

    Attributes that no case has are left out. Wilson's interval treats images as independent.
    """
    known = {name for subject in predictions.subjects for name in subject.attributes}
    found = derive(predictions, [name for name in subgroups if name in known], seed)
    return tuple(_by_wilson(finding) for finding in found)


def _by_wilson(finding: Finding) -> Finding:
    """An accuracy with the interval of the study's table; anything else as it is."""
    plain = finding.metric == "accuracy" and finding.contrast is None
    if not plain or finding.value is None or finding.events is None:
        return finding
    low, high = (float(limit) for limit in wilson(finding.events, finding.n))
    return finding.model_copy(
        update={
            "low": low,
            "high": high,
            "method": "wilson",
            "independent": True,
            "imprecise": (high - low) / 2 > WIDE,
        }
    )


def under_attack(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of an audit's findings the few for a table: undefended, everyone, no map cell, no average."""
    kept = [
        f
        for f in findings
        if f.metric in UNDER_ATTACK
        and f.defence == "none"
        and not f.group
        and f.contrast is None
        and f.variant != "average"
    ]
    mapped = {f.stress for f in kept if f.variant == "worst cell"}
    return tuple(f for f in kept if f.stress not in mapped or f.variant == "worst cell")


def overall(findings: Iterable[Finding], metric: str) -> Finding | None:
    """A metric without stress for everyone, or None."""
    for f in findings:
        if (f.metric, f.stress, f.defence, f.group, f.contrast) == (
            metric, "clean", "none", {}, None
        ):  # fmt: skip
            return f
    return None


def baseline(test: Cases) -> float:
    """Accuracy of always saying the commoner class of the test split."""
    counts = [sum(case.label == label for case in test) for label in test.labels]
    return max(counts) / len(test)
