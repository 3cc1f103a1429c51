"""What the report asks of the shortcut probe."""

from __future__ import annotations

from collections.abc import Iterable

from audit.results import Finding, ProbeReport
from reports.language import _
from reports.material import Material

TOGETHER = "all together"
ALPHA = 0.01  # the probe's own level for a sign, docs/shortcuts.md


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


def warned(report: ProbeReport, code: str) -> bool:
    return any(note.code == code and note.level == "warning" for note in report.notes)


def p_of(finding: Finding | None) -> float | None:
    """Over the family of tests, where there is one."""
    if finding is None:
        return None
    return finding.p if finding.p_holm is None else finding.p_holm


def sure(finding: Finding) -> bool:
    """Below the level of a sign."""
    p = p_of(finding)
    return p is not None and p < ALPHA


def telling(report: ProbeReport) -> list[str]:
    """The attributes that predict the label by themselves, the strongest first."""
    alone = [f for f in of(report, "metadata_auroc") if f.params]
    found = [f for f in alone if f.p_holm is not None and f.p_holm < ALPHA]
    return [str(f.params["attribute"]) for f in sorted(found, key=lambda f: -(f.value or 0.0))]


def falling(report: ProbeReport) -> list[str]:
    """The attributes on which matching lowers the model's AUROC beyond chance."""
    return [
        str(f.params["attribute"])
        for f in of(report, "matched_auroc", "matched=no")
        if f.high is not None and f.high < 0 and sure(f)
    ]


def encoded(report: ProbeReport) -> list[str]:
    """The attributes that the features encode and that predict the label too."""
    found = [
        str(f.params["attribute"])
        for f in of(report, "attribute_from_features")
        if f.low is not None and f.low > 0.5 and sure(f)
    ]
    alone = telling(report)
    return list(dict.fromkeys(name for name in found if not alone or name in alone))


def depended_on(report: ProbeReport, region: str) -> bool:
    """Filling the region changes more decisions than filling its control, beyond chance."""
    gap = one(report, "decision_change_occluded", "region=control", region=region)
    return gap is not None and gap.low is not None and gap.low > 0 and sure(gap)


def regions(report: ProbeReport) -> list[str]:
    """The regions that were filled or looked for in maps, controls left out."""
    found = [*of(report, "decision_change_occluded"), *of(report, "cam_mass")]
    known = dict.fromkeys(str(f.params["region"]) for f in found)
    return [name for name in known if not name.startswith("control of ")]


def attribute_name(name: str) -> str:
    """An attribute is data; that all were taken together is ours to say."""
    return _("all together") if name == TOGETHER else name.replace("_", " ")


def region_name(name: str) -> str:
    return {"border": _("border"), "marker": _("side marker")}.get(name, name)
