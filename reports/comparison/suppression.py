"""Small counts left out of a comparison, with what rests on them or would give them away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from audit.compare.results import Audit, Comparison, Difference, Level
from audit.results import Note

ADDED = {"accuracy": ("sensitivity", "specificity")}  # the first counts what the others do
ADDED |= {f"robust_{m}": tuple(f"robust_{p}" for p in parts) for m, parts in list(ADDED.items())}
RANKED = "auroc"
CODE = "small-counts"
_NUMBER = re.compile(r"\d+")


def suppressed_comparison(found: Comparison, below: int) -> Comparison:
    """The comparison with every count of images or patients from 1 to below `below` left out.

    A difference goes where its denominator, either numerator, either rest, or what was lost or
    gained is such a count: all of these follow from what is printed. So do a hidden part of
    accuracy, and a hidden group of an attribute, unless a second one is hidden too. Case ids go
    altogether, as a list is a count. How many cases an audit has, and how many of them stand on
    one side only, stays: it tells of no group and no outcome.
    """
    if below < 2:
        return found
    hidden = _hidden(found.differences, below)
    return found.model_copy(
        update={
            "base": _audit(found.base, below),
            "new": _audit(found.new, below),
            "pairs": found.pairs.model_copy(
                update={
                    "labels": _counts(found.pairs.labels, below),
                    "patients": _count(found.pairs.patients, below),
                }
            ),
            "differences": tuple(
                _left_out(d, below) if at in hidden else d for at, d in enumerate(found.differences)
            ),
            "levels": tuple(_level(level, below) for level in found.levels),
            "flips": (),
            "notes": (*(note for note in found.notes if not _told(note, below)), _said(below)),
        }
    )


def suppressed_below(found: Comparison) -> int:
    """Below which number a comparison's counts were left out; 0 where none was."""
    said = next((note.text for note in found.notes if note.code == CODE), "")
    numbers = list(_numbers(said))
    return int(numbers[-1]) if numbers else 0


def _said(below: int) -> Note:
    return Note(code=CODE, level="info", text=f"Counts from 1 to below {below} are left out.")


def left_out(below: int) -> str:
    return f"counts left out: fewer than {below}"


def small(count: int | None, below: int) -> bool:
    """Whether a count may not be printed.

    >>> small(0, 5), small(4, 5), small(5, 5)
    (False, True, False)
    """
    return count is not None and 1 <= count < below


def _hidden(differences: Sequence[Difference], below: int) -> set[int]:
    """Places of the differences to leave out, until none that is hidden can be worked out."""
    hidden = {at for at, d in enumerate(differences) if any(small(n, below) for n in counts(d))}
    sums = [*_sums(differences), *_partitions(differences)]
    ranked = _ranked(differences)
    while True:
        more: set[int] = set()
        for members in sums:
            known = hidden.intersection(members)
            if len(known) == 1:
                open_ones = [at for at in members if at not in hidden]
                more.add(min(open_ones, key=lambda at: (differences[at].n, at)))
        more |= {at for at, parts in ranked.items() if hidden.intersection(parts)} - hidden
        if not more:
            return hidden
        hidden |= more


def counts(one: Difference) -> list[int]:
    """Every count that a printed difference tells, or lets be worked out."""
    if one.metric == RANKED or one.base is None or one.new is None:
        return [one.n]
    right = [round(value * one.n) for value in (one.base, one.new)]
    parts = [one.n, *right, *(one.n - n for n in right), one.lost or 0, one.gained or 0]
    # wrong in both, right in both: they follow from the above
    return [*parts, right[0] - (one.lost or 0), one.n - right[0] - (one.gained or 0)]


def _place(one: Difference, *, group: bool = True) -> str:
    params = sorted(one.params.items())
    where = sorted(one.group.items()) if group else ()
    return repr((one.stress, one.defence, one.variant, params, where))


def _sums(differences: Sequence[Difference]) -> list[list[int]]:
    """Accuracy and its two parts at one place: any two of them give the third."""
    at_place: dict[str, dict[str, int]] = {}
    for at, d in enumerate(differences):
        at_place.setdefault(_place(d), {})[d.metric] = at
    return [
        [known[name] for name in (whole, *parts)]
        for known in at_place.values()
        for whole, parts in ADDED.items()
        if all(name in known for name in (whole, *parts))
    ]


def _partitions(differences: Sequence[Difference]) -> list[list[int]]:
    """Everyone and the groups of one attribute, for one metric at one place: they add up."""
    whole: dict[tuple[str, str], int] = {}
    found: dict[tuple[str, str, str], list[int]] = {}
    for at, d in enumerate(differences):
        key = d.metric, _place(d, group=False)
        if not d.group:
            whole[key] = at
        elif len(d.group) == 1:
            found.setdefault((*key, *d.group), []).append(at)
    everyone = {key: [whole[key[:2]]] if key[:2] in whole else [] for key in found}
    return [members + everyone[key] for key, members in found.items()]


def _ranked(differences: Sequence[Difference]) -> Mapping[int, list[int]]:
    """AUROC rests on the same cases as the rates at its place: where they go, it goes."""
    rates: dict[str, list[int]] = {}
    for at, d in enumerate(differences):
        if d.metric != RANKED:
            rates.setdefault(_place(d), []).append(at)
    ranked = (at for at, d in enumerate(differences) if d.metric == RANKED)
    return {at: rates.get(_place(differences[at]), []) for at in ranked}


def _left_out(one: Difference, below: int) -> Difference:
    blank = ("base", "new", "value", "low", "high", "p", "p_holm", "lost", "gained", "events")
    update: dict[str, object] = dict.fromkeys(blank)
    return one.model_copy(
        update={**update, "n": 0, "verdict": "too few", "reason": left_out(below), "family": None}
    )


def _level(level: Level, below: int) -> Level:
    if not (small(level.lost, below) or small(level.gained, below) or small(level.cases, below)):
        return level
    return level.model_copy(update={"cases": 0, "lost": 0, "gained": 0, "reason": left_out(below)})


def _audit(side: Audit, below: int) -> Audit:
    return side.model_copy(
        update={
            "labels": _counts(side.labels, below),
            "patients": _count(side.patients, below),
            "calibration": tuple(f for f in side.calibration if not small(f.n, below)),
        }
    )


def _count(count: int | None, below: int) -> int | None:
    return None if small(count, below) else count


def _counts(known: Mapping[str, int], below: int) -> dict[str, int]:
    """Without the small ones; where one alone goes, the next smallest goes with it."""
    kept = {name: n for name, n in known.items() if not small(n, below)}
    if len(known) - len(kept) == 1 and kept:
        kept.pop(min(kept, key=lambda name: (kept[name], name)))
    return kept


def _told(note: Note, below: int) -> bool:
    """Whether a note names a small count."""
    return any(small(int(n), below) for n in _numbers(note.text))


def _numbers(text: str) -> Iterable[str]:
    return (found for found in _NUMBER.findall(text) if len(found) < 10)
