"""The field on image quality of section 3."""

from __future__ import annotations

from audit.results import Finding, ProbeReport
from reports.language import N_, _, decimal, recorded
from reports.material import Material
from reports.referral import told
from reports.values.registry import Value, value

MOST_CASES = 6
MEASURES = {
    "blur_effect": N_("blur"),
    "contrast": N_("contrast"),
    "standard_deviation": N_("spread of the grey values"),
    "entropy": N_("entropy"),
    "noise_share": N_("share of noise"),
    "black": N_("share of black pixels"),
    "white": N_("share of white pixels"),
    "border": N_("share of plain border"),
    "laplacian_variance": N_("edge strength (Laplacian)"),
    "high_frequency_share": N_("share of fine detail"),
}


def measure_name(name: str) -> str:
    return _(MEASURES[name]) if name in MEASURES else name.replace("_", " ")


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
    if poor.events:  # None where small counts are left out
        lines += _to_look_at(report)
    return [*lines, *_limits(report)]


def _to_look_at(report: ProbeReport) -> list[str]:
    """The first cases that a radiologist should look at, by id."""
    known = list(report.details.get("review", {}))
    if not known:
        return []
    more = int(report.details.get("to_review", len(known))) - len(known[:MOST_CASES])
    words = _("For a radiologist to look at: {cases}.").format(cases=", ".join(known[:MOST_CASES]))
    return [words + (" " + _("{n} more are in audit.json.").format(n=more) if more > 0 else "")]


def _limits(report: ProbeReport) -> list[str]:
    """What counts as poor, as the probe kept it."""
    kept = report.details.get("limits", {})
    words = (("lowest", _("{measure} below {limit}")), ("highest", _("{measure} above {limit}")))
    told = [
        text.format(measure=measure_name(name), limit=decimal(f"{limit:g}"))
        for end, text in words
        for name, limit in kept.get(end, {}).items()
    ]
    if not told:
        return [recorded(note.text) for note in report.notes if note.code == "quality-limits"]
    return [_("Poor as a picture: {limits}.").format(limits="; ".join(told))]
