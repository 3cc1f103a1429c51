"""The cases that one audit has right and the other wrong, the surest mistakes first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from audit.compare.differences import Twice
from audit.compare.pair import Pair
from audit.compare.results import Flip
from audit.findings.handled import ONLY_REFER
from audit.findings.view import Bools, View

Change = Literal["lost", "gained"]


def changed(level: Twice) -> tuple[Bools, Bools]:
    """(n,) right in BASE and wrong in NEW; (n,) the reverse."""
    base, new = right(level.base), right(level.new)
    return base & ~new, new & ~base


def right(view: View) -> Bools:
    """(n,) decided correctly; under a stress, without it and under it."""
    return view.correct if view.label.kind == "clean" else view.kept


def flips(pair: Pair, level: Twice, number: int) -> Iterator[Flip]:
    """Every flip of the level called `number`: what was lost first.

    None of a defence that changes no decision: they are those without it.
    """
    if level.new.label.defence in ONLY_REFER:
        return
    lost, gained = changed(level)
    yield from _listed(pair, level, number, lost, "lost")
    yield from _listed(pair, level, number, gained, "gained")


def _listed(pair: Pair, level: Twice, number: int, cases: Bools, change: Change) -> Iterator[Flip]:
    """In the order of how sure the audit that is wrong was of it, then of case id."""
    wrong = level.new if change == "lost" else level.base
    at = np.flatnonzero(cases)
    subjects = pair.frame.predictions.subjects
    for place in at[np.lexsort((level.new.cases[at], -_sure(wrong)[at]))].tolist():
        subject = subjects[int(level.new.cases[place])]
        yield Flip(
            level=number,
            case=subject.id,
            change=change,
            label=pair.frame.predictions.classes[subject.target],
            base=_log_odds(level.base, place),
            new=_log_odds(level.new, place),
            group={n: subject.attributes[n] for n in pair.attributes if n in subject.attributes},
        )


def _sure(view: View) -> npt.NDArray[np.float64]:
    """(n,) distance from the even decision; a case without finite output comes first."""
    return np.asarray(np.abs(view.score))


def _log_odds(view: View, place: int) -> float | None:
    """None where the output was not finite, or where several attacks were put together."""
    score = float(view.score[place])
    return None if view.kept_only or not math.isfinite(score) else score
