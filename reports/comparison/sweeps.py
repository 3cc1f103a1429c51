"""Every stress with its levels, from the weakest to the strongest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.compare.results import Difference
from audit.results import Scalar
from reports.comparison.material import ComparisonMaterial
from reports.material import is_cell, level_name
from reports.names import TOLD
from reports.numbers import grey_levels, level, setting

COUNTED = "robust_accuracy"
WIDEST = "every case"  # the same level on more cases than its like


@dataclass(frozen=True)
class Sweep:
    """One stress under one defence: the difference in robust accuracy at each of its levels.

    `varied`: the parameter that makes the levels, None where there is one level.
    """

    points: Sequence[Difference]
    varied: str | None

    @property
    def strongest(self) -> Difference:
        return self.points[-1]

    @property
    def defence(self) -> str:
        return self.strongest.defence

    @property
    def name(self) -> str:
        """What was done, without the level: "PGD, steps 20"."""
        if self.varied is None:
            return setting(self.strongest)
        told = {*TOLD, "mode", "k", "surrogate"} - {self.varied}
        kept = {name: v for name, v in self.strongest.params.items() if name in told}
        return setting(self.strongest.model_copy(update={"params": kept}))

    def words(self, one: Difference) -> str:
        """A level, short: "2/255"."""
        value = one.params.get(self.varied or "", "")
        return amount_of(self.varied or "", value)


def amount_of(name: str, value: Scalar) -> str:
    if name == "epsilon" and isinstance(value, int | float):
        return grey_levels(float(value))
    return level(value)


def sweeps(material: ComparisonMaterial) -> list[Sweep]:
    """All of them: those without a defence first, each in the order of the file."""
    kinds: dict[tuple[object, ...], list[Difference]] = {}
    for d in material.found.differences:
        if d.metric == COUNTED and not d.group and not is_cell(d):
            kinds.setdefault(_kind(d), []).append(d)
    found = [sweep for alike in kinds.values() for sweep in _made(_widest(alike))]
    return sorted(found, key=lambda sweep: sweep.defence != "none")


def _kind(one: Difference) -> tuple[object, ...]:
    """What two levels of one stress share."""
    variant = "" if one.variant == WIDEST else one.variant
    rest = [str(one.params.get(name, "")) for name in ("surrogate", "mode", "norm")]
    return one.stress, one.defence, variant, *rest


def _widest(alike: list[Difference]) -> list[Difference]:
    wide = {d.params.get("epsilon") for d in alike if d.variant == WIDEST}
    return [d for d in alike if d.variant == WIDEST or d.params.get("epsilon") not in wide]


def _made(alike: list[Difference]) -> list[Sweep]:
    """Levels of one parameter, apart where another number differs too."""
    varied = level_name(list(alike)) if len(alike) > 1 else None
    if varied is None:
        return [Sweep([one], None) for one in alike]
    apart: dict[tuple[object, ...], list[Difference]] = {}
    for d in alike:
        others = {n: v for n, v in d.params.items() if n != varied and not isinstance(v, str)}
        apart.setdefault(tuple(sorted(others.items())), []).append(d)
    return [_ordered(points, varied) for points in apart.values()]


def _ordered(points: list[Difference], varied: str) -> Sweep:
    if len(points) == 1:
        return Sweep(points, None)
    ordered = sorted(points, key=lambda d: _number(d.params.get(varied)))
    if _left(ordered[0]) < _left(ordered[-1]):
        ordered.reverse()
    return Sweep(ordered, varied)


def _number(value: Scalar | None) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _left(one: Difference) -> float:
    """What both models together still decide correctly: less of it means a stronger level."""
    return (one.base or 0.0) + (one.new or 0.0)
