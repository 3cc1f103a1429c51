"""The field on image quality of section 3."""

from __future__ import annotations

from audit.results import Finding
from reports.language import _, recorded
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
    poor = found["poor_quality"]
    lines = [_("Beyond the limits of quality: {share}").format(share=told(poor))]
    if poor.events != 0:
        words = _("Decided correctly: {poor} of these; {sound} of the others.")
        rates = {name: told(found.get(f"accuracy_{name}")) for name in ("poor", "sound")}
        lines.append(words.format(**rates))
    limits = [recorded(note.text) for note in report.notes if note.code == "quality-limits"]
    return [*lines, *limits]
