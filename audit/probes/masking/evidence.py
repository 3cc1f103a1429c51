"""Signs of masked gradients in the table of predictions: attacks that disagree with each other.

An attack that knows more must not miss what one that knows less finds. Sources: Athalye et al.
2018, arXiv:1802.00420, section 3.1; Carlini et al. 2019, arXiv:1902.06705, section 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.evidence import Predictions, RunEvidence
from audit.findings.levels import views
from audit.findings.view import Bools, Ints, View
from audit.probes.masking.flags import Flag, enough, under
from audit.results import UNDEFENDED, as_levels
from audit.stresses.registry import get_stress


@dataclass(frozen=True)
class Level:
    """One attack at one ε in L∞: the cases it attacked and which of them it fooled.

    `source`: "" when made on the classifier that was attacked, else where it was made.
    """

    stress: str
    defence: str
    source: str
    epsilon: float
    gradients: bool
    iterative: bool
    cases: Ints
    fooled: Bools

    @property
    def own_gradients(self) -> bool:
        return self.gradients and not self.source

    @property
    def white_box(self) -> bool:
        """Follows the gradient of what it attacks, step by step: the strongest kind."""
        return self.own_gradients and self.iterative

    def __str__(self) -> str:
        made = {"": "", UNDEFENDED: ", made without the defence,"}
        where = made.get(self.source, f", made on {self.source},")
        return f"{self.stress} at {as_levels(self.epsilon)}{where}"


def levels(predictions: Predictions) -> list[Level]:
    """Every finished attack in L∞ that was carried out in full at each of its ε."""
    return [
        level
        for evidence in predictions.runs
        if evidence.run.kind == "attack" and evidence.run.norm == "linf"
        if "epsilons" in get_stress(evidence.run.stress).defaults
        for level in _levels_of(predictions, evidence)
    ]


def _levels_of(predictions: Predictions, evidence: RunEvidence) -> Iterator[Level]:
    run = evidence.run
    stress = get_stress(run.stress)
    for view in views(predictions, evidence):
        epsilon = view.label.params.get("epsilon")
        if not isinstance(view, View) or view.fooled is None or view.share is not None:
            continue
        if stress.variants == "level" and isinstance(epsilon, float):
            yield Level(
                stress=run.stress,
                defence=run.defence,
                source=str(getattr(run, "surrogate", "")),
                epsilon=epsilon,
                gradients=stress.needs_gradients,
                iterative="steps" in stress.defaults,
                cases=view.cases[view.clean_correct],
                fooled=view.fooled[view.clean_correct],
            )


def attacked_defences(predictions: Predictions) -> list[str]:
    """Defences (and "none") under which some attack was finished, in the order of the runs."""
    done = [e.run for e in predictions.runs if e.run.kind == "attack" and e.run.state == "done"]
    return list(dict.fromkeys(run.defence for run in done))


def signs(predictions: Predictions) -> Iterator[Flag]:
    """Every sign the table shows, under every defence that was attacked."""
    everything = levels(predictions)
    for defence in attacked_defences(predictions):
        here = [level for level in everything if level.defence == defence]
        yield from _blind(predictions, defence)
        yield from _outdone(here)
        yield from _rising(here)


def compared(predictions: Predictions) -> dict[str, list[str]]:
    """Defence -> which attacks were held against a stronger one there."""
    found: dict[str, list[str]] = {}
    everything = levels(predictions)
    for defence in attacked_defences(predictions):
        here = [level for level in everything if level.defence == defence]
        names = [str(weak) for weak in here if _stronger(weak, here)]
        found[defence] = list(dict.fromkeys(names))
    return found


def _blind(predictions: Predictions, defence: str) -> Iterator[Flag]:
    """What an attack said of its own gradient: zero everywhere."""
    for evidence in predictions.runs:
        run = evidence.run
        if run.kind != "attack" or run.defence != defence or run.state != "done":
            continue
        marked = [bool(found.get("zero_gradient")) for found in evidence.rows.found]
        cases = evidence.rows.case
        blind = len(np.unique(cases[np.array(marked, dtype=bool)])) if any(marked) else 0
        attacked = len(np.unique(cases))
        if enough(blind, attacked):
            yield Flag(
                "masking-zero-gradient", defence, blind, attacked,
                f"The gradient is exactly zero everywhere for {blind} of {attacked} images that "
                f"{run.stress} attacked {under(defence)}: it could not even begin there.",
            )  # fmt: skip


def _outdone(here: Sequence[Level]) -> Iterator[Flag]:
    """Of each weaker attack the level at which most cases were found by it alone."""
    worst: dict[tuple[str, str], Flag] = {}
    for weak in here:
        strong = _stronger(weak, here)
        count, common = missed(weak, strong)
        key = (weak.stress, weak.source)
        if enough(count, common) and (key not in worst or count > worst[key].count):
            worst[key] = _outdone_by(weak, strong, count, common)
    yield from worst.values()


def _outdone_by(weak: Level, strong: Sequence[Level], count: int, common: int) -> Flag:
    names = " and ".join(f"{level.stress} at {as_levels(level.epsilon)}" for level in strong)
    if weak.source:
        code, why = "masking-transfer", "though it was made on another model"
    elif weak.gradients:
        code, why = "masking-single-step", "though it takes a single step"
    else:
        code, why = "masking-black-box", "though it sees scores only and no gradient"
    text = (
        f"{weak} fooled {count} of {common} cases {under(weak.defence)} that {names}, through the "
        f"gradient of the very model, did not, {why}."
    )
    return Flag(code, weak.defence, count, common, text)


def _stronger(weak: Level, here: Sequence[Level]) -> list[Level]:
    """What knows more than `weak`: iterative white-box attacks on the same classifier, and for a
    transferred one the same attack made there; each at the smallest ε that is not smaller."""
    if weak.white_box:
        return []
    best: dict[str, Level] = {}
    for level in here:
        knows = level.white_box or (
            bool(weak.source) and level.own_gradients and level.stress == weak.stress
        )
        if not knows or level.epsilon < weak.epsilon * (1 - 1e-9):
            continue
        if level.stress not in best or level.epsilon < best[level.stress].epsilon:
            best[level.stress] = level
        elif level.epsilon == best[level.stress].epsilon:  # a second run, on other cases
            best[level.stress] = _joined(best[level.stress], level)
    return list(best.values())


def _joined(one: Level, two: Level) -> Level:
    cases = np.union1d(one.cases, two.cases)
    found = np.concatenate([one.cases[one.fooled], two.cases[two.fooled]])
    return replace(one, cases=cases, fooled=np.isin(cases, found))


def missed(weak: Level, strong: Iterable[Level]) -> tuple[int, int]:
    """(cases that only `weak` fooled, cases that it and at least one of `strong` attacked)."""
    strong = list(strong)
    if not strong:
        return 0, 0
    examined = np.concatenate([level.cases for level in strong])
    fooled = np.concatenate([level.cases[level.fooled] for level in strong])
    common = np.isin(weak.cases, examined)
    alone = common & weak.fooled & ~np.isin(weak.cases, fooled)
    return int(alone.sum()), int(common.sum())


def _rising(here: Sequence[Level]) -> Iterator[Flag]:
    """An iterative attack that fools fewer cases with a larger ε, on the same cases."""
    for stress in dict.fromkeys(level.stress for level in here if level.white_box):
        rows = sorted(
            (level for level in here if level.stress == stress and level.white_box),
            key=lambda level: level.epsilon,
        )
        worst: Flag | None = None
        for place, small in enumerate(rows):
            for large in rows[place + 1 :]:
                lost, of = _lost(small, large)
                if enough(lost, of) and (worst is None or lost > worst.count):
                    worst = _risen(small, large, lost, of)
        if worst is not None:
            yield worst


def _lost(small: Level, large: Level) -> tuple[int, int]:
    """(by how many cases fewer the larger ε fools, cases common to both)."""
    common = np.intersect1d(small.cases, large.cases)
    fewer, more = (np.isin(common, one.cases[one.fooled]).sum() for one in (small, large))
    return int(fewer) - int(more), len(common)


def _risen(small: Level, large: Level, lost: int, of: int) -> Flag:
    text = (
        f"{small.stress} fooled {lost} fewer of {of} cases {under(small.defence)} at "
        f"{as_levels(large.epsilon)} than at {as_levels(small.epsilon)}: every alteration of the "
        "smaller size is allowed at the larger one."
    )
    return Flag("masking-not-monotone", small.defence, lost, of, text)
