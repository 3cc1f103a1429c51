"""What an audit says of natural changes: each corruption, its severities, and what was counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.results import Finding, Scalar
from reports.material import Material, is_cell, level_name
from reports.names import LEVELS

RATES = ("accuracy", "sensitivity", "specificity")
ROBUST = ("robust_sensitivity", "robust_accuracy")
AGAINST_CLEAN = "stress=clean"
Levels = tuple[Finding | None, ...]


@dataclass(frozen=True)
class Dose:
    """One corruption without defence, its levels from mild to gross.

    `parameter`: the number that is the level ("" where there is only one way), `levels` its
    values. `rates`: metric -> a finding per level; `changes`: their paired differences from none.
    `first_loss`: the mildest level with a detectable loss, None where none was looked for.
    """

    stress: str
    parameter: str
    levels: tuple[Scalar, ...]
    rates: Mapping[str, Levels]
    changes: Mapping[str, Levels]
    first_loss: Finding | None
    per_step: Finding | None

    @property
    def n(self) -> int:
        """Images examined."""
        return max((f.n for f in self.rates["accuracy"] if f is not None), default=0)

    @property
    def falls_at(self) -> int | None:
        """The place among the levels of the first detectable loss."""
        first = self.first_loss
        if first is None or first.value is None or not self.parameter:
            return None
        level = first.params.get(self.parameter)
        return self.levels.index(level) if level in self.levels else None


def doses(material: Material) -> list[Dose]:
    """Every corruption that was counted, in the order of the audit; maps are left out."""
    runs = material.results.plan.runs
    planned = {run.stress: run.params for run in runs if run.kind == "corruption"}
    found: dict[str, list[Finding]] = {}
    for f in material.results.findings:
        plain = f.defence == "none" and not f.group and not f.variant
        if f.stress in planned and plain and not is_cell(f):
            found.setdefault(f.stress, []).append(f)
    made = [_dose(stress, several, planned[stress]) for stress, several in found.items()]
    return [dose for dose in made if any(dose.rates["accuracy"])]


def _dose(stress: str, found: Sequence[Finding], planned: Mapping[str, Any]) -> Dose:
    rates = [f for f in found if f.metric == "accuracy" and f.contrast is None]
    name = level_name(rates) or _known_level(rates)
    mine = _one_run(rates, name)
    several = _mild_first(mine, name, planned)
    places = [_place(f) for f in several]

    def at(metric: str, contrast: str | None) -> Levels:
        same = {_place(f): f for f in found if (f.metric, f.contrast) == (metric, contrast)}
        return tuple(same.get(place) for place in places)

    def loss(metric: str) -> Finding | None:
        same = [f for f in found if (f.metric, f.contrast) == (metric, AGAINST_CLEAN)]
        return next((f for f in same if _place(f) in places), None)

    return Dose(
        stress,
        name,
        tuple(f.params[name] for f in several) if name else (),
        {metric: at(metric, None) for metric in (*RATES, *ROBUST)},
        {metric: at(metric, AGAINST_CLEAN) for metric in RATES},
        loss("first_loss"),
        loss("change_per_step"),
    )


def _known_level(found: Sequence[Finding]) -> str:
    """Of a corruption at one level: the parameter that is known to be one."""
    params = found[0].params if len(found) == 1 else {}
    return next((name for name in LEVELS if name in params), "")


def _one_run(found: Sequence[Finding], name: str) -> list[Finding]:
    """Those that differ from the first in the level alone."""
    return [f for f in found if _rest(f, name) == _rest(found[0], name)]


def _rest(f: Finding, name: str) -> Mapping[str, object]:
    return {key: value for key, value in f.params.items() if key != name}


def _place(f: Finding) -> str:
    return repr(sorted(f.params.items()))


def _mild_first(
    found: Sequence[Finding], name: str, planned: Mapping[str, Any]
) -> Sequence[Finding]:
    """Levels as their run lists them, which is from mild to gross; a table has no order."""
    if not name:
        return found[:1]
    levels = [f.params[name] for f in found]
    for values in planned.values():
        if isinstance(values, list) and all(level in values for level in levels):
            return sorted(found, key=lambda f: values.index(f.params[name]))
    return found


def clean_of(material: Material, dose: Dose, metric: str) -> Finding:
    """What the same cases gave without stress; a sample has no interval of its own."""
    for f, change in zip(dose.rates[metric], dose.changes[metric], strict=True):
        if f is None:
            continue
        clean = material.clean(metric)
        if clean is not None and clean.n == f.n:
            return clean
        if f.value is not None and change is not None and change.value is not None:
            return Finding(metric=metric, value=f.value - change.value, n=f.n)
    return Finding(metric=metric)
