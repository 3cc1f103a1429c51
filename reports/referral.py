"""What the findings say of referral: by cut-off, by defence. Shared by section 5 and its fields."""

from __future__ import annotations

from audit.results import Finding
from reports.material import Material
from reports.numbers import interval, ratio

HEADLINE = 0.995  # the cut-off of the study reproduced here
ENOUGH = 598  # cases without an error that put its rate below 0.5% at one-sided 95%


def cut_offs(material: Material) -> list[float]:
    """Cut-offs that have findings without stress and defence, rising."""
    found = {
        f.params.get("cutoff")
        for f in material.results.find("handled_above", stress="clean", defence="none", group={})
    }
    return sorted(float(c) for c in found if isinstance(c, int | float))


def at(
    material: Material, metric: str, cutoff: float, group: dict[str, str] | None = None
) -> Finding | None:
    """The finding of a metric above a cut-off, without stress and defence."""
    where = {"stress": "clean", "defence": "none", "group": group or {}, "contrast": None}
    found = material.results.find(metric, **where)
    return next((f for f in found if f.params.get("cutoff") == cutoff), None)


def curve(material: Material) -> list[tuple[float, Finding]]:
    """(coverage, share wrong) by rising coverage."""
    found = material.results.find("selective_risk", stress="clean", defence="none", group={})
    points = [(f.params.get("coverage"), f) for f in found]
    known = [(float(x), f) for x, f in points if isinstance(x, int | float)]
    return sorted(known, key=lambda point: point[0])


def only_refers(material: Material, defence: str) -> bool:
    """Whether a defence hands cases over and changes no decision: nothing else is compared."""
    compared = material.results.find("accuracy", defence=defence, contrast="defence=none")
    refers = material.results.find("referral_rate", defence=defence)
    return defence != "none" and bool(refers) and not compared


def bound(finding: Finding | None) -> str:
    """ "4/512, at most 1.8%": a count and its upper 95% bound.

    >>> bound(Finding(metric="missed_above", value=0.0, low=0.0, high=0.0296, n=100, events=0))
    '0/100, at most 2.96%'
    """
    if finding is None:
        return "not computed"
    if finding.value is None or finding.high is None:
        return f"{ratio(finding)}: {finding.reason or 'no interval'}"
    return f"{ratio(finding)}, at most {100 * finding.high:.2f}%"


def told(finding: Finding | None) -> str:
    """ "61.2% (56.3–65.9%; 245/400)", or why not."""
    if finding is None or finding.value is None:
        return f"not given ({finding.reason or 'no reason recorded'})" if finding else "not given"
    return f"{100 * finding.value:.1f}% ({interval(finding)}; {ratio(finding)})"
