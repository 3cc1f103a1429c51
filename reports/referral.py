"""What the findings say of referral: by cut-off, by defence. Shared by section 5 and its fields."""

from __future__ import annotations

from audit.results import Finding
from reports.language import _, decimal
from reports.material import Material
from reports.numbers import full, ratio, reason

HEADLINE = 0.995  # the cut-off of the study reproduced here
ENOUGH = 598  # cases without an error that put its rate below 0.5% at one-sided 95%
FEW = 0.005


def cut_offs(material: Material) -> list[float]:
    """Cut-offs that have findings without stress and defence, rising."""
    found = {
        f.params.get("cutoff")
        for f in material.results.find("handled_above", stress="clean", defence="none", group={})
    }
    return sorted(float(c) for c in found if isinstance(c, int | float))


def cut_off_text(cutoff: float) -> str:
    """As it is printed.

    >>> cut_off_text(0.995)
    '99.5%'
    """
    return decimal(f"{cutoff:.1%}")


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


def shown_below(finding: Finding | None, level: float = FEW) -> bool:
    """Whether the upper limit of a share missed lies below a level."""
    return finding is not None and finding.high is not None and finding.high < level


def at_most(finding: Finding) -> str:
    """ "at most 1.83%": the upper limit of a one-sided 95% interval."""
    return _("at most {limit}").format(limit=decimal(f"{100 * (finding.high or 0.0):.2f}%"))


def bound(finding: Finding | None) -> str:
    """ "4/512, at most 1.83%": a count and its upper 95% bound.

    >>> bound(Finding(metric="missed_above", value=0.0, low=0.0, high=0.0296, n=100, events=0))
    '0/100, at most 2.96%'
    """
    if finding is None:
        return _("not computed")
    if finding.value is None or finding.high is None:
        return f"{ratio(finding)}: {reason(finding)}"
    return f"{ratio(finding)}, {at_most(finding)}"


def told(finding: Finding | None) -> str:
    """ "61.2% (95% CI 56.3–65.9%; 245/400)", or why not."""
    if finding is None:
        return _("not computed")
    if finding.value is None:
        return _("not given ({reason})").format(reason=reason(finding))
    return full(finding)
