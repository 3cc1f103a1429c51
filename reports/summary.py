"""Page one: what a board reads before it signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose

from audit.results import Finding
from reports.masking import CAVEAT, caveat, masked_defences
from reports.material import Material
from reports.numbers import amount, full, group_name, interval, metric_name, ratio, setting
from reports.sections import blank_statements
from reports.verdict import Ruling

MOST_MARKS = 7
RULE_OF_WORST = (
    "Faults of the run; then the largest fall below the clean overall value in sensitivity "
    "or specificity under attack, under natural change and in a subgroup; then the next largest, "
    "one per stress; then warnings of the run."
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
    caveat: str
    rulings: Sequence[Ruling]
    more_rulings: int
    blank: Sequence[str]
    blank_count: int
    base: str


def summary(material: Material) -> Summary:
    rulings = material.judgement.worst_first()
    blank = blank_statements(material)
    return Summary(
        headlines=[_headline(material, m) for m in ("sensitivity", "specificity")],
        worst=worst_findings(material),
        caveat=caveat(material.results),
        rulings=rulings[:MOST_MARKS],
        more_rulings=max(0, len(rulings) - MOST_MARKS),
        blank=[row.label for row in blank],
        blank_count=len(blank),
        base=base(material),
    )


def _headline(material: Material, metric: str) -> Headline:
    f = material.clean(metric)
    label = metric_name(metric).capitalize()
    if f is None or f.value is None:
        reason = f.reason if f and f.reason else "no finding in this run"
        return Headline(label, "not computed", reason, "" if f is None else f"n = {f.n}")
    return Headline(label, amount(metric, f.value), f"95% CI {interval(f)}", ratio(f))


@dataclass(frozen=True)
class Fall:
    """A fall below the clean overall value: its family, its stress, and the sentence for it."""

    points: float
    family: str
    stress: str
    sentence: str


def worst_findings(material: Material, most: int = 3) -> list[str]:
    """The three worst findings as sentences, by the printed rule."""
    results = material.results
    notes = (*results.notes, *results.model.notes, *results.data.notes)
    faults = [f"Fault: {note.text}" for note in notes if note.level == "fault"]
    falls = sorted(_falls(material), key=lambda fall: (-fall.points, fall.sentence))
    first: dict[str, Fall] = {}
    rest: dict[str, Fall] = {}
    for fall in falls:
        if fall.family not in first:
            first[fall.family] = fall
        elif fall.stress not in {f.stress for f in (*first.values(), *rest.values())}:
            rest[fall.stress] = fall
    chosen = [*first.values(), *rest.values()][: max(0, most - len(faults))]
    chosen.sort(key=lambda fall: -fall.points)
    warnings = [f"Warning: {note.text}" for note in notes if note.level == "warning"]
    return (faults + [fall.sentence for fall in chosen] + warnings)[:most]


def _falls(material: Material) -> Iterator[Fall]:
    for metric in ("sensitivity", "specificity"):
        clean = material.clean(metric)
        if clean is None or clean.value is None:
            continue
        below = [f for f in material.stressed(f"robust_{metric}") if f.defence == "none"]
        groups = [material.clean(metric, group) for group in material.groups()]
        for f in (*below, *groups):
            if f is not None and f.value is not None and f.value < clean.value:
                family = "subgroup" if f.group else material.kind_of(f.stress)
                yield Fall(clean.value - f.value, family, f.stress, _sentence(material, f, clean))


def base(material: Material) -> str:
    """What the numbers rest on: "FracAtlas val, patients not identified, 400 images, dates …"."""
    data = material.results.data
    people = "patients not identified" if data.patients is None else f"{data.patients} patients"
    dates = material.card.get("data.dates")
    when = f"dates {dates}" if dates else "dates not supplied"
    return f"{data.name[:44]}, {people}, {material.images_examined}, {when[:40]}"


def _verdict(material: Material, f: Finding) -> str:
    """The rule that judged this very number, or that none did.

    By metric, stress and value: a rule about the gap between groups observed another number.
    """
    for ruling in material.judgement.worst_first():
        same = ruling.metric == f.metric and ruling.where.get("stress", "clean") == f.stress
        known = same and ruling.observed is not None and f.value is not None
        if known and isclose(ruling.observed or 0.0, f.value or 0.0, abs_tol=1e-9):
            return f"rule {ruling.id[:16]}, {ruling.word}"
    return "no rule judged this number"


def _sentence(material: Material, f: Finding, clean: Finding) -> str:
    where = f" in {group_name(f.group)[:50]}" if f.group else ""
    how = "" if f.stress == "clean" else f" under {setting(f)}"
    was = f"; {amount(clean.metric, clean.value or 0.0)} overall without stress"
    told = f"{metric_name(f.metric).capitalize()}{where}{how} was {full(f)}{was}"
    attacked = f.stress != "clean" and material.kind_of(f.stress) == "attack"
    masked = attacked and f.defence in masked_defences(material.results)
    return f"{told}{f'; {CAVEAT}' if masked else ''}; {_verdict(material, f)}."
