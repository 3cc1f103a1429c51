"""What panels and values of section 4 ask of the findings that depend on a prevalence."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.language import _, decimal
from reports.material import Material
from reports.views import beside

MOST_SHARES = 5
# What a number at a prevalence follows from, where the audit was not run for that prevalence.
FROM = {
    "ppv": "likelihood_ratio_positive",
    "npv": "likelihood_ratio_negative",
    "missed_per_1000": "sensitivity",
    "false_alarms_per_1000": "specificity",
}


def shares(material: Material) -> list[float]:
    """Prevalences that the audit was run for or card.yaml declares, by size; of more than five
    the lowest, the highest and three between."""
    found = {*_audited(material), *(float(p) for p in material.card.performance.prevalences)}
    known = sorted({round(share, 9) for share in found})
    if len(known) <= MOST_SHARES:
        return known
    return [known[round(i * (len(known) - 1) / (MOST_SHARES - 1))] for i in range(MOST_SHARES)]


def _audited(material: Material) -> list[float]:
    found = material.results.find("ppv", stress="clean", defence="none")
    return [share for f in found if isinstance(share := f.params.get("prevalence"), float)]


def at(material: Material, view: Finding, metric: str, share: float) -> Finding | None:
    """A number of a view of everyone at a prevalence: as audited, or by Bayes' rule from the
    ratio or rate it follows from, limits and all."""
    for f in material.results.find(metric, stress=view.stress, group={}, contrast=None):
        same = f.defence == view.defence and f.variant == view.variant
        rest = {name: value for name, value in f.params.items() if name != "prevalence"}
        told = f.params.get("prevalence")
        if same and rest == view.params and isinstance(told, float) and abs(told - share) < 1e-9:
            return f
    known = beside(material, view, FROM[metric])
    return None if known is None else _reweighted(known, metric, share)


def _reweighted(known: Finding, metric: str, share: float) -> Finding:
    told: dict[str, object] = {
        "metric": metric,
        "params": {**known.params, "prevalence": share},
        "events": None,
        "imprecise": False,
    }
    if known.value is not None:
        told["value"] = _at(metric, known.value, share)
        if known.low is not None and known.high is not None:
            limits = sorted(_at(metric, limit, share) for limit in (known.low, known.high))
            told["low"], told["high"] = limits
    return known.model_copy(update=told)


def _at(metric: str, rate: float, share: float) -> float:
    """Bayes' rule in odds; missed and false alarms of 1,000 patients.

    >>> round(_at("ppv", 8.5, 0.1), 4), round(_at("npv", 1 / 6, 0.1), 4)
    (0.4857, 0.9818)
    >>> round(_at("missed_per_1000", 0.85, 0.1), 3)
    15.0
    """
    odds = rate * share / (1 - share)
    return {
        "ppv": odds / (1 + odds),
        "npv": 1 / (1 + odds),
        "missed_per_1000": 1000 * share * (1 - rate),
        "false_alarms_per_1000": 1000 * (1 - share) * (1 - rate),
    }[metric]


def benefit_share(material: Material) -> float | None:
    """The prevalence of the decision curve shown: the middle one that the audit was run for, else
    None, the share of positives of the set."""
    found = material.results.find("net_benefit", stress="clean", group={}, defence="none")
    known = {share for f in found if isinstance(share := f.params.get("prevalence"), float)}
    return sorted(known)[(len(known) - 1) // 2] if known else None


def net_benefit(
    material: Material, metric: str, share: float | None
) -> list[tuple[float, Finding]]:
    """(threshold, net benefit) at a prevalence, None for the set's own share of positives."""
    found = material.results.find(metric, stress="clean", group={}, defence="none")
    return [
        (float(f.params["threshold"]), f)
        for f in found
        if f.value is not None and f.params.get("prevalence") == share
    ]


def percent(several: Sequence[float]) -> str:
    """ "2%, 5%".

    >>> percent([0.02, 0.125])
    '2%, 12.5%'
    """
    return ", ".join(decimal(f"{100 * share:g}%") for share in several)


def where(share: float | None) -> str:
    """ "at a prevalence of 15%", or that it is the set's own share of positives."""
    if share is None:
        return _("at the share of positives of this set")
    return _("at a prevalence of {share}").format(share=percent([share]))
