"""The fields of section 9: how heat maps were made, and whether they are evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.results import Note, ProbeReport
from reports.language import N_, _, recorded
from reports.material import Material, probe_detail
from reports.numbers import listed
from reports.values.registry import Value, value

TITLES = {"grad-cam": "Grad-CAM", "score-cam": "Score-CAM", "smoothgrad": "SmoothGrad"}
# What the probe's signs say, of the methods they name. Numbers stand in the table.
SANITY = {
    "explanation-not-evidence": N_(
        "No evidence, as they hardly change with randomised weights: {methods} maps."
    ),
    "explanation-sanity-open": N_(
        "Not settled whether they depend on the weights: {methods} maps."
    ),
    "explanation-depends-on-weights": N_(
        "Change with randomised weights: {methods} maps. That does not make them right."
    ),
}
FAITHFUL = {
    "explanation-unfaithful": N_(
        "What {methods} marks matters no more to the score than the same pattern elsewhere."
    ),
    "explanation-faithfulness-open": N_(
        "Not settled whether the score depends on what {methods} marks."
    ),
    "explanation-faithful": N_(
        "The score depends more on what {methods} marks than on the same pattern elsewhere."
    ),
    "explanation-unstable": N_("Becomes another map under noise that nobody sees: {methods}."),
    "explanation-beside-lesions": N_(
        "Points at a lesion less often than the centre of the image does: {methods}."
    ),
}


@value("explain.method")
def method(material: Material) -> Value:
    """The methods, the layer and the class they explain."""
    details = probe_detail(material, "gradcam")
    report = explanations_report(material)
    pictured = bool(details) or any(a.kind == "gradcam" for a in material.results.artefacts)
    if report is None and not pictured:
        return None
    named = [TITLES[name] for name in methods_of(report) if name in TITLES] if report else []
    layer = material.results.model.cam_layer or details.get("layer") or _("not recorded")
    return _("{methods}; layer {layer}; target: the predicted class").format(
        methods=listed(named or ["Grad-CAM"]), layer=layer
    )


@value("explain.rule")
def rule(material: Material) -> Value:
    """Which cases are shown."""
    details = probe_detail(material, "gradcam")
    if "rule" not in details:
        return None
    return _("{rule}; seed {seed}").format(
        rule=recorded(str(details["rule"])), seed=details.get("seed", material.results.plan.seed)
    )


@value("explain.sanity")
def sanity(material: Material) -> Value:
    """Whether maps change when the weights are randomised."""
    report = explanations_report(material)
    if report is None:
        return None
    left_out = [recorded(n.text) for n in report.notes if n.code == "explanation-left-out"]
    return [*_told(report.notes, SANITY), *left_out] or None


@value("explain.faithfulness")
def faithfulness(material: Material) -> Value:
    """Whether the score depends on what a map marks, and whether it points at lesions."""
    report = explanations_report(material)
    return (list(_told(report.notes, FAITHFUL)) or None) if report else None


def _told(notes: Sequence[Note], words: dict[str, str]) -> Iterator[str]:
    for code, text in words.items():
        said = [note.text for note in notes if note.code == code]
        named = [title for title in TITLES.values() if any(title in one for one in said)]
        if said:
            yield _(text).format(methods=listed(named) if named else _("all"))


def methods_of(report: ProbeReport) -> list[str]:
    """The methods with a finding, in the order they are told."""
    found = {str(f.params.get("method", "")) for f in report.findings}
    return [name for name in TITLES if name in found]


def explanations_report(material: Material) -> ProbeReport | None:
    """The probe's report, or None where it was not run to the end."""
    found = (r for r in material.results.probes if r.probe == "explanations")
    return next((r for r in found if r.state == "done"), None)
