"""What the report asks of the shortcut probe."""

from __future__ import annotations

from collections.abc import Iterable

from audit.results import Finding, ProbeReport
from reports.material import Material

TOGETHER = "all together"


def report_of(material: Material) -> ProbeReport | None:
    """The shortcut probe's report, where it was carried out."""
    found = (r for r in material.results.probes if r.probe == "shortcuts" and r.state == "done")
    return next(found, None)


def one(
    report: ProbeReport, metric: str, contrast: str | None = None, **params: str
) -> Finding | None:
    """The finding of exactly these parameters."""
    for finding in of(report, metric, contrast):
        if finding.params == params:
            return finding
    return None


def of(report: ProbeReport, metric: str, contrast: str | None = None) -> Iterable[Finding]:
    return (f for f in report.findings if f.metric == metric and f.contrast == contrast)


def names(report: ProbeReport) -> list[str]:
    """The attributes that were examined."""
    found = (str(f.params["attribute"]) for f in of(report, "metadata_auroc") if f.params)
    return list(dict.fromkeys(found))
