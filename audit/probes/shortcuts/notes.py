"""What the shortcut probe says, in words, and when it says it as a warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.probes.shortcuts.cam import AREA, MIRRORED
from audit.probes.shortcuts.matched import TOGETHER, UNMATCHED
from audit.probes.shortcuts.metadata import ALPHA, telling
from audit.probes.shortcuts.occlusion import AGAINST
from audit.probes.shortcuts.table import Table
from audit.results import Finding, Note

Classes = tuple[str, str]
TWICE = 2.0  # as much of a map as the mirrored places of a marker hold


def above(found: Finding, least: float) -> bool:
    """The interval lies above `least` and the test, over its family, is below 1%."""
    p = found.p if found.p_holm is None else found.p_holm
    return found.low is not None and found.low > least and p is not None and p < ALPHA


def below(found: Finding, most: float) -> bool:
    p = found.p if found.p_holm is None else found.p_holm
    return found.high is not None and found.high < most and p is not None and p < ALPHA


def told_by(findings: Sequence[Finding]) -> list[Finding]:
    """The metadata findings that predict the label: all together first, then by attribute."""
    return [f for f in findings if f.metric == "metadata_auroc" and above(f, 0.5)]


def carrying(findings: Sequence[Finding]) -> list[Finding]:
    """The attributes whose counts differ by label beyond chance, after Holm."""
    alone = [f for f in findings if f.metric == "metadata_auroc" and f.params]
    return [f for f in alone if f.p_holm is not None and f.p_holm < ALPHA]


def notes(table: Table, findings: Sequence[Finding], classes: Classes) -> Iterator[Note]:
    """Every sign as a warning, what is only encoded as information, and the absence of signs.

    `classes`: what the positive and the other images are called.
    """
    said = [
        *_metadata(table, findings, classes),
        *_encoded(findings),
        *_matched(findings),
        *_occluded(findings),
        *_mass(findings),
    ]
    yield from said
    if not any(note.level == "warning" for note in said):
        text = (
            "No sign of a shortcut through the attributes, border and side markers looked at. "
            "Others may exist: nothing is known of attributes that the data does not carry."
        )
        yield Note(code="shortcut-none", level="info", text=text)


def _metadata(table: Table, findings: Sequence[Finding], classes: Classes) -> Iterator[Note]:
    if not told_by(findings):
        return
    whole = next(f for f in findings if f.metric == "metadata_auroc" and not f.params)
    words = [
        f"{_counted(table, str(f.params['attribute']), classes)} (AUROC alone {_limits(f)})"
        for f in sorted(carrying(findings), key=lambda f: -(f.value or 0.0))
    ]
    carried = "; ".join(words) if words else "no attribute alone; they predict it together"
    text = (
        f"The label can be predicted from metadata alone, without the image: AUROC "
        f"{_limits(whole)} out of fold for all attributes together. By attribute: {carried}. A "
        "model can score on this data by reading such an attribute instead of the finding."
    )
    yield Note(code="shortcut-metadata", level="warning", text=text)


def _counted(table: Table, name: str, classes: Classes) -> str:
    column = next(column for column in table.columns if column.name == name)
    t = telling(table, column)
    return (
        f"{name} {t.value} is found in {t.with_label} of {t.positives} {classes[0]} and "
        f"{t.without} of {t.negatives} {classes[1]} images"
    )


def _encoded(findings: Sequence[Finding]) -> Iterator[Note]:
    found = [f for f in findings if f.metric == "attribute_from_features" and above(f, 0.5)]
    if not found:
        return
    told = told_by(findings)
    alone = {f.params["attribute"] for f in carrying(findings)} if told else set()
    risky = [f for f in found if f.params["attribute"] in alone or (told and not alone)]
    if risky:
        text = (
            f"The model's features encode what also predicts the label: {_values(risky)}, among "
            "cases of the same label. Whether the decision uses it is not shown by this."
        )
        yield Note(code="shortcut-encoded", level="warning", text=text)
    others = [f for f in found if f not in risky]
    if others:
        text = (
            f"The model's features encode attributes, among cases of the same label: "
            f"{_values(others)}. On this data these do not predict the label."
        )
        yield Note(code="shortcut-encoded", level="info", text=text)


def _values(found: Sequence[Finding]) -> str:
    words = [f"{f.params['attribute']} {f.params['value']} (AUROC {_limits(f)})" for f in found]
    more = f" and {len(words) - 8} more" if len(words) > 8 else ""
    return ", ".join(words[:8]) + more


def _matched(findings: Sequence[Finding]) -> Iterator[Note]:
    falls = [f for f in findings if f.metric == "matched_auroc" and f.contrast == UNMATCHED]
    for fall in falls:
        if not below(fall, 0.0):
            continue
        matched = next(
            f
            for f in findings
            if f.metric == "matched_auroc" and not f.contrast and f.params == fall.params
        )
        name = fall.params["attribute"]
        what = "all attributes together" if name == TOGETHER else str(name)
        text = (
            f"Matched on {what}, the model's AUROC is {_limits(matched)}: a change of "
            f"{_limits(fall, sign=True)} from the unmatched one. That part of its performance "
            "goes with the attribute, not with the finding alone."
        )
        yield Note(code="shortcut-matched", level="warning", text=text)


def _occluded(findings: Sequence[Finding]) -> Iterator[Note]:
    found = [f for f in findings if f.metric == "decision_change_occluded"]
    for gap in _depended_on(findings):
        region = str(gap.params["region"])
        value, control = (
            next(f for f in found if not f.contrast and f.params["region"] == name)
            for name in (region, f"control of {region}")
        )
        text = (
            f"Filling the {region} changes {value.events} of {value.n} decisions, filling a "
            f"control region of the same area {control.events}: {_points(gap)} more. The decision "
            f"depends on what is in the {region}."
        )
        yield Note(code="shortcut-occlusion", level="warning", text=text)


def _mass(findings: Sequence[Finding]) -> Iterator[Note]:
    """A warning only where filling the region changes decisions too: maps of sound networks lie
    on borders, by the padding of convolutions, and on whatever has contrast."""
    found = [f for f in findings if f.metric == "cam_mass"]
    filled = {str(f.params["region"]) for f in _depended_on(findings)}
    for gap in (f for f in found if f.contrast in (AREA, MIRRORED) and above(f, 0.0)):
        region = str(gap.params["region"])
        value = next(f for f in found if not f.contrast and f.params["region"] == region)
        share, expected = value.value or 0.0, (value.value or 0.0) - (gap.value or 0.0)
        if region == "marker" and share < TWICE * expected:
            continue
        beside = "its area is" if region == "border" else "its mirrored places hold"
        text = (
            f"Of the Grad-CAM maps {100 * share:.1f}% lies on the {region}; {beside} "
            f"{100 * expected:.1f}% (n = {value.n}). These regions are associated with the score"
        )
        if region in filled:
            text += ", and filling them changes decisions."
            yield Note(code="shortcut-cam", level="warning", text=text)
        else:
            text += "; filling them changes no more decisions than filling a control does."
            yield Note(code="shortcut-cam", level="info", text=text)


def _depended_on(findings: Sequence[Finding]) -> list[Finding]:
    """The regions whose filling changes more decisions than that of their controls."""
    found = [f for f in findings if f.metric == "decision_change_occluded"]
    return [f for f in found if f.contrast == AGAINST and above(f, 0.0)]


def _limits(found: Finding, *, sign: bool = False) -> str:
    """ ".563 (95% CI .528–.597)"."""
    if found.value is None or found.low is None or found.high is None:
        return "unknown"
    form = "+.3f" if sign else ".3f"
    value, low, high = (
        format(number, form).replace("0.", ".", 1).replace("-", "−")
        for number in (found.value, found.low, found.high)
    )
    joined = f"{low} to {high}" if sign else f"{low}–{high}"
    return f"{value} (95% CI {joined})"


def _points(found: Finding) -> str:
    return (
        f"{100 * (found.value or 0):.1f} points (95% CI {100 * (found.low or 0):.1f} to "
        f"{100 * (found.high or 0):.1f})"
    )
