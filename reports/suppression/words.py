"""Texts, lists and pictures' captions that name a small count."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from audit.results import Artefact, Note, PlannedRun
from reports.suppression.counts import any_small, small
from reports.suppression.mark import reason

# A whole number that counts something: no part of a decimal, a percentage, a level or a name.
_COUNT = re.compile(r"(?<!number )(?<![\w.,/^#=<>≤≥−–-])\d+(?![\w%–]|[.,]\d|/255|-bit)")
_PAIR = re.compile(r"(?<![\w.,/])(\d+)(?:/| of (?:the )?)(\d+)(?![\w.,%]\d)")
_CASE = re.compile(r"[0-9a-f]{16}(?:-\d+)?")
# Notes about the method, whose numbers count nobody.
METHOD = {
    *("quality-limits", "shortcut-reading", "gradcam.reading", "masking-none", "columns"),
    "tta.views",
}
# What a probe says of itself, in numbers that count nobody.
SETTINGS = {
    *("rule", "seed", "layer", "control", "target", "marker_rule", "limits", "cutoff", "bins"),
    *("compared", "not_tried", "confidence", "schema_version", "queries", "steps", "trained_on"),
}


def tells_few(text: str, below: int, hidden: Collection[int] = ()) -> bool:
    """Whether a text names a count below `below`, a share that lacks so few, or a hidden count.

    >>> tells_few("3 of 61 were missed", 5), tells_few("58 of 61 were found", 5)
    (True, True)
    >>> tells_few("AUROC .741 (95% CI .674–.798), ε = 2/255", 5)
    False
    """
    pairs = [(int(k), int(n)) for k, n in _PAIR.findall(text) if n != "255"]
    if any(small(n - k, below) or small(k, below) or small(n, below) for k, n in pairs):
        return True
    found = [int(number) for number in _COUNT.findall(text)]
    return any(small(number, below) or number in hidden for number in found)


def told_without(text: str, below: int, hidden: Collection[int] = ()) -> str:
    return reason(below) if tells_few(text, below, hidden) else text


def notes_without(
    notes: Iterable[Note], below: int, hidden: Collection[int] = (), names: Collection[str] = ()
) -> tuple[Note, ...]:
    """Each note with its code and level; one that tells too much loses its text.

    `names`: words with numbers that count nobody, such as the attribute and value "hardware 1".
    """
    told = []
    for note in notes:
        plain = note.text
        for name in names:
            plain = plain.replace(name, "")
        few = note.code not in METHOD and tells_few(plain, below, hidden)
        told.append(note.model_copy(update={"text": reason(below)}) if few else note)
    return tuple(told)


def runs_without(runs: Iterable[PlannedRun], below: int) -> tuple[PlannedRun, ...]:
    return tuple(
        run.model_copy(update={"reason": told_without(run.reason, below)}) if run.reason else run
        for run in runs
    )


def artefact_without(artefact: Artefact, below: int) -> Artefact:
    """The picture, named by its kind alone where its words count few."""
    kind = artefact.kind.replace("_", " ")
    plain = {"title": kind, "alt": kind, "caption": ""}
    told = {name: plain[name] for name in plain if tells_few(getattr(artefact, name), below)}
    return artefact.model_copy(update=told) if told else artefact


def details_without(details: Mapping[str, Any], below: int, cases: int) -> dict[str, Any]:
    """What a probe kept beside its findings, but for entries with a small count or few cases, or
    with all of the `cases` but few."""
    return {
        name: value
        for name, value in details.items()
        if name in SETTINGS or not _holds_few(value, below, cases)
    }


def _holds_few(value: Any, below: int, cases: int) -> bool:
    if isinstance(value, bool | float) or value is None:
        return False
    if isinstance(value, int):
        return small(value, below) or small(cases - value, below)
    if isinstance(value, str):
        return tells_few(value, below)
    if isinstance(value, Mapping):
        inside = [inner for name, inner in value.items() if name not in SETTINGS]
        nested = _in_falling_steps(inside)
        steps = [a - b for a, b in pairwise(nested)]
        return any_small(tuple(steps), below) or any(
            _holds_few(inner, below, cases) for inner in inside
        )
    few = small(len(value), below) and any(map(_of_case, value))
    return few or any(_holds_few(inner, below, cases) for inner in value)


def _in_falling_steps(values: Sequence[Any]) -> list[int]:
    """Counts of which each holds the next, as above rising cut-offs; empty for anything else."""
    counts = [n for n in values if isinstance(n, int) and not isinstance(n, bool)]
    falling = len(counts) == len(values) > 2 and counts == sorted(counts, reverse=True)
    return counts if falling else []


def _of_case(entry: Any) -> bool:
    """Whether an entry of a list stands for a case: an id, a pair of ids, what is said of one."""
    if isinstance(entry, str):
        return bool(_CASE.fullmatch(entry))
    if isinstance(entry, Mapping):
        return "case" in entry
    return isinstance(entry, list | tuple) and any(map(_of_case, entry))
