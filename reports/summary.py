"""Page one: what a board reads before it signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import Finding, Note
from reports.material import Material
from reports.numbers import amount, full, group_name, interval, metric_name, ratio, setting
from reports.sections import blank_statements
from reports.verdict import Ruling

MOST_MARKS = 7
RULE_OF_WORST = (
    "Rule: the largest falls below the clean overall value in sensitivity or specificity, "
    "one per stress and one for subgroups; faults of the run come first."
)


@dataclass(frozen=True)
class Headline:
    label: str
    value: str
    limits: str
    counts: str


@dataclass(frozen=True)
class Summary:
    headlines: Sequence[Headline]
    worst: Sequence[str]
    rulings: Sequence[Ruling]
    more_rulings: int
    blank: Sequence[str]
    blank_count: int


def summary(material: Material) -> Summary:
    rulings = material.judgement.worst_first()
    blank = blank_statements(material)
    return Summary(
        headlines=[_headline(material, m) for m in ("sensitivity", "specificity")],
        worst=worst_findings(material),
        rulings=rulings[:MOST_MARKS],
        more_rulings=max(0, len(rulings) - MOST_MARKS),
        blank=[row.label for row in blank],
        blank_count=len(blank),
    )


def _headline(material: Material, metric: str) -> Headline:
    f = material.clean(metric)
    label = metric_name(metric).capitalize()
    if f is None or f.value is None:
        reason = f.reason if f and f.reason else "no finding in this run"
        return Headline(label, "not computed", reason, "" if f is None else f"n = {f.n}")
    return Headline(label, amount(metric, f.value), f"95% CI {interval(f)}", ratio(f))


def worst_findings(material: Material, most: int = 3) -> list[str]:
    """The three worst findings as sentences, by the printed rule."""
    faults = [f"Fault: {n.text}" for n in _notes(material) if n.level == "fault"]
    falls = sorted(_falls(material), key=lambda item: (-item[0], item[1]))
    return (faults + [sentence for _, sentence in falls])[:most]


def _notes(material: Material) -> list[Note]:
    results = material.results
    return [*results.notes, *results.model.notes, *results.data.notes]


def _falls(material: Material) -> list[tuple[float, str]]:
    """The largest fall of each stress, and of the subgroups, in points below clean overall."""
    best: dict[str, tuple[float, str]] = {}
    for metric in ("sensitivity", "specificity"):
        clean = material.clean(metric)
        if clean is None or clean.value is None:
            continue
        for f in material.stressed(f"robust_{metric}"):
            if f.value is not None and f.defence == "none":
                _keep(best, f.stress, clean.value - f.value, _sentence(f, clean))
        for group in material.groups():
            found = material.clean(metric, group)
            if found and found.value is not None:
                _keep(best, "subgroups", clean.value - found.value, _sentence(found, clean))
    return [item for item in best.values() if item[0] > 0]


def _keep(best: dict[str, tuple[float, str]], key: str, fall: float, sentence: str) -> None:
    if key not in best or fall > best[key][0]:
        best[key] = (fall, sentence)


def _sentence(f: Finding, clean: Finding) -> str:
    where = f" in {group_name(f.group)}" if f.group else ""
    how = "" if f.stress == "clean" else f" under {setting(f)}"
    was = f"; {amount(clean.metric, clean.value or 0.0)} overall without stress"
    return f"{metric_name(f.metric).capitalize()}{where}{how} was {full(f)}{was}."
