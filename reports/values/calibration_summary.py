"""The first field of section 5: what the intervals of intercept and slope leave out."""

from __future__ import annotations

from audit.results import Finding
from reports.language import _, recorded
from reports.material import Material
from reports.numbers import reason
from reports.values.registry import Value, value


@value("calibration.summary")
def summary(material: Material) -> Value:
    """In words; the numbers stand in the table below."""
    slope, level = (material.clean(f"calibration_{name}") for name in ("slope", "intercept"))
    if slope is None or level is None or not slope.n:
        return None
    warned = [
        recorded(note.text)
        for report in material.results.probes
        if report.probe == "calibration"
        for note in report.notes
        if note.level == "warning"
    ]
    prevalence = _(
        "Intercept and O:E move with the share of positives: in an enriched set they say nothing "
        "of another."
    )
    return [_slope(slope), _level(level), prevalence, *warned]


def _slope(f: Finding) -> str:
    if f.value is None or f.low is None or f.high is None:
        return _("Slope: not given ({reason}).").format(reason=reason(f))
    if f.high < 1:
        return _("Slope: its 95% interval lies below 1, the scores are too extreme.")
    if f.low > 1:
        return _("Slope: its 95% interval lies above 1, the scores are not extreme enough.")
    return _("Slope: its 95% interval holds 1; no error of spread was shown.")


def _level(f: Finding) -> str:
    if f.value is None or f.low is None or f.high is None:
        return _("Intercept: not given ({reason}).").format(reason=reason(f))
    if f.high < 0:
        return _("Intercept: its 95% interval lies below 0, the scores promise too many positives.")
    if f.low > 0:
        return _("Intercept: its 95% interval lies above 0, the scores promise too few positives.")
    return _("Intercept: its 95% interval holds 0; no error of level was shown.")
