"""Section 4: likelihood ratios, other operating points, and where the model is of use."""

from __future__ import annotations

from audit.results import Finding
from reports.language import N_, _, decimal
from reports.material import Material
from reports.numbers import full, level, metric_name
from reports.operating import benefit_share, net_benefit, where
from reports.values.registry import Value, value

POINTS = {
    "sensitivity_at_specificity": (
        "specificity",
        N_("Sensitivity at a specificity of {share}: {told}"),
    ),
    "specificity_at_sensitivity": (
        "sensitivity",
        N_("Specificity at a sensitivity of {share}: {told}"),
    ),
}


@value("clean.likelihood_ratios")
def likelihood_ratios(material: Material) -> Value:
    found = [material.clean(f"likelihood_ratio_{sign}") for sign in ("positive", "negative")]
    return [f"{metric_name(f.metric)}: {full(f)}" for f in found if f is not None] or None


@value("clean.operating_points")
def operating_points(material: Material) -> Value:
    lines = []
    for metric, (given, words) in POINTS.items():
        for f in material.results.find(metric, stress="clean", group={}, defence="none"):
            share = decimal(f"{100 * float(f.params[given]):g}%")
            lines.append(_(words).format(share=share, told=full(f)))
    return lines or None


@value("clean.decision_curve")
def decision_curve(material: Material) -> Value:
    share = benefit_share(material)
    model = net_benefit(material, "net_benefit", share)
    everyone = dict(net_benefit(material, "net_benefit_of_all", share))
    told = [(at, f) for at, f in model if at in everyone]
    if not told:
        return None
    useful = [_above(f, everyone[at]) for at, f in told]
    points = [at for at, _f in told]
    if not any(useful):
        return _(
            "Acting on the model was at none of the thresholds from {least} to {most} worth more "
            "than both acting on no one (lower 95% limit above 0) and, by point estimate, acting "
            "on everyone, {where}."
        ).format(least=level(points[0]), most=level(points[-1]), where=where(share))
    return _(
        "Acting on the model was worth more than acting on no one (lower 95% limit above 0) and, "
        "by point estimate, than acting on everyone, at thresholds of {useful}, of those looked "
        "at from {least} to {most}, {where}."
    ).format(
        useful=_runs(points, useful),
        least=level(points[0]),
        most=level(points[-1]),
        where=where(share),
    )


def _above(model: Finding, everyone: Finding) -> bool:
    least = model.low is not None and model.low > 0
    return least and (model.value or 0.0) > (everyone.value or 0.0)


def _runs(points: list[float], useful: list[bool]) -> str:
    """Neighbouring thresholds as one: ".05 to .7", ".1, .3 to .5"."""
    runs: list[list[float]] = []
    before = False
    for at, good in zip(points, useful, strict=True):
        if good and before:
            runs[-1].append(at)
        elif good:
            runs.append([at])
        before = good
    words = [
        level(run[0])
        if len(run) == 1
        else _("{low} to {high}").format(low=level(run[0]), high=level(run[-1]))
        for run in runs
    ]
    return ", ".join(words)
