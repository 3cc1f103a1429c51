"""What the findings say of calibration. Shared by section 5 and its field."""

from __future__ import annotations

from audit.results import Finding
from reports.language import _, decimal
from reports.material import Material
from reports.numbers import reason
from reports.views import beside as beside  # the other metrics of a view

METRICS = ("calibration_intercept", "calibration_slope", "observed_expected", "brier", "ece")


def number(value: float) -> str:
    """Two decimals and a true minus, as calibration is told.

    >>> number(-0.128), number(1.0)
    ('−0.13', '1.00')
    """
    text = f"{value:.2f}"
    return decimal(("0.00" if text == "-0.00" else text).replace("-", "−"))


def small(value: float) -> str:
    """Three decimals, for scores near 0.

    >>> small(0.0412)
    '0.041'
    """
    return decimal(f"{value:.3f}")


def told(finding: Finding | None) -> str:
    """ "0.84 (95% CI 0.71 to 0.97)", or why not."""
    if finding is None:
        return _("not computed")
    if finding.value is None or finding.low is None or finding.high is None:
        return _("not given ({reason})").format(reason=reason(finding))
    say = small if finding.metric in ("brier", "ece") else number
    words = _("{value} (95% CI {low} to {high})")
    return words.format(value=say(finding.value), low=say(finding.low), high=say(finding.high))


def bins_of(material: Material, finding: Finding) -> list[tuple[float, Finding]]:
    """(mean probability, bin) of the view that `finding` is of, by rising probability."""
    where = {"stress": finding.stress, "defence": finding.defence, "variant": finding.variant}
    found = material.results.find("reliability", group={}, contrast=None, **where)
    mine = [f for f in found if _without(f) == finding.params]
    points = [(f.params.get("mean_score"), f) for f in mine]
    known = [(float(x), f) for x, f in points if isinstance(x, int | float)]
    return sorted(known, key=lambda point: point[0])


def views(material: Material) -> list[Finding]:
    """Views whose scores were looked at as probabilities: everyone without stress; the stress
    under which the ECE is largest, without a defence; everyone under each defence that changes
    scores, without stress."""
    found = material.results.find("ece", group={}, contrast=None)
    clean = [f for f in found if f.stress == "clean"]
    stressed = [
        f
        for f in found
        if f.stress != "clean" and f.defence == "none" and f.value is not None
        and "surrogate" not in f.params and f.variant != "average"
    ]  # fmt: skip
    worst = sorted(stressed, key=lambda f: -(f.value or 0.0))[:1]
    plain = [f for f in clean if f.defence == "none"]
    return [*plain, *worst, *(f for f in clean if f.defence != "none")]


def groups(material: Material, most: int = 6) -> list[Finding]:
    """ECE without stress in the groups of the first attribute that have one."""
    found = material.results.find("ece", stress="clean", defence="none", contrast=None)
    known = [f for f in found if f.group and f.value is not None]
    first = known[0].group.keys() if known else set()
    return [f for f in known if f.group.keys() == first][:most]


def _without(finding: Finding) -> dict[str, object]:
    return {k: v for k, v in finding.params.items() if k not in ("bin", "bins", "mean_score")}
