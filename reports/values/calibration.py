"""Section 5 and the field on automated decisions of section 13."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import defence_name
from reports.referral import ENOUGH, HEADLINE, at, bound, cut_offs, told
from reports.values.registry import Value, value


@value("calibration.cut_offs")
def by_cut_off(material: Material) -> Value:
    lines = [
        f"Above {cutoff:.1%}: {told(at(material, 'handled_above', cutoff))} handled alone; "
        f"accuracy of these {told(at(material, 'accuracy_above', cutoff))}; missed "
        f"{material.results.model.positive_class} among them "
        f"{bound(at(material, 'missed_above', cutoff))} (one-sided 95%)."
        for cutoff in cut_offs(material)
        if cutoff == HEADLINE
    ]
    if not lines:
        return None
    more = (
        f"Below 0.5% at one-sided 95% takes at least {ENOUGH} cases above the cut-off without "
        "a single one missed. A score of 99.5% is not a chance of 99.5%. Others: table below."
    )
    return [*lines, more]


@value("calibration.alone")
def alone(material: Material) -> Value:
    found = at(material, "handled_above", HEADLINE)
    if found is None or found.value is None:
        return None
    return (
        f"At a cut-off of {HEADLINE:.1%} it would be {told(found)} of these images, with missed "
        f"{material.results.model.positive_class} {bound(at(material, 'missed_above', HEADLINE))} "
        "(one-sided 95%). Whether such a rule may be used at all is for people to assess."
    )


@value("calibration.referral")
def referral(material: Material) -> Value:
    found = [
        f
        for f in material.results.find("referral_rate", stress="clean", group={}, contrast=None)
        if f.value is not None
    ]
    if not found:
        return None
    unseen = {
        f.defence: f
        for f in material.results.find("unseen_error_rate", stress="clean", group={}, contrast=None)
    }
    return [
        f"{_who(f.defence)}: {told(f)} referred; wrong and seen by nobody "
        f"{told(unseen.get(f.defence))}."
        for f in found
    ]


def _who(defence: str) -> str:
    name = "the model itself" if defence == "none" else defence_name(defence)
    return name[:1].upper() + name[1:]
