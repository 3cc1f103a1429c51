"""The same cases twice: a defence against none, a corruption against no stress, images made on
another model against those made on this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import finding, roc_of, with_value
from audit.findings.proportions import FEW
from audit.findings.rates import CASES, FEWEST, Rate, rates
from audit.findings.view import Floats, Gap, View
from audit.metrics.auroc_difference import paired_difference
from audit.metrics.bootstrap import patient_sums, percentile_limits, resampled_ratios
from audit.metrics.interval import Interval
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
    common = np.intersect1d(view.cases, other.cases)
    if not len(common):
        return
    first, second = view.only(common), other.only(common)
    others = {rate.metric: rate for rate in rates(frame.predictions, second)}
    for rate in rates(frame.predictions, first):
        if rate.metric in SHARED and rate.metric in others:
            yield rate_difference(frame, first, rate, others[rate.metric], contrast)
    if not view.kept_only:
        yield _auroc_difference(frame, first, second, contrast)


def _fewer_unseen(frame: Frame, view: View, plain: View) -> Iterator[Finding]:
    """Errors that no human sees, with the referrals of `view` and without them."""
    common = np.intersect1d(view.cases, plain.cases)
    if len(common):
        first, second = (_unseen(part.only(common)) for part in (view, plain))
        yield rate_difference(frame, view.only(common), first, second, "defence=none")


def _unseen(view: View) -> Rate:
    everyone = np.ones(len(view.cases), dtype=bool)
    return Rate("unseen_error_rate", view.unseen, everyone, everyone, CASES)


def rate_difference(frame: Frame, view: View, rate: Rate, other: Rate, contrast: str) -> Finding:
    n = int(rate.whole.sum())
    assumed = not bool(frame.known[view.cases[rate.whole]].all())
    start = finding(rate.metric, view.label, {}, n=n, independent=assumed)
    start = start.model_copy(update={"contrast": contrast})
    if n < FEWEST:
        return start.model_copy(update={"reason": f"fewer than {FEWEST} {rate.needed}"})
    change = rate.part.astype(float) - other.part.astype(float)
    return with_value(start, float(change.sum()) / n, _limits(frame, view, rate, change))


def _limits(frame: Frame, view: View, rate: Rate, change: Floats) -> Interval:
    """Bonett–Price on images or, when patients repeat and few of them differ, on patients."""
    gained, lost, n = int((change > 0).sum()), int((change < 0).sum()), int(rate.whole.sum())
    patients = frame.patients[view.cases]
    distinct = len(np.unique(patients[rate.whole]))
    if distinct == n:
        low, high = bonett_price(gained, lost, n)
        return Interval(float(low), float(high), PAIRED)
    if len(np.unique(patients[change != 0])) < FEW:
        shrink = distinct / n
        low, high = bonett_price(gained * shrink, lost * shrink, distinct)
        return Interval(float(low), float(high), PAIRED_PATIENTS)
    resampling = frame.resampling(view.cases, stratified=rate.one_outcome)
    sums = patient_sums(resampling, np.stack([change, rate.whole], axis=1))
    lows, highs = percentile_limits(resampled_ratios(resampling, sums[:, :1], sums[:, 1:]))
    return Interval(float(lows[0]), float(highs[0]), BOOTSTRAP)


def _auroc_difference(frame: Frame, first: View, second: View, contrast: str) -> Finding:
    assumed = not bool(frame.known[first.cases].all())
    start = finding("auroc", first.label, {}, n=len(first.cases), independent=assumed)
    start = start.model_copy(update={"contrast": contrast})
    everyone = np.ones(len(first.cases), dtype=bool)
    one, two = (roc_of(frame, view, everyone) for view in (first, second))
    if isinstance(one, str) or isinstance(two, str):
        return start.model_copy(update={"reason": one if isinstance(one, str) else two})
    return with_value(start, one.area - two.area, paired_difference(one, two))
