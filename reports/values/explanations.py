"""The fields of section 9 on whether heat maps are evidence."""

from __future__ import annotations

from audit.results import ProbeReport
from reports.material import Material
from reports.values.registry import Value, value

SANITY = ("explanation-not-evidence", "explanation-depends-on-weights", "explanation-sanity-open")
FAITHFUL = (
    "explanation-faithful",
    "explanation-unfaithful",
    "explanation-faithfulness-open",
    "explanation-beside-lesions",
    "explanation-pointing",
    "explanation-unstable",
)


@value("explain.sanity")
def sanity(material: Material) -> Value:
    """Whether maps change when the weights are randomised, in the words of the probe."""
    return _told(material, (*SANITY, "explanation-left-out"))


@value("explain.faithfulness")
def faithfulness(material: Material) -> Value:
    """Whether the score depends on what a map marks, and whether it points at lesions."""
    return _told(material, FAITHFUL)


def _told(material: Material, codes: tuple[str, ...]) -> Value:
    report = explanations_report(material)
    if report is None:
        return None
    return [note.text for note in report.notes if note.code in codes] or None


def explanations_report(material: Material) -> ProbeReport | None:
    """The probe's report, or None where it was not run to the end."""
    found = (r for r in material.results.probes if r.probe == "explanations")
    return next((r for r in found if r.state == "done"), None)
