"""The same cases twice: a defence against none, a corruption against no stress, images made on
another model against those made on this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import Said, area_change, finding, of_everyone, roc_of, valued
from audit.findings.proportions import FEW
from audit.findings.rates import CASES, FEWEST, Rate, rates
from audit.findings.view import Bools, Floats, Gap, View
from audit.metrics.auroc_difference import paired_difference, paired_p
from audit.metrics.bootstrap import patient_sums, percentile_limits
from audit.metrics.difference import mcnemar
from audit.metrics.interval import Interval
from audit.metrics.p_values import clustered_paired
from audit.metrics.proportion import bonett_price
from audit.results import UNDEFENDED, Finding

# Denominators that the truth alone decides, so that both sides share them.
SHARED = (
    "accuracy",
    "sensitivity",
    "specificity",
    "robust_accuracy",
    "robust_sensitivity",
    "robust_specificity",
)
SURROGATE = "surrogate"
# An attack that is carried over walks every step; on its own model it may stop at its success.
BESIDES = (SURROGATE, "stop_early")
PAIRED = "Bonett-Price"
PAIRED_PATIENTS = "Bonett-Price on patients"
BOOTSTRAP = "patient bootstrap"


def paired_contrasts(frame: Frame, views: Sequence[View | Gap]) -> Iterator[Finding]:
    """Overall differences: every view under a defence against its like under none, every
    corruption against the clean run of its defence, and every attack whose images another model
    made ("surrogate") against the same attack on this one, under the same defence.

    Images made on the model without its defence are compared, under none, with the same attack
    on that model: the defence is all that differs between the two.

    A defence that only refers changes no decision: its differences would all be 0 with an
    interval that says nothing. Only the errors nobody sees are compared, and its corruptions
    stand under none.
    """
    usable = [view for view in views if isinstance(view, View) and view.share is None]
    by_key = {_key(view): view for view in usable}
    for view in usable:
        label = view.label
        plain = by_key.get(_key(view, defence="none"))
        if label.defence in ONLY_REFER:
            if plain is not None and not view.everyone_only:
                yield from _fewer_unseen(frame, view, plain)
            continue
        if label.defence != "none" and plain is not None:
            yield from _differences(frame, view, plain, "defence=none")
        clean = by_key.get(("clean", label.defence, (), "", ""))
        if label.kind == "corruption" and not view.everyone_only and clean is not None:
            yield from _differences(frame, view, clean, "stress=clean")
        own = by_key.get(_key(view, surrogate=""))
        if SURROGATE in label.params and own is not None:
            yield from _differences(frame, view, own, "surrogate=none")


def _key(
    view: View, defence: str | None = None, surrogate: str | None = None
) -> tuple[object, ...]:
    """What makes two views alike; `defence` and `surrogate` ask for those of another view."""
    label = view.label
    made_on = label.params.get(SURROGATE, "") if surrogate is None else surrogate
    if defence == "none" and made_on == UNDEFENDED:
        made_on = ""
    params = tuple(sorted((k, v) for k, v in label.params.items() if k not in BESIDES))
    return label.stress, defence or label.defence, params, label.variant, made_on


def _differences(frame: Frame, view: View, other: View, contrast: str) -> Iterator[Finding]:
    first, second = _on_common_cases(view, other)
    if not len(first.cases):
        return
    others = {rate.metric: rate for rate in rates(frame.predictions, second)}
    mine = [rate for rate in rates(frame.predictions, first) if rate.metric in SHARED]
    both = [(rate, others[rate.metric]) for rate in mine if rate.metric in others]
    _draw_together(frame, first, both)
    for one, two in both:
        yield rate_difference(frame, first, one, two, contrast)
    if not view.kept_only:
        yield _auroc_difference(frame, first, second, contrast)


def _fewer_unseen(frame: Frame, view: View, plain: View) -> Iterator[Finding]:
    """Errors that no human sees, with the referrals of `view` and without them."""
    first, second = _on_common_cases(view, plain)
    if len(first.cases):
        yield rate_difference(frame, first, _unseen(first), _unseen(second), "defence=none")


def _on_common_cases(view: View, other: View) -> tuple[View, View]:
    if np.array_equal(view.cases, other.cases):
        return view, other
    common = np.intersect1d(view.cases, other.cases)
    return view.only(common), other.only(common)


def _unseen(view: View) -> Rate:
    everyone = np.ones(len(view.cases), dtype=bool)
    return Rate("unseen_error_rate", view.unseen, everyone, everyone, CASES)


def rate_difference(frame: Frame, view: View, rate: Rate, other: Rate, contrast: str) -> Finding:
    """`rate` minus `other` over the same cases, with McNemar's exact p; Obuchowski's where
    patients repeat."""
    n = int(rate.whole.sum())
    if n < FEWEST:
        said = Said(reason=f"fewer than {FEWEST} {rate.needed}")
    else:
        change = _change(rate, other)
        limits, p = _compared(frame, view, rate, change)
        said = valued(float(change.sum()) / n, limits) | {"p": p}
    assumed = not bool(frame.known[view.cases[rate.whole]].all())
    return finding(rate.metric, view.label, {}, n=n, independent=assumed, contrast=contrast, **said)


def _change(rate: Rate, other: Rate) -> Floats:
    return np.asarray(rate.part.astype(float) - other.part.astype(float))


def _compared(frame: Frame, view: View, rate: Rate, change: Floats) -> tuple[Interval, float]:
    """Bonett–Price and McNemar on images; when patients repeat, resamples and a test of them, or
    Bonett–Price on patients where few of them differ."""
    gained, lost, n = int((change > 0).sum()), int((change < 0).sum()), int(rate.whole.sum())
    patients = frame.patients[view.cases]
    distinct = int((np.bincount(patients[rate.whole]) > 0).sum())
    if distinct == n:
        low, high = bonett_price(gained, lost, n)
        return Interval(float(low), float(high), PAIRED), mcnemar(gained, lost)
    p = clustered_paired(np.bincount(patients, change), distinct)
    if int((np.bincount(patients[change != 0]) > 0).sum()) < FEW:
        shrink = distinct / n
        low, high = bonett_price(gained * shrink, lost * shrink, distinct)
        return Interval(float(low), float(high), PAIRED_PATIENTS), p
    totals = _totals(frame, view, [change, rate.whole], stratified=rate.one_outcome)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(totals[:, 1] > 0, totals[:, 0] / totals[:, 1], np.nan)
    lows, highs = percentile_limits(ratios[:, None])
    return Interval(float(lows[0]), float(highs[0]), BOOTSTRAP), p


def _draw_together(frame: Frame, view: View, pairs: Sequence[tuple[Rate, Rate]]) -> None:
    """Resample every change at once, which is quicker than one after the other."""
    if not frame.repeats(view.cases):
        return
    for stratified in (False, True):
        mine = [(rate, other) for rate, other in pairs if rate.one_outcome == stratified]
        if mine:
            columns = [_change(*pair) for pair in mine] + [rate.whole for rate, _ in mine]
            _totals(frame, view, columns, stratified=stratified)


def _totals(
    frame: Frame, view: View, columns: Sequence[Floats | Bools], *, stratified: bool
) -> Floats:
    """Columns (n,) of cases -> their totals in each resample (B, len), remembered by the frame."""
    sums = patient_sums(frame.resampling(view.cases, stratified=stratified), np.stack(columns, 1))
    found = frame.resampled(view.cases, sums, stratified=stratified, keep=True)
    return found.astype(np.float64)


def _auroc_difference(frame: Frame, first: View, second: View, contrast: str) -> Finding:
    everyone = np.ones(len(first.cases), dtype=bool)
    one, two = (roc_of(frame, view, everyone) for view in (first, second))
    said = area_change(one, two, paired_difference, paired_p)
    return of_everyone(frame, first, "auroc", said, contrast=contrast)
