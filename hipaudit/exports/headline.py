"""The numbers that an export carries: few, each with its interval and where it comes from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit.results import Finding, Results

CLEAN = ("sensitivity", "specificity", "accuracy", "auroc")
ROBUST = ("robust_sensitivity", "robust_specificity", "robust_accuracy")
NOT_SUPPLIED = "NOT SUPPLIED"


def clean(results: Results) -> list[Finding]:
    """Without stress and defence, for everyone."""
    return list(_of(results, CLEAN, stress="clean", group={}))


def by_group(results: Results) -> list[Finding]:
    """Sensitivity and specificity without stress, by group."""
    return [f for f in _of(results, CLEAN[:2], stress="clean") if f.group]


def stressed(results: Results) -> list[Finding]:
    """The worst case of every stress: the lowest of each robust metric over its levels."""
    worst: dict[tuple[str, str], Finding] = {}
    for found in _of(results, ROBUST, group={}):
        key = found.stress, found.metric
        if found.variant != "average" and value_of(found) < value_of(worst.get(key)):
            worst[key] = found
    return list(worst.values())


def value_of(finding: Finding | None) -> float:
    return math.inf if finding is None or finding.value is None else finding.value


def _of(results: Results, metrics: tuple[str, ...], **where: object) -> Iterator[Finding]:
    for metric in metrics:
        for found in results.find(metric, defence="none", contrast=None, **where):
            if found.value is not None and "surrogate" not in found.params:
                yield found


def named(finding: Finding) -> str:
    """Metric, stress and group in words."""
    from hipaudit.summary import under

    parts = [finding.metric.replace("_", " ")]
    parts += [under(finding)] if finding.stress != "clean" else []
    parts += [f"{key} {value}" for key, value in finding.group.items()]
    return ", ".join(parts)


def data_in_words(results: Results) -> str:
    """The evaluation data in one sentence, without anything that names a person or a path."""
    data = results.data
    counts = ", ".join(f"{n} {label}" for label, n in sorted(data.labels.items()))
    who = "patients not identified" if data.patients is None else f"{data.patients} patients"
    made = " Synthetic images: says nothing about patients." if data.synthetic else ""
    return f"{data.cases} images ({counts}), {who}; sha256 {data.sha256[:16]}.{made}"
