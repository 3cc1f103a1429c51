"""The field on image quality of section 3."""

from __future__ import annotations

from audit.results import Finding
from reports.material import Material
from reports.referral import told
from reports.values.registry import Value, value


@value("data.quality")
def quality(material: Material) -> Value:
    """What the quality probe found, and under which limits."""
    report = next((r for r in material.results.probes if r.probe == "quality"), None)
    if report is None or report.state != "done":
        return None
    found: dict[str, Finding] = {
        f.metric: f for f in report.findings if not f.params and not f.group
    }
    if "poor_quality" not in found:
        return None
    limits = [note.text for note in report.notes if note.code == "quality-limits"]
    return [
        f"Beyond the limits of quality: {told(found['poor_quality'])} of the images; decided "
        f"correctly {told(found.get('accuracy_poor'))} of these and "
        f"{told(found.get('accuracy_sound'))} of the others. The list for a radiologist is in "
        "section 10.",
        *limits,
    ]
