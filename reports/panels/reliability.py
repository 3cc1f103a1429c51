"""Section 5: reliability and risk–coverage as one picture, and the numbers of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table
from reports.calibration import bins_of, views
from reports.figures.reliability import trust
from reports.figures.risk import Risk
from reports.language import _, decimal
from reports.material import Material
from reports.numbers import amount, interval, ratio, setting
from reports.panels.registry import panel
from reports.referral import HEADLINE, at, curve, cut_off_text, cut_offs

Points = list[tuple[float, Finding]]


@panel("reliability")
def reliability(material: Material) -> Sequence[Block]:
    series, risk = _series(material), _risk(material)
    if not series and risk is None:
        return []
    caption = " ".join(_captions(bool(series), risk is not None, len(series) > 1))
    alt = " ".join(_told(series, risk))
    picture = trust(series, risk, caption)
    found: list[Block] = [Figure(picture, alt, caption, "full" if series and risk else "half")]
    if series:
        found.append(_bins(series))
    if risk is not None:
        found.append(_coverage(material, risk))
    return found


def _series(material: Material) -> dict[str, Points]:
    """By name, the bins without stress and under the stress that moves the scores most."""
    shown = [f for f in views(material) if f.defence == "none"]
    found = {setting(f): [p for p in bins_of(material, f) if p[1].value is not None] for f in shown}
    plain = shown and found[setting(shown[0])]
    if not plain or shown[0].stress != "clean" or len(plain) < 2:
        return {}
    return {name: points for name, points in found.items() if len(points) > 1}


def _risk(material: Material) -> Risk | None:
    points = [(x, f) for x, f in curve(material) if f.value is not None]
    if len(points) < 2:
        return None
    dots = []
    for cutoff in cut_offs(material):
        share, right = (at(material, m, cutoff) for m in ("handled_above", "accuracy_above"))
        if share and right and share.value is not None and right.value is not None:
            dots.append((cutoff, share.value, 1 - right.value))
    return Risk(points, dots, HEADLINE)


def _captions(reliable: bool, risky: bool, stressed: bool) -> list[str]:
    words = []
    if reliable:
        words.append(
            _(
                "Reliability: share of positives in bins of equally many cases, against their mean "
                "probability; bars: 95% CI without stress; below: cases per bin. On the dashed "
                "line a score is a probability. A bin says nothing of what cancels inside it."
            )
        )
    if stressed:
        words.append(
            _(
                "Second line: the stress under which the expected calibration error is largest, "
                "each case by its worst image."
            )
        )
    if risky:
        words.append(
            _(
                "Risk–coverage: share wrong of the surest cases, against the share handled alone; "
                "band: 95% CI; squares: the cut-offs of the table. It shows how these images were "
                "ranked by the model's own confidence; it does not show that the confidence is "
                "right elsewhere, nor that any point is low enough."
            )
        )
    return words


def _told(series: dict[str, Points], risk: Risk | None) -> list[str]:
    words = []
    for name, points in series.items():
        words.append(
            _(
                "Reliability, {name}: {n} bins, from {low} mean probability with {first} positive "
                "to {high} with {last} positive."
            ).format(
                name=name,
                n=len(points),
                low=_share(points[0][0]),
                first=_value(points[0][1]),
                high=_share(points[-1][0]),
                last=_value(points[-1][1]),
            )
        )
    if risk is not None:
        (least, first), (_most, last) = risk.curve[0], risk.curve[-1]
        words.append(
            _(
                "Risk–coverage: from {first} wrong among the surest {share} of cases to {last} of "
                "all; a dashed line marks the cut-off of {cutoff}."
            ).format(
                first=_value(first),
                share=_share(least, 0),
                last=_value(last),
                cutoff=cut_off_text(risk.headline),
            )
        )
    return [*words, _("The numbers are in the tables below.")]


def _share(share: float, digits: int = 1) -> str:
    return decimal(f"{100 * share:.{digits}f}%")


def _value(f: Finding) -> str:
    return amount(f.metric, f.value or 0.0)


def _bins(series: dict[str, Points]) -> Table:
    """A line for each bin, two columns for each series."""
    names, points = list(series), list(series.values())
    rows: list[list[str | Cell]] = [
        [text for pair in line for text in _bin(pair)] for line in zip_longest(*points)
    ]
    columns = []
    for name in names:
        columns += [_("Mean probability, {name}").format(name=name), _("Positive (95% CI) · k/n")]
    widths = (20, 30) * len(names) if len(names) > 1 else (40, 60)
    numeric = frozenset(range(len(columns)))
    return Table(_("Reliability, by bin"), columns, rows, "", numeric, widths)


def _bin(pair: tuple[float, Finding] | None) -> list[str]:
    if pair is None:
        return ["", ""]
    mean, f = pair
    return [_share(mean), f"{_value(f)} ({interval(f)}) · {ratio(f)}"]


def _coverage(material: Material, risk: Risk) -> Table:
    """Every tenth of the cases, in two columns side by side."""
    told = [
        [_share(x, 0), f"{_value(f)} ({interval(f)}) · {ratio(f)}"]
        for x, f in risk.curve
        if round(20 * x) % 2 == 0
    ]
    half = -(-len(told) // 2)
    rows = [
        [*left, *right] for left, right in zip_longest(told[:half], told[half:], fillvalue=["", ""])
    ]
    area = material.one("aurc", "clean")
    note = _("Ties in confidence are handled together.")
    if area is not None and area.value is not None:
        note += " " + _(
            "Area under the line {area}; {chance} would be a confidence that says nothing."
        ).format(
            area=decimal(f"{area.value:.4f}"),
            chance=decimal(f"{risk.curve[-1][1].value or 0.0:.4f}"),
        )
    columns = [_("Handled alone"), _("Wrong among these (95% CI) · k/n")] * 2
    caption = _("Wrong among the surest")
    return Table(caption, columns, rows, note, frozenset({0, 1, 2, 3}), (16, 34, 16, 34))
