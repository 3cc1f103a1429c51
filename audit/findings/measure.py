"""Findings of one view: every rate and the AUROC, in every group, with interval or reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np

from audit.findings.frame import Frame
from audit.findings.proportions import Table, intervals, tabulate
from audit.findings.rates import FEWEST, NEGATIVES, POSITIVES, Rate, rates, truth
from audit.findings.view import Bools, Gap, Label, View
from audit.metrics.auroc import Roc, auroc_interval, roc
from audit.metrics.interval import Interval
from audit.results import Finding, Scalar

_BLANK = Finding(metric="")
WIDE = 0.10  # half-width above which a number is called imprecise


class Said(TypedDict, total=False):
    """Of the fields of a finding: its value with what belongs to it, or why there is none."""

    value: float
    low: float
    high: float
    method: str
    imprecise: bool
    p: float
    reason: str | None


@dataclass(frozen=True)
class Measured:
    """A view counted once: `found` rates in `table`, and a ROC or a reason per group."""

    view: View
    names: Sequence[dict[str, str]]
    found: Sequence[Rate]
    table: Table
    rocs: Sequence[Roc | str]
    assumed: Sequence[bool]
    sizes: Sequence[int]


def count(frame: Frame, view: View) -> Measured:
    """Everything there is to count in a view, for everyone and for each group."""
    names, members = _groups_of(frame, view)
    found = rates(frame.predictions, view)
    table = tabulate(frame, view.cases, found, members)
    unknown = ~frame.known[view.cases]
    ranked = range(len(names)) if view.share is None and not view.kept_only else ()
    return Measured(
        view=view,
        names=names,
        found=found,
        table=table,
        rocs=[roc_of(frame, view, members[:, g]) for g in ranked],
        assumed=np.asarray(members[unknown].any(axis=0)).tolist(),
        sizes=members.sum(axis=0).tolist(),
    )


def roc_of(frame: Frame, view: View, inside: Bools) -> Roc | str:
    """The ROC of some cases of a view, or why there is none."""
    positive = truth(frame.predictions, view)[inside]
    ill = int(positive.sum())
    for number, word in ((ill, POSITIVES), (len(positive) - ill, NEGATIVES)):
        if number < FEWEST:
            return f"fewer than {FEWEST} {word}"
    patients = frame.patients[view.cases[inside]]
    return roc(view.rank[inside], positive, patients, len(frame.patients))


def measure(measured: Measured) -> Iterator[Finding]:
    """All findings of a view, overall first, then by group."""
    label, table = measured.view.label, measured.table
    known = intervals(table, [rate.upper_only for rate in measured.found])
    for g, group in enumerate(measured.names):
        for m, rate in enumerate(measured.found):
            yield rate_finding(label, group, rate, table, (m, g), known[m][g])
        if measured.rocs:
            yield _auroc_finding(measured, g)
    yield from _counts(measured.view)


def _groups_of(frame: Frame, view: View) -> tuple[list[dict[str, str]], Bools]:
    names = list(frame.groups.names)
    members = frame.groups.members[view.cases]
    return (names[:1], members[:, :1]) if view.everyone_only else (names, members)


def rate_finding(
    label: Label,
    group: dict[str, str],
    rate: Rate,
    table: Table,
    at: tuple[int, int],
    interval: Interval,
    params: Mapping[str, Scalar] | None = None,
) -> Finding:
    """The finding of rate and group `at` of a table, or why there is no value."""
    whole = int(table.whole[at])
    counted = rate.part.dtype == bool and not rate.f1
    if table.needs[at] < FEWEST:
        said = Said(reason=f"fewer than {FEWEST} {rate.needed}")
    else:
        value = float(table.part[at]) / whole
        if rate.f1:
            value, interval = _f1(value), _f1_interval(interval)
        said = valued(value, interval)
    return finding(
        rate.metric,
        label,
        group,
        n=whole,
        events=int(table.part[at]) if counted else None,
        independent=bool(table.assumed[at]),
        params=params,
        **said,
    )


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def _f1_interval(interval: Interval) -> Interval:
    """F1 = 2J / (1 + J) rises with J = TP / (TP + FP + FN), so J's limits become F1's."""
    return Interval(_f1(interval.low), _f1(interval.high), interval.method)


def _auroc_finding(measured: Measured, g: int) -> Finding:
    found = measured.rocs[g]
    if isinstance(found, str):
        said = Said(reason=found)
    else:
        said = valued(found.area, auroc_interval(found))
    return finding(
        "auroc",
        measured.view.label,
        measured.names[g],
        n=measured.sizes[g],
        independent=measured.assumed[g],
        **said,
    )


def _counts(view: View) -> Iterator[Finding]:
    """Cases without a finite output, counted as wrong everywhere: said only when there are any."""
    broken = int((~view.finite).sum())
    if broken:
        yield finding(
            "not_finite",
            view.label,
            {},
            n=len(view.cases),
            events=broken,
            reason=f"{broken} cases have no finite output and count as wrong",
        )


def gaps(gap: Gap) -> Iterator[Finding]:
    """What a missing level would have said, without a value and with the reason."""
    metrics = ["accuracy", "sensitivity", "specificity", "auroc"]
    if gap.label.kind == "clean":
        metrics += ["precision", "f1"]
    else:
        metrics += ["robust_accuracy", "robust_sensitivity", "robust_specificity"]
    if gap.label.stress == "worst_case":
        metrics = metrics[4:]
    if gap.label.kind == "attack":
        metrics += ["attack_success", "attack_success_8bit"]
    for metric in metrics:
        yield finding(metric, gap.label, {}, reason=gap.reason)


def finding(
    metric: str,
    label: Label,
    group: dict[str, str],
    *,
    n: int = 0,
    events: int | None = None,
    independent: bool = False,
    contrast: str | None = None,
    params: Mapping[str, Scalar] | None = None,
    **said: Unpack[Said],
) -> Finding:
    """`params`: beside those of the label. `said`: such as `valued` gives.

    There are tens of thousands, so they are copies of one: their fields are ours, and typed.
    """
    return _BLANK.model_copy(
        update={
            "metric": metric,
            "stress": label.stress,
            "params": {**label.params, **(params or {})},
            "variant": label.variant,
            "defence": label.defence,
            "group": {**group},
            "n": n,
            "events": events,
            "independent": independent,
            "contrast": contrast,
            **said,
        }
    )


def of_everyone(
    frame: Frame,
    view: View,
    metric: str,
    said: Said,
    *,
    contrast: str | None = None,
    params: Mapping[str, Scalar] | None = None,
) -> Finding:
    """What is said of all cases of a view."""
    n, assumed = len(view.cases), not bool(frame.known[view.cases].all())
    return finding(
        metric,
        view.label,
        {},
        n=n,
        independent=assumed,
        contrast=contrast,
        params=params,
        **said,
    )


def area_change(
    one: Roc | str,
    two: Roc | str,
    limits: Callable[[Roc, Roc], Interval],
    p: Callable[[Roc, Roc], float],
) -> Said:
    """The area under `one` less that under `two`, or the reason why one of them has none."""
    if isinstance(one, str):
        return {"reason": one}
    if isinstance(two, str):
        return {"reason": two}
    return valued(one.area - two.area, limits(one, two)) | {"p": p(one, two)}


def valued(value: float, interval: Interval, *, proportion: bool = True) -> Said:
    """What a finding says of its value: its 95% limits and, of a `proportion`, whether they are
    wide.

    A proportion, or a difference of two, lies in [-1, 1] up to rounding.
    """
    half = (interval.high - interval.low) / 2
    return {
        "value": float(min(max(value, -1.0), 1.0) if proportion else value),
        "low": interval.low,
        "high": interval.high,
        "method": interval.method,
        "imprecise": bool(proportion and half > WIDE),
    }


def with_value(
    start: Finding, value: float, interval: Interval, *, proportion: bool = True
) -> Finding:
    """A finding that is already there, with a value."""
    return start.model_copy(update=valued(value, interval, proportion=proportion))
