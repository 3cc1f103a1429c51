"""The computed field on automated decisions of section 13."""

from __future__ import annotations

from reports.language import _, decimal
from reports.material import Material
from reports.referral import HEADLINE, at, bound, told
from reports.values.registry import Value, value


@value("calibration.alone")
def alone(material: Material) -> Value:
    """What share the model would handle alone above the cut-off of the study, and its misses."""
    found = at(material, "handled_above", HEADLINE)
    if found is None or found.value is None:
        return None
    return _(
        "At a cut-off of {cutoff} it would be {share} of these images, with missed {positive} "
        "{missed} (one-sided 95%). Whether such a rule may be used at all is for people to assess."
    ).format(
        cutoff=decimal(f"{HEADLINE:.1%}"),
        share=told(found),
        positive=material.results.model.positive_class,
        missed=bound(at(material, "missed_above", HEADLINE)),
    )
