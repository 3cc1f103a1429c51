"""Section 5: what is handled alone above a cut-off, and under a defence that refers."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Table, Text
from reports.cells import rate_cell
from reports.language import _
from reports.material import Material, is_cell
from reports.numbers import (
    defence_name,
    full,
    group_name,
    listed,
    ratio,
    setting,
    signed,
    signed_interval,
)
from reports.panels.registry import panel
from reports.referral import HEADLINE, at, at_most, bound, cut_off_text, cut_offs, shown_below
from reports.views import beside

MOST_NAMED = 3


@panel("cut_offs")
def by_cut_off(material: Material) -> Sequence[Block]:
    rows = [_row(material, cutoff) for cutoff in cut_offs(material)]
    if not rows:
        return []
    positive = material.results.model.positive_class
    columns = [
        _("Cut-off"),
        _("Handled alone"),
        _("Accuracy of these"),
        _("Missed {name}").format(name=positive),
        _("Of all {name}").format(name=positive),
        _("Missed below 0.5%"),
    ]
    note = _(
        "Above a cut-off: the probability of the decided class reaches it, compared as log-odds. "
        "95% CI · k/n below each value; missed: count and upper limit of a one-sided 95% "
        "interval. † imprecise."
    )
    caption = _("Left to the model alone, by cut-off")
    numeric = frozenset({1, 2, 3, 4})
    table = Table(caption, columns, rows, note, numeric, (11, 20, 20, 18, 17, 14))
    told = [_by_group(material), _stressed(material)]
    return [table, *(text for text in told if text is not None)]


def _row(material: Material, cutoff: float) -> list[str | Cell]:
    missed = at(material, "missed_above", cutoff)
    return [
        Cell(cut_off_text(cutoff), strong=cutoff == HEADLINE),
        rate_cell(at(material, "handled_above", cutoff)),
        rate_cell(at(material, "accuracy_above", cutoff)),
        _bound_cell(missed),
        _bound_cell(at(material, "missed_of_positives_above", cutoff)),
        _("shown") if shown_below(missed) else _("not shown"),
    ]


def _bound_cell(finding: Finding | None) -> Cell:
    if finding is None or finding.value is None or finding.high is None:
        return rate_cell(finding)
    return Cell(ratio(finding), sub=at_most(finding))


def _by_group(material: Material) -> Text | None:
    """Groups in which positives are missed above the cut-off, the largest limits first."""
    known = [
        f
        for f in material.results.find(
            "missed_above", stress="clean", defence="none", contrast=None
        )
        if f.group and f.params.get("cutoff") == HEADLINE and f.value is not None
    ]
    if not known:
        return None
    known.sort(key=lambda f: (-(f.high or 0.0), group_name(f.group)))
    missed = [f for f in known if f.events]
    named = "; ".join(f"{group_name(f.group)} {bound(f)}" for f in (missed or known)[:MOST_NAMED])
    name = material.results.model.positive_class
    if not missed:
        words = _(
            "None of {n} groups had a missed {name} there; the largest upper limits (one-sided "
            "95%): {named}."
        )
    else:
        words = _(
            "{k} of {n} groups had missed {name} there; the largest upper limits (one-sided 95%): "
            "{named}."
        )
    head = _("By group, above {cutoff}.").format(cutoff=cut_off_text(HEADLINE))
    return Text(words.format(k=len(missed), n=len(known), name=name, named=named), head)


def _stressed(material: Material) -> Text | None:
    """Errors made with confidence: wrong, and so sure that nobody would look."""
    known = [
        f
        for f in material.stressed("unseen_error_above")
        if f.params.get("cutoff") == HEADLINE and f.defence == "none" and f.value is not None
    ]
    if not known:
        return None
    known.sort(key=lambda f: (-(f.value or 0.0), setting(f)))
    named = "; ".join(f"{_without_cutoff(f)}: {full(f)}" for f in known[:MOST_NAMED])
    words = _(
        "Decided wrongly without stress or under it, and above the cut-off, of all cases; the "
        "largest of {n} settings: {named}. The stresses did not aim at confidence; one that does "
        "may find more."
    )
    head = _("Wrong and above {cutoff}, under stress.").format(cutoff=cut_off_text(HEADLINE))
    return Text(words.format(n=len(known), named=named), head)


def _without_cutoff(f: Finding) -> str:
    rest = {name: value for name, value in f.params.items() if name != "cutoff"}
    return setting(f.model_copy(update={"params": rest}))


@panel("handled_alone")
def handled_alone(material: Material) -> Sequence[Block]:
    """One table: of each way to refer, without stress and where most errors go unseen."""
    shown = material.results.find("unseen_error_rate", group={}, contrast=None)
    ways = list(dict.fromkeys(f.defence for f in shown))
    rows = [_handled(material, f) for way in ways for f in _pair(shown, way)]
    if not rows:
        return []
    columns = [
        _("Who refers, and under what"),
        _("Referred"),
        _("Accuracy alone"),
        _("Missed {name}, alone").format(name=material.results.model.positive_class),
        _("Unseen error"),
        _("Against no referral"),
    ]
    note = _(
        "Unseen error: wrong and not referred, of all cases. Missed: count of those handled alone "
        "and upper limit of a one-sided 95% interval. Of each: without stress, and the stress with "
        "the most unseen errors; all others are in audit.json. The stresses did not aim at the "
        "referral. † imprecise."
    )
    numeric = frozenset({1, 2, 3, 4, 5})
    caption = _("Referred, and handled alone")
    return [Table(caption, columns, rows, note, numeric, (25, 15, 15, 15, 15, 15))]


def _pair(shown: Sequence[Finding], way: str) -> list[Finding]:
    mine = [f for f in shown if f.defence == way and not is_cell(f)]
    plain = [f for f in mine if f.stress == "clean"]
    rest = [f for f in mine if f.stress != "clean" and f.value is not None]
    return [*plain, *sorted(rest, key=lambda f: (-(f.value or 0.0), setting(f)))[:1]]


def _handled(material: Material, f: Finding) -> list[str | Cell]:
    who = _("the model itself") if f.defence == "none" else defence_name(f.defence)
    rates = [rate_cell(beside(material, f, m)) for m in ("referral_rate", "accuracy_handled")]
    missed = _bound_cell(beside(material, f, "missed_handled"))
    return [Cell(who, sub=setting(f)), *rates, missed, rate_cell(f), _fewer(material, f)]


def _fewer(material: Material, f: Finding) -> str | Cell:
    other = beside(material, f, f.metric, contrast="defence=none")
    if other is None or other.value is None:
        return "–" if other is None else rate_cell(other)
    points = _("{value} points").format(value=signed(other.metric, other.value))
    return Cell(points, sub=signed_interval(other))


def referring_words(names: Sequence[str]) -> str:
    """What the table before and after says of defences that change no decision."""
    return _(
        "{names}: no decision changes, so there is no before and after; what is referred and what "
        "is left is in section 5."
    ).format(names=listed([defence_name(name) for name in names]))
