"""What the findings say of calibration. Shared by section 5 and its field."""

from __future__ import annotations

from audit.results import Finding
from reports.material import Material, is_cell

METRICS = ("calibration_intercept", "calibration_slope", "observed_expected", "brier", "ece")


def number(value: float) -> str:
    """Two decimals and a true minus, as calibration is told.

    >>> number(-0.128), number(1.0)
    ('−0.13', '1.00')
    """
    text = f"{value:.2f}"
    return ("0.00" if text == "-0.00" else text).replace("-", "−")


def small(value: float) -> str:
    """Three decimals, for scores near 0.

    >>> small(0.0412)
    '0.041'
    """
    return f"{value:.3f}"


def told(finding: Finding | None) -> str:
    """ "0.84 (95% CI 0.71 to 0.97)", or why not."""
    if finding is None:
        return "not computed"
    if finding.value is None or finding.low is None or finding.high is None:
        return f"not given ({finding.reason or 'no reason recorded'})"
    say = small if finding.metric in ("brier", "ece") else number
    return f"{say(finding.value)} (95% CI {say(finding.low)} to {say(finding.high)})"


def bins_of(material: Material, finding: Finding) -> list[tuple[float, Finding]]:
    """(mean probability, bin) of the view that `finding` is of, by rising probability."""
    where = {"stress": finding.stress, "defence": finding.defence, "variant": finding.variant}
    found = material.results.find("reliability", group={}, contrast=None, **where)
    mine = [f for f in found if _without(f) == finding.params]
    points = [(f.params.get("mean_score"), f) for f in mine]
    known = [(float(x), f) for x, f in points if isinstance(x, int | float)]
    return sorted(known, key=lambda point: point[0])


def views(material: Material, metric: str = "calibration_slope") -> list[Finding]:
    """One finding of `metric` per view of everyone without a defence that has cases."""
    found = material.results.find(metric, group={}, contrast=None)
    return [f for f in found if f.n and not is_cell(f)]


def beside(material: Material, finding: Finding, metric: str) -> Finding | None:
    """Another metric of the same view."""
    where = {"stress": finding.stress, "defence": finding.defence, "variant": finding.variant}
    same = material.results.find(metric, group=finding.group, contrast=None, **where)
    return next((f for f in same if f.params == finding.params), None)


def _without(finding: Finding) -> dict[str, object]:
    return {k: v for k, v in finding.params.items() if k not in ("bin", "bins", "mean_score")}
