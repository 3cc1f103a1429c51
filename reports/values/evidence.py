"""Numbers of the performance, robustness and explainability sections."""

from __future__ import annotations

from reports.material import Material, probe_detail
from reports.numbers import amount, full, listed, run_name
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


@value("natural.examined")
def natural(material: Material) -> Value:
    return _done(material, "corruption")


@value("adversarial.attacks")
def attacks(material: Material) -> Value:
    return _done(material, "attack")


def _done(material: Material, kind: str) -> Value:
    runs = [r for r in material.results.plan.runs if r.kind == kind and r.state == "done"]
    return [f"{run_name(r)}: {r.sample}/{r.of} cases ({r.rule})" for r in runs] or None


@value("adversarial.threat")
def threat(material: Material) -> Value:
    runs = [r for r in material.results.plan.runs if r.kind == "attack"]
    if not runs:
        return None
    norms = sorted({r.norm for r in runs if r.norm})
    gradients = "knows the weights" if material.results.model.gradients else "sees scores only"
    return (
        f"An adversary who {gradients} and alters the prepared image"
        + (f", bounded in {listed(norms)}" if norms else "")
        + "; acquisition, storage and network are not part of it."
    )


@value("adversarial.rule")
def counting(_: Material) -> Value:
    return (
        "Robust accuracy counts a case when it was decided correctly both without stress and "
        "under it, over all cases of the sample. Attack success counts cases that were decided "
        "correctly and then wrongly, over those decided correctly. A success counts only after "
        "it was verified again on the untouched model."
    )


@value("explain.method")
def explain(material: Material) -> Value:
    details = probe_detail(material, "gradcam")
    layer = material.results.model.cam_layer or details.get("layer")
    if not details and not any(a.kind == "gradcam" for a in material.results.artefacts):
        return None
    target = details.get("target", "the predicted class")
    return f"Grad-CAM; layer {layer or 'not recorded'}; target: {target}"


@value("explain.rule")
def rule(material: Material) -> Value:
    details = probe_detail(material, "gradcam")
    if "rule" not in details:
        return None
    return f"{details['rule']}; seed {details.get('seed', material.results.plan.seed)}"


@value("monitoring.baselines")
def baselines(material: Material) -> Value:
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    if not (sens and spec) or sens.value is None or spec.value is None:
        return None
    return (
        f"sensitivity {amount('sensitivity', sens.value)}, specificity "
        f"{amount('specificity', spec.value)} on this set (audit.json); drift of scores and of "
        "inputs is not computed in this version"
    )
