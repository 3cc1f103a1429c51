"""Dose and response: from which severity on accuracy is lost, and how fast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import finding, with_value
from audit.findings.paired import rate_difference
from audit.findings.rates import rates
from audit.findings.view import Gap, View
from audit.metrics.interval import Interval
from audit.results import Finding

FIRST = "first_loss"
STEP = "change_per_step"
CONTRAST = "stress=clean"
FEWEST_LEVELS = 3


def dose_response(
    frame: Frame,
    views: Sequence[View | Gap],
    clean: View | Gap | None,
    planned: Mapping[str, Any],
) -> Iterator[Finding]:
    """Of the views of one run, against the clean view of its defence, on the cases both have:

    `first_loss`: the change of accuracy at the mildest level whose paired 95% interval lies
    below 0, with that level among its parameters; without a value where no level's does.
    `change_per_step`: the change at the grossest level, divided by the number of levels.
    Only for runs with three levels or more of one ordered number: an ε by size, the severity of
    a corruption in the order of the run's parameters (`planned`), which is from mild to gross.
    """
    if not isinstance(clean, View):
        return
    for name, sweep in _sweeps(views, planned).items():
        found = [_change(frame, view, clean) for view in sweep]
        if all(change is not None and change.value is not None for change in found):
            changes = [change for change in found if change is not None]
            yield _first(changes, sweep, name[1])
            yield _per_step(changes, sweep[-1])


def _sweeps(
    views: Sequence[View | Gap], planned: Mapping[str, Any]
) -> dict[tuple[str, str], list[View]]:
    """(variant, level's name) -> views from mild to gross, where there are enough of them."""
    if not all(isinstance(view, View) for view in views):
        return {}
    by_variant: dict[str, list[View]] = {}
    for view in views:
        plain = isinstance(view, View) and view.share is None and not view.everyone_only
        if isinstance(view, View) and plain and view.label.defence not in ONLY_REFER:
            by_variant.setdefault(view.label.variant, []).append(view)
    found = {}
    for variant, several in by_variant.items():
        name = level_name([view.label.params for view in several])
        if name is None or len(several) < FEWEST_LEVELS:
            continue
        by_level = {_level(view, name): view for view in several}
        attack = several[0].label.kind == "attack"
        order = sorted(by_level) if attack else _planned_order(planned, set(by_level))
        if order:
            found[variant, name] = [by_level[level] for level in order]
    return found


def level_name(params: Sequence[Mapping[str, object]]) -> str | None:
    """The one number in which all of these differ; None where there is none, or several."""
    names = dict.fromkeys(name for one in params for name in one)
    varied = [name for name in names if len({one.get(name) for one in params}) > 1]
    if len(varied) != 1:
        return None
    values = [one.get(varied[0]) for one in params]
    return varied[0] if _numbers(values) and len(set(values)) == len(values) else None


def _planned_order(planned: Mapping[str, Any], levels: set[float]) -> list[float]:
    """The levels as the run's parameters list them, if they rise or fall throughout."""
    for values in planned.values():
        if isinstance(values, list | tuple) and _numbers(values) and set(values) == levels:
            steps = [a < b for a, b in pairwise(values)]
            ordered = all(steps) or not any(steps)
            return list(values) if ordered and len(values) == len(levels) else []
    return []


def _numbers(values: Iterable[object]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _level(view: View, name: str) -> float:
    return float(view.label.params[name])


def _change(frame: Frame, view: View, clean: View) -> Finding | None:
    """Accuracy at a level minus without stress, case by case."""
    if not len(view.cases) or not np.isin(view.cases, clean.cases).all():
        return None
    mine, other = (
        {rate.metric: rate for rate in rates(frame.predictions, part)}["accuracy"]
        for part in (view, clean.only(view.cases))
    )
    return rate_difference(frame, view, mine, other, CONTRAST)


def _first(changes: Sequence[Finding], sweep: Sequence[View], name: str) -> Finding:
    for change in changes:
        if change.high is not None and change.high < 0:
            # Chosen because of its interval: a p-value would not mean what it says.
            return change.model_copy(update={"metric": FIRST, "p": None})
    last, label = changes[-1], sweep[-1].label
    reason = f"no loss of accuracy detected up to {name} = {label.params[name]:.4g}"
    start = finding(FIRST, label, {}, n=last.n, independent=last.independent, reason=reason)
    return start.model_copy(update={"contrast": CONTRAST})


def _per_step(changes: Sequence[Finding], strongest: View) -> Finding:
    last, steps = changes[-1], len(changes)
    start = finding(STEP, strongest.label, {}, n=last.n, independent=last.independent)
    start = start.model_copy(update={"contrast": CONTRAST})
    low, high = (last.low or 0.0) / steps, (last.high or 0.0) / steps
    limits = Interval(low, high, last.method or "")
    return with_value(start, (last.value or 0.0) / steps, limits)
