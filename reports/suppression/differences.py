"""Differences: with one side they tell the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from audit.results import UNDEFENDED, Finding
from reports.suppression.counts import any_small
from reports.suppression.kinds import DIFFERENCE_OF, Place, group_of, settings

if TYPE_CHECKING:
    from reports.suppression.findings import Hiding

SLICE = "weak_slice"
BESIDES = ("surrogate", "stop_early")
ROBUST = "robust_"


def hide_differences(hiding: Hiding) -> None:
    """Hide a difference when one of its sides is hidden, or so few changed between them."""
    sides = _sides(hiding)
    for number, f in enumerate(hiding.findings):
        if f.contrast is not None and _tells(hiding, sides, f):
            hiding.hide(number, whole=True)


Sides = dict[Place, list[int]]


def _sides(hiding: Hiding) -> Sides:
    found: Sides = defaultdict(list)
    for n in hiding.plain:
        f = hiding.findings[n]
        found[_side(f, f.metric, f.stress, f.defence, group_of(f))].append(n)
        loose = settings(f, *BESIDES)
        found["any", f.metric, f.stress, loose, f.variant, f.defence, group_of(f)].append(n)
        names = _reference(f"{name}={value}" for name, value in f.group.items())
        found["group", f.metric, f.stress, settings(f), f.variant, f.defence, names].append(n)
    return found


def _reference(pairs: Iterable[str]) -> tuple[str, ...]:
    """A group as a difference names it, whatever stands in the names and in which order."""
    return tuple(sorted(", ".join(pairs).split(", ")))


def _side(
    f: Finding, metric: str, stress: str, defence: str, group: tuple[tuple[str, str], ...]
) -> Place:
    clean = stress == "clean" and f.stress != "clean"
    params = () if clean else settings(f)
    return metric, stress, params, "" if clean else f.variant, defence, group


def _tells(hiding: Hiding, sides: Sides, f: Finding) -> bool:
    if f.metric == SLICE:
        return _slice_tells(hiding, sides, f)
    metric = DIFFERENCE_OF.get(f.metric, f.metric)
    group = group_of(f)
    own = _side(f, metric, f.stress, f.defence, group)
    wanted = [own, _other(f, metric, own)]
    if f.contrast == "stress=clean":  # its interval tells how many changed either way
        wanted.append(_side(f, ROBUST + metric, f.stress, f.defence, group))
    return any(not hiding.told(n) for place in wanted for n in sides.get(place, ()))


def _other(f: Finding, metric: str, own: Place) -> Place:
    """The side that the finding is held against."""
    if f.group:
        names = _reference([f.contrast or ""])
        return "group", metric, f.stress, settings(f), f.variant, f.defence, names
    name, _, value = (f.contrast or "").partition("=")
    if name == "stress":
        return _side(f, metric, value, f.defence, group_of(f))
    if name == "surrogate":
        loose = settings(f, *BESIDES)
        return "any", metric, f.stress, loose, f.variant, f.defence, group_of(f)
    if name == "defence":
        if f.params.get("surrogate") == UNDEFENDED:
            loose = settings(f, *BESIDES)
            return "any", metric, f.stress, loose, f.variant, value, group_of(f)
        return _side(f, metric, f.stress, value, group_of(f))
    return own


def _slice_tells(hiding: Hiding, sides: Sides, f: Finding) -> bool:
    """A slice less the rest tells, with what is known of everyone, the counts of the slice."""
    if f.value is None:
        return False
    metric = str(f.params.get("of", ""))
    around = [sides.get(("any", metric, f.stress, (), f.variant, f.defence, g), [])
              for g in _around(f)]  # fmt: skip
    found = [n for numbers in around for n in numbers]
    everyone = sides.get(("any", metric, f.stress, (), f.variant, f.defence, ()), [])
    if not everyone or any(not hiding.told(n) for n in (*found, *everyone)):
        return True
    whole = hiding.findings[everyone[0]]
    total, events = whole.n, whole.events or 0
    cells: list[int] = []
    for n in (f.n, total - f.n):
        if not 0 < n < total:
            return True
        k = round((f.value + events / (total - n)) / (1 / n + 1 / (total - n)))
        cells += [n, k, n - k, total - n, events - k, total - n - events + k]
        for number in found:
            outer = hiding.findings[number]
            inner = (outer.events or 0) - k
            cells += [outer.n - n, inner, outer.n - n - inner]
    return any_small(tuple(cells), hiding.below)


def _around(f: Finding) -> list[tuple[tuple[str, str], ...]]:
    """The slice itself and the groups by one attribute that it lies in."""
    pair = group_of(f)
    return [pair, *([(one,) for one in pair] if len(pair) > 1 else [])]
