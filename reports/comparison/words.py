"""Differences as a reader meets them: cells, counts and sentences."""

from __future__ import annotations

from audit.compare.results import Answer, Difference
from reports.blocks import Cell
from reports.comparison.material import ComparisonMaterial
from reports.language import N_, _, ngettext, recorded
from reports.numbers import (
    SCORES,
    amount,
    group_name,
    metric_name,
    sentence,
    setting,
    signed,
    signed_interval,
    under_defence,
)
from reports.p_values import p_text

ANSWERS: dict[Answer, str] = {
    "worse": N_("worse"),
    "better": N_("better"),
    "no difference shown": N_("no difference found"),
    "too few": N_("too few cases"),
}


def size(metric: str, value: float) -> str:
    """A difference without its sign: "6.2 points", "0.021"."""
    text = signed(metric, abs(value)).removeprefix("+")
    return text if metric in SCORES else _("{value} points").format(value=text)


def half_width(one: Difference) -> str:
    """About the smallest difference that these cases could show."""
    if one.low is None or one.high is None:
        return "–"
    return size(one.metric, (one.high - one.low) / 2)


def counts(one: Difference, value: float) -> str:
    """The counts behind the metric itself: "46/61"; a score has its number of cases alone."""
    return f"n = {one.n}" if one.metric in SCORES else f"{round(value * one.n)}/{one.n}"


def metric_cell(one: Difference | None, which: str) -> Cell:
    """The metric in BASE or NEW, with its counts below."""
    value = None if one is None else one.base if which == "base" else one.new
    if one is None or value is None:
        return Cell("–")
    return Cell(amount(one.metric, value), sub=counts(one, value))


def change_cell(one: Difference | None) -> Cell:
    """The difference over its interval: bold where that lies off 0, * where Holm's p does too."""
    if one is None:
        return Cell("–", sub=_("not computed"))
    if one.value is None:
        return Cell("–", sub=why(one))
    mark = " *" if one.shown else ""
    off = one.verdict in ("worse", "better")
    return Cell(signed(one.metric, one.value) + mark, strong=off, sub=signed_interval(one))


def why(one: Difference) -> str:
    """Why there is no number, short enough for a cell."""
    reason = one.reason or ""
    if not reason:
        return _("no reason recorded")
    if reason.startswith("fewer than"):
        return _("too few, n = {n}").format(n=one.n)
    return recorded(reason)


def holm_text(one: Difference) -> str:
    return p_text(one.p_holm)


def answer(one: Difference) -> str:
    """ "worse", and whether that holds after Holm's adjustment."""
    word = _(ANSWERS[one.verdict])
    if one.verdict not in ("worse", "better"):
        return word
    held = _("after Holm's adjustment too") if one.shown else _("not after Holm's adjustment")
    return f"{word}, {held}"


def subject(one: Difference) -> str:
    """What is compared, where: "sensitivity in view lateral under FGSM, ε = 2/255"."""
    words = metric_name(one.metric)
    if one.group:
        words = _("{metric} in {group}").format(metric=words, group=group_name(one.group)[:60])
    if one.stress != "clean":
        words = _("{metric} under {stress}").format(metric=words, stress=setting(one))
    return words if one.defence == "none" else f"{words}, {under_defence(one.defence)}"


def told(material: ComparisonMaterial, one: Difference) -> str:
    """A difference as a sentence, with what a rule of the site says of it."""
    return f"{moved(one)}; {ruled(material, one)}."


def in_words(one: Difference) -> str:
    """A difference as a sentence, whichever way it came out."""
    if one.verdict not in ("worse", "better"):
        return none_found(one)
    return f"{moved(one)}; {answer(one)}."


def moved(one: Difference) -> str:
    """ "Sensitivity fell from 75.4% (46/61) to 54.1% (33/61): −21.3 points (95% CI …)"."""
    fell = _("{what} fell from {base} ({before}) to {new} ({after}): {change} ({numbers})")
    rose = _("{what} rose from {base} ({before}) to {new} ({after}): {change} ({numbers})")
    base, new = one.base or 0.0, one.new or 0.0
    return (fell if (one.value or 0.0) < 0 else rose).format(
        what=sentence(subject(one)),
        base=amount(one.metric, base),
        before=counts(one, base),
        new=amount(one.metric, new),
        after=counts(one, new),
        change=_change(one),
        numbers=_numbers(one),
    )


def _change(one: Difference) -> str:
    text = signed(one.metric, one.value or 0.0)
    return text if one.metric in SCORES else _("{value} points").format(value=text)


def _numbers(one: Difference) -> str:
    """The interval, both p-values and what flipped."""
    words = [_("95% CI {interval}").format(interval=signed_interval(one))]
    words.append(_("p {p}, after Holm {holm}").format(p=p_text(one.p), holm=holm_text(one)))
    if one.lost is not None and one.gained is not None and one.metric not in SCORES:
        words.append(flipped(one.lost, one.gained))
    return "; ".join(words)


def flipped(lost: int, gained: int) -> str:
    return _("{lost} lost, {gained} gained").format(lost=lost, gained=gained)


def none_found(one: Difference) -> str:
    """What may be said where no difference was found: never that there is none."""
    if one.value is None:
        said = _("{what}: not compared, {reason}.")
        return said.format(what=sentence(subject(one)), reason=why(one))
    said = ngettext(
        "{what}: no difference found in {n} paired case (95% CI {interval}); less than about "
        "{half} it could not have shown.",
        "{what}: no difference found in {n} paired cases (95% CI {interval}); less than about "
        "{half} they could not have shown.",
        one.n,
    )
    return said.format(
        what=sentence(subject(one)), n=one.n, interval=signed_interval(one), half=half_width(one)
    )


def ruled(material: ComparisonMaterial, one: Difference) -> str:
    """The rule on a drop that judged this very difference, or that none did."""
    for ruling in material.judgement.worst_first():
        same = ruling.metric == one.metric and ruling.where.get("stress", "clean") == one.stress
        drop = None if one.value is None else -one.value
        close = drop is not None and ruling.observed is not None
        if same and close and abs((ruling.observed or 0.0) - (drop or 0.0)) < 1e-9:
            known = _("rule {id}, {outcome}")
            return known.format(id=ruling.id[:16], outcome=ruling.word)
    return _("no rule judged this difference")
