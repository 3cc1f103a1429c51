"""The first field of section 5: intercept, slope, O:E, Brier score and ECE."""

from __future__ import annotations

from reports.calibration import METRICS, told
from reports.material import Material
from reports.values.registry import Value, value

NAMES = {
    "calibration_intercept": "Intercept (0: right on average)",
    "calibration_slope": "Slope (1: right; below: too extreme)",
    "observed_expected": "Observed to expected (1: right)",
    "brier": "Brier score",
    "ece": "Expected calibration error, without what noise adds",
}


@value("calibration.summary")
def summary(material: Material) -> Value:
    found = {metric: material.clean(metric) for metric in METRICS}
    if not any(f is not None and f.n for f in found.values()):
        return None
    lines = [f"{NAMES[metric]}: {told(f)}." for metric, f in found.items()]
    warned = [
        note.text
        for report in material.results.probes
        if report.probe == "calibration"
        for note in report.notes
        if note.level == "warning"
    ]
    prevalence = (
        "Intercept and O:E move with the share of positives: in an enriched set they say nothing "
        "of another."
    )
    return [*lines, prevalence, *warned]
