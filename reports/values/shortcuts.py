"""The fields on metadata and on occlusion of section 10; the numbers stand in its tables."""

from __future__ import annotations

from collections.abc import Iterator

from audit.results import ProbeReport
from reports.language import N_, _
from reports.material import Material
from reports.numbers import difference, full, listed
from reports.shortcuts import (
    attribute_name,
    depended_on,
    encoded,
    falling,
    of,
    one,
    region_name,
    regions,
    report_of,
    telling,
    warned,
)
from reports.values.registry import Value, value

SIGNS = (
    (
        "shortcut-metadata",
        N_(
            "Metadata alone predict the label, without the image ({names}); a model can score by "
            "reading them instead of the finding."
        ),
        telling,
    ),
    (
        "shortcut-matched",
        N_(
            "Part of the model's performance goes with attributes: its AUROC falls when matched "
            "({names})."
        ),
        falling,
    ),
    (
        "shortcut-encoded",
        N_(
            "Its features encode attributes that predict the label ({names}). Whether the "
            "decision uses them is not shown by this."
        ),
        encoded,
    ),
)
MOST_NAMED = 8


@value("errors.metadata")
def metadata(material: Material) -> Value:
    """How well metadata tells the label, how the model does when matched, and every sign."""
    report = report_of(material)
    if report is None:
        return None
    whole = one(report, "metadata_auroc")
    if whole is None:
        return _("No attribute with two or more values: nothing could be compared.")
    explained = one(report, "model_explained_by_metadata")
    said = [_("Label from metadata alone: AUROC {value}.").format(value=full(whole))]
    if explained is not None and explained.value is not None:
        told = _("Of the model's score metadata explain R² = {value}.")
        said.append(told.format(value=full(explained)))
    signs = list(_signs(report))
    none = _("No sign that the model reads the attributes looked at; others may exist.")
    return [*said, *(signs or [none])]


def _signs(report: ProbeReport) -> Iterator[str]:
    for code, text, who in SIGNS:
        if warned(report, code):
            named = [attribute_name(name) for name in who(report)]
            more = len(named) - MOST_NAMED
            shown = listed(named[:MOST_NAMED]) or _("all together")
            yield _(text).format(names=shown + (f" + {more}" if more > 0 else ""))


@value("errors.occlusion")
def occlusion(material: Material) -> Value:
    """Whether decisions depend on the border or the marker, and what could not be examined."""
    report = report_of(material)
    if report is None:
        return None
    filled = {str(f.params["region"]) for f in of(report, "decision_change_occluded")}
    said = []
    for region in regions(report):
        gap = one(report, "decision_change_occluded", "region=control", region=region)
        if region not in filled or gap is None or gap.value is None:
            continue
        depends = depended_on(report, region)
        told = (
            _("Decisions depend on the {region}: filling it changes more than filling a control.")
            if depends
            else _("No dependence on the {region} was found by filling it.")
        )
        said.append(f"{told.format(region=region_name(region))} {difference(gap)}.")
    return said or None
