"""Small counts left out of a comparison, with what rests on them or would tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from audit.compare.results import Audit, Comparison, Difference, Level
from reports.suppression.counts import Cell, any_small, left_out, small
from reports.suppression.mark import CODE, edition_note, reason
from reports.suppression.words import notes_without

WHOLE = {f"{r}accuracy": (f"{r}sensitivity", f"{r}specificity") for r in ("", "robust_")}
RANKED = "auroc"
Sum = tuple[int, list[int]]  # a whole and its parts, as places among the differences


def suppressed_comparison(found: Comparison, below: int) -> Comparison:
    """The comparison with every count of images or patients from 1 to below `below` left out.

    A difference goes where its denominator, a numerator, a rest, or what was lost or gained is
    such a count: all of these follow from what is printed. Others go until none follows by
    subtraction. Case ids go altogether, as a list is a count. How many cases an audit has, and how
    many of them stand on one side only, stays: it tells of no group and no outcome.
    """
    if below < 2:
        return found
    hidden = _hidden(found.differences, below)
    notes = notes_without(found.notes, below)
    return found.model_copy(
        update={
            "base": _audit(found.base, below),
            "new": _audit(found.new, below),
            "pairs": found.pairs.model_copy(
                update={
                    "labels": _labels(found.pairs.labels, below),
                    "patients": _count(found.pairs.patients, below),
                }
            ),
            "differences": tuple(
                _without(d, below) if at in hidden else d for at, d in enumerate(found.differences)
            ),
            "levels": tuple(_level(level, below) for level in found.levels),
            "flips": (),
            "calibration": tuple(
                _without(d, below) if small(d.n, below) else d for d in found.calibration
            ),
            "notes": (*notes, edition_note(below)),
        }
    )


def suppressed_below(found: Comparison) -> int:
    """Below which number a comparison's counts were left out; 0 where none was."""
    told = (re.fullmatch(rf"{CODE}(\d{{1,9}})", note.code) for note in found.notes)
    return next((int(match[1]) for match in told if match), 0)


def counts(one: Difference) -> Cell:
    """Every count that a printed difference tells, or lets be worked out."""
    if one.metric == RANKED or one.base is None or one.new is None:
        return (one.n,)
    base, new = (round(value * one.n) for value in (one.base, one.new))
    lost, gained = one.lost or 0, one.gained or 0
    rest = (one.n - base, one.n - new, base - lost, one.n - base - gained)
    return (one.n, base, new, lost, gained, *rest)


def _hidden(differences: Sequence[Difference], below: int) -> set[int]:
    """Places of the differences to leave out."""
    cells = [counts(d) for d in differences]
    hidden = {at for at, cell in enumerate(cells) if any_small(cell, below)}
    unknown = {at for at, d in enumerate(differences) if d.value is None}
    sums = [*_of_a_place(differences), *_of_an_attribute(differences)]
    before = -1
    while len(hidden) > before:
        before = len(hidden)
        for whole, parts in sums:
            if whole in hidden or len(cells[whole]) == 1:
                continue
            out = {at for at in parts if at in hidden | unknown}
            known = {at: cells[at] for at in parts if len(cells[at]) > 1}
            hidden |= left_out(cells[whole], known, out & known.keys(), below) - unknown
        hidden |= set(_scores(differences, hidden))
    return hidden


def _place(one: Difference, *, group: bool = True) -> str:
    where = sorted(one.group.items()) if group else ()
    return repr((one.stress, one.defence, one.variant, sorted(one.params.items()), where))


def _of_a_place(differences: Sequence[Difference]) -> Iterator[Sum]:
    """Accuracy and its two parts, for the same cases."""
    at_place: dict[str, dict[str, int]] = {}
    for at, d in enumerate(differences):
        at_place.setdefault(_place(d), {})[d.metric] = at
    for known in at_place.values():
        for whole, parts in WHOLE.items():
            if whole in known:
                yield known[whole], [known[name] for name in parts if name in known]


def _of_an_attribute(differences: Sequence[Difference]) -> Iterator[Sum]:
    """Everyone and the groups of one attribute, for one metric."""
    whole: dict[tuple[str, str], int] = {}
    found: dict[tuple[str, str, str], list[int]] = {}
    for at, d in enumerate(differences):
        key = d.metric, _place(d, group=False)
        if not d.group:
            whole[key] = at
        elif len(d.group) == 1:
            (attribute,) = d.group
            found.setdefault((*key, attribute), []).append(at)
    return ((whole[key[:2]], parts) for key, parts in found.items() if key[:2] in whole)


def _scores(differences: Sequence[Difference], hidden: set[int]) -> Iterator[int]:
    """AUROC rests on the same cases as the rates at its place: where they go, it goes."""
    gone = {_place(differences[at]) for at in hidden}
    return (at for at, d in enumerate(differences) if d.metric == RANKED and _place(d) in gone)


def _without(one: Difference, below: int) -> Difference:
    names = ("base", "new", "value", "low", "high", "p", "p_holm", "family", "lost", "gained")
    blank: dict[str, object] = dict.fromkeys((*names, "events", "method"))
    return one.model_copy(update=blank | {"n": 0, "verdict": "too few", "reason": reason(below)})


def _level(level: Level, below: int) -> Level:
    if not any_small((level.cases, level.lost, level.gained), below):
        return level
    return level.model_copy(
        update={"cases": 0, "lost": 0, "gained": 0, "reason": level.reason or reason(below)}
    )


def _audit(side: Audit, below: int) -> Audit:
    calibration = tuple(f for f in side.calibration if not small(f.n, below))
    labels, patients = _labels(side.labels, below), _count(side.patients, below)
    update = {"labels": labels, "patients": patients, "calibration": calibration}
    return side.model_copy(update=update)


def _count(count: int | None, below: int) -> int | None:
    return None if count is None or small(count, below) else count


def _labels(known: Mapping[str, int], below: int) -> dict[str, int]:
    """Without the small ones, and without others until the rest tells none."""
    cells = {name: (n,) for name, n in known.items()}
    few = {name for name, n in known.items() if small(n, below)}
    out = left_out((sum(known.values()),), cells, few, below)
    return {name: n for name, n in known.items() if name not in out}
