"""Fields of section 5 on cut-offs and referral."""

from __future__ import annotations

from reports.language import _
from reports.material import Material
from reports.numbers import defence_name, sentence
from reports.referral import ENOUGH, HEADLINE, at, bound, cut_off_text, shown_below, told
from reports.values.registry import Value, value


@value("calibration.cut_offs")
def by_cut_off(material: Material) -> Value:
    alone, missed = (at(material, m, HEADLINE) for m in ("handled_above", "missed_above"))
    if alone is None:
        return None
    name = material.results.model.positive_class
    line = _(
        "Above {cutoff}: {share} handled alone; missed {name} among them {missed} (one-sided 95%)."
    ).format(cutoff=cut_off_text(HEADLINE), share=told(alone), name=name, missed=bound(missed))
    verdict = (
        _("A rate of missed {name} below 0.5% above this cut-off was shown on these images.")
        if shown_below(missed)
        else _("A rate of missed {name} below 0.5% above this cut-off was not shown.")
    ).format(name=name)
    rule = _(
        "Below 0.5% at one-sided 95% takes at least {n} cases above the cut-off without a single "
        "one missed. A score of 99.5% is not a chance of 99.5%."
    ).format(n=ENOUGH)
    return [line, verdict, rule]


@value("calibration.referral")
def referral(material: Material) -> Value:
    found = [
        f
        for f in material.results.find("referral_rate", stress="clean", group={}, contrast=None)
        if f.value is not None
    ]
    unseen = {
        f.defence: f
        for f in material.results.find("unseen_error_rate", stress="clean", group={}, contrast=None)
    }
    words = _("{who}: {share} referred; wrong and seen by nobody {unseen}.")
    return [
        words.format(who=_who(f.defence), share=told(f), unseen=told(unseen.get(f.defence)))
        for f in found
    ] or None


def _who(defence: str) -> str:
    return sentence(_("the model itself") if defence == "none" else defence_name(defence))
