"""Section 4: likelihood ratios, other operating points, and where the model is of use."""

from __future__ import annotations

from audit.results import Finding
from reports.material import Material
from reports.numbers import full, metric_name
from reports.values.registry import Value, value


@value("clean.likelihood_ratios")
def likelihood_ratios(material: Material) -> Value:
    found = [material.clean(f"likelihood_ratio_{sign}") for sign in ("positive", "negative")]
    return [_line(f) for f in found if f is not None] or None


def _line(finding: Finding) -> str:
    return f"{metric_name(finding.metric)}: {full(finding)}"


@value("clean.operating_points")
def operating_points(material: Material) -> Value:
    lines = []
    for metric, given in (
        ("sensitivity_at_specificity", "specificity"),
        ("specificity_at_sensitivity", "sensitivity"),
    ):
        for f in material.results.find(metric, stress="clean", group={}, defence="none"):
            what = "Sensitivity" if given == "specificity" else "Specificity"
            lines.append(f"{what} at a {given} of {float(f.params[given]):g}: {full(f)}")
    area = material.clean("partial_auroc")
    if area is not None:
        lines.append(f"Partial AUROC up to a false-positive rate of .1 (McClish): {full(area)}")
    return lines or None


@value("clean.decision_curve")
def decision_curve(material: Material) -> Value:
    pairs = _pairs(material)
    if not pairs:
        return None
    useful = [at for at, model, everyone in pairs if _above(model, everyone)]
    words = (
        "thresholds " + ", ".join(f"{at:g}" for at in useful) + " of those looked at"
        if useful
        else "none of the thresholds looked at"
    )
    return (
        "Acting on the model was worth more than acting on no one (lower 95% limit above 0) and, "
        f"by point estimate, than acting on everyone, at {words}. At the share of positives of "
        "this set; see the curve below."
    )


def _pairs(material: Material) -> list[tuple[float, Finding, Finding]]:
    """(threshold, model, everyone) at the share of positives of the set."""
    own = {
        metric: {
            f.params["threshold"]: f
            for f in material.results.find(metric, stress="clean", group={}, defence="none")
            if "prevalence" not in f.params and f.value is not None
        }
        for metric in ("net_benefit", "net_benefit_of_all")
    }
    model, everyone = own["net_benefit"], own["net_benefit_of_all"]
    return [(float(at), f, everyone[at]) for at, f in model.items() if at in everyone]


def _above(model: Finding, everyone: Finding) -> bool:
    least = model.low is not None and model.low > 0
    return least and (model.value or 0.0) > (everyone.value or 0.0)
