"""What a defence changed: each setting with and without it, on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.results import Finding
from reports.material import Material
from reports.referral import only_refers

AGAINST_NONE = "defence=none"
COST = ("sensitivity", "specificity")
UNDER_ATTACK = ("robust_sensitivity", "robust_accuracy")
SEARCHING = "stop_early"  # differs between an attack and its images shown to another model


@dataclass(frozen=True)
class Pair:
    """A rate with a defence, and its paired difference from the same without it."""

    after: Finding
    change: Finding

    @property
    def before(self) -> float | None:
        """The share without the defence on the very same cases; None where they differ."""
        if self.after.value is None or self.change.value is None or self.after.n != self.change.n:
            return None
        return min(1.0, max(0.0, self.after.value - self.change.value))


@dataclass(frozen=True)
class Setting:
    """A stress at a level and what is counted under it; `pairs` by defence."""

    example: Finding
    pairs: Mapping[str, Pair]

    @property
    def metric(self) -> str:
        return self.example.metric


def defended(material: Material) -> list[str]:
    """Defences that change decisions, in the order of the audit."""
    found = dict.fromkeys(f.defence for f in material.results.findings if f.defence != "none")
    return [name for name in found if not only_refers(material, name)]


def settings(material: Material, defences: Sequence[str]) -> list[Setting]:
    """The cost without stress, then every attack: robust sensitivity, or accuracy where the
    samples hold too few positives. What no defence has a value for is left out."""
    table = _by_setting(material, defences)
    cost = [s for s in table if s.example.stress == "clean" and s.metric in COST]
    attacked = [s for s in table if s.example.stress != "clean"]
    chosen: dict[str, Setting] = {}
    for metric in UNDER_ATTACK:
        for s in attacked:
            if s.metric == metric and s.pairs:
                chosen.setdefault(_where(s.example), s)
    places = dict.fromkeys(_where(s.example) for s in attacked)
    return [*(s for s in cost if s.pairs), *(chosen[place] for place in places if place in chosen)]


def _by_setting(material: Material, defences: Sequence[str]) -> list[Setting]:
    rates: dict[tuple[str, str, str], Finding] = {}
    changes: dict[tuple[str, str, str], Finding] = {}
    for f in material.results.findings:
        if f.defence in defences and not f.group and _counted(f):
            if f.contrast is None:
                rates[f.metric, _where(f), f.defence] = f
            elif f.contrast == AGAINST_NONE and f.value is not None:
                changes[f.metric, _where(f), f.defence] = f
    found: dict[tuple[str, str], dict[str, Pair]] = {}
    examples: dict[tuple[str, str], Finding] = {}
    for (metric, where, defence), after in rates.items():
        change = changes.get((metric, where, defence))
        examples.setdefault((metric, where), after)
        pairs = found.setdefault((metric, where), {})
        if change is not None and after.value is not None:
            pairs[defence] = Pair(after, change)
    return [Setting(examples[key], pairs) for key, pairs in found.items()]


def _counted(f: Finding) -> bool:
    """The worst case over attacks is left out: each defence met other attacks."""
    wanted = COST if f.stress == "clean" else UNDER_ATTACK
    return f.metric in wanted and f.stress != "worst_case"


def _where(f: Finding) -> str:
    params = {name: value for name, value in f.params.items() if name != SEARCHING}
    return repr((f.stress, f.variant, sorted(params.items())))
