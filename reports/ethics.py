"""What this run found that bears on each question of the ethics chapter."""

from __future__ import annotations

from audit.results import Finding
from reports.failures import complement, missed
from reports.language import _, decimal, ngettext
from reports.material import Material
from reports.numbers import full, setting
from reports.referral import HEADLINE, at, bound, told

# Question -> fields of the card that answer it: those of section 15 first, printed above it.
ANSWERS = {
    "secondary_use": ("accountability.secondary_use", "data_protection.opt_out"),
    "autonomy": ("accountability.autonomy", "oversight.patient_information"),
    "liability": ("accountability.liability",),
    "radiologist": ("review.rule", "oversight.automation_bias"),
    "explainability": ("explainability.use_of_maps",),
}


def found(question: str, material: Material) -> str:
    """The numbers that bear on a question, in a sentence or two; "" where there are none."""
    looks = {
        "secondary_use": _reused,
        "autonomy": _decided_alone,
        "liability": _known_weakness,
        "radiologist": _above_the_cut_off,
        "explainability": _maps,
    }
    return looks[question](material) if question in looks else ""


def _reused(material: Material) -> str:
    data = material.results.data
    if data.synthetic:
        return _("The data is synthetic: no image of a patient was used.")
    words = ngettext(
        "{n} image was used for this audit,", "{n} images were used for this audit,", data.cases
    ).format(n=data.cases)
    people = (
        _("of persons who are not told apart.")
        if data.patients is None
        else ngettext("of {n} patient.", "of {n} patients.", data.patients).format(n=data.patients)
    )
    return f"{words} {people}"


def _decided_alone(material: Material) -> str:
    referred = material.clean("referral_rate")
    if referred is None or referred.value is None:
        return _("The model answered every image; it left none to a person.")
    return _("The model left {share} of the images to a person.").format(share=told(referred))


def _known_weakness(material: Material) -> str:
    lines = []
    clean = missed(material)
    if clean is not None:
        lines.append(_("Missed without stress: {rate}.").format(rate=full(clean)))
    worst = _lowest(material)
    rate = complement(worst)
    if worst is not None and rate is not None:
        lines.append(
            _("At the worst examined, {setting}: {rate} of the positive cases not found.").format(
                setting=setting(worst), rate=full(rate)
            )
        )
    return " ".join(lines)


def _lowest(material: Material) -> Finding | None:
    known = [
        f
        for f in material.stressed("robust_sensitivity")
        if f.value is not None and f.defence == "none"
    ]
    return min(known, key=lambda f: f.value or 0.0, default=None)


def _above_the_cut_off(material: Material) -> str:
    share = at(material, "handled_above", HEADLINE)
    if share is None or share.value is None:
        return ""
    return _("Above {cutoff} the model would handle {share}, and of these miss {missed}.").format(
        cutoff=decimal(f"{HEADLINE:.1%}"),
        share=told(share),
        missed=bound(at(material, "missed_above", HEADLINE)),
    )


def _maps(material: Material) -> str:
    report = next((r for r in material.results.probes if r.probe == "explanations"), None)
    if report is None or report.state != "done":
        return _("Whether heat maps are evidence was not tested in this run.")
    warned = sum(note.level == "warning" for note in report.notes)
    if not warned:
        return _("No test of the maps gave a warning; that is no proof that they explain.")
    return ngettext(
        "{n} warning on the maps stands in section 9.",
        "{n} warnings on the maps stand in section 9.",
        warned,
    ).format(n=warned)
