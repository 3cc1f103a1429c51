"""Numbers of the performance, robustness and explainability sections."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import full
from reports.values.registry import Value, value


def _clean(material: Material, metric: str) -> Value:
    found = material.clean(metric)
    return full(found) if found else None


@value("clean.sensitivity")
def sensitivity(material: Material) -> Value:
    return _clean(material, "sensitivity")


@value("clean.specificity")
def specificity(material: Material) -> Value:
    return _clean(material, "specificity")


@value("clean.accuracy")
def accuracy(material: Material) -> Value:
    return _clean(material, "accuracy")


@value("clean.auroc")
def auroc(material: Material) -> Value:
    found = material.clean("auroc")
    return (
        f"{full(found)}, by {found.method}" if found and found.method else _clean(material, "auroc")
    )


@value("clean.majority")
def majority(material: Material) -> Value:
    labels = material.results.data.labels
    if not labels:
        return None
    name, n = max(labels.items(), key=lambda item: item[1])
    total = sum(labels.values())
    return (
        f'Always answering "{name}" would score an accuracy of {100 * n / total:.1f}% ({n}/{total})'
    )
