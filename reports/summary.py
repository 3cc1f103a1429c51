"""Page one: what a board reads before it signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose

from audit.results import Finding
from reports.language import N_, _, ngettext, recorded
from reports.masking import CAVEAT, caveat, masked_defences
from reports.material import Material
from reports.numbers import (
    amount,
    full,
    group_name,
    interval,
    metric_name,
    ratio,
    sentence,
    setting,
)
from reports.outline import Row, Section
from reports.rulings import in_short
from reports.sections import blanks
from reports.suppression import suppressed_below
from reports.threshold_file import threshold_file
from reports.verdict import Ruling

MOST_MARKS = 7
MOST_NAMES = 400  # characters of blank fields named one by one; more are counted per section
RULE_OF_WORST = N_(
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
class Blank:
    """A section with human statements that nobody made: their names, or how many."""

    section: Section
    told: str


@dataclass(frozen=True)
class Summary:
    headlines: Sequence[Headline]
    examined: str
    worst: Sequence[str]
    left_out: bool
    caveat: str
    rulings: Sequence[tuple[Ruling, str]]
    more_rulings: int
    threshold_file: str
    blank: Sequence[Blank]
    blank_count: int
    base: str


def summary(material: Material) -> Summary:
    rulings = material.judgement.worst_first()
    blank = blanks(material)
    return Summary(
        headlines=[_headline(material, m) for m in ("sensitivity", "specificity")],
        examined=examined(material),
        worst=worst_findings(material),
        left_out=suppressed_below(material.results) is not None,
        caveat=caveat(material.results),
        rulings=[(ruling, in_short(ruling)) for ruling in rulings[:MOST_MARKS]],
        more_rulings=max(0, len(rulings) - MOST_MARKS),
        threshold_file=threshold_file(material),
        blank=_told(blank),
        blank_count=sum(len(rows) for _section, rows in blank),
        base=base(material),
    )


def _headline(material: Material, metric: str) -> Headline:
    f = material.clean(metric)
    label = _("{metric} at the deployed threshold").format(metric=sentence(metric_name(metric)))
    if f is None or f.value is None:
        reason = recorded(f.reason) if f and f.reason else _("no finding in this run")
        return Headline(label, "", reason, "" if f is None else ratio(f))
    limits = _("95% CI {interval}").format(interval=interval(f))
    return Headline(label, amount(metric, f.value), limits, ratio(f))


def people(material: Material) -> str:
    n = material.results.data.patients
    if n is None:
        return _("patients not identified")
    return ngettext("{n} patient", "{n} patients", n).format(n=n)


def examined(material: Material) -> str:
    """Patients, images and events: "patients not identified · 400 images · 61 labelled fractured".

    Events are the positives that sensitivity was counted over.
    """
    parts = [people(material), material.images_examined]
    positives = material.clean("sensitivity")
    if positives is not None:
        name = material.results.model.positive_class[:40]
        parts.append(_("{n} labelled {label}").format(n=positives.n, label=name))
    if material.independent:
        parts.append(_("images treated as independent"))
    return " · ".join(parts)


def _told(blank: Sequence[tuple[Section, Sequence[Row]]]) -> list[Blank]:
    """Names where they fit on page one; each blank field prints NOT SUPPLIED in its section."""
    named = [Blank(s, ", ".join(_(row.label) for row in rows)) for s, rows in blank]
    if sum(len(one.told) for one in named) <= MOST_NAMES:
        return named
    totals = {s.id: sum(row.source == "H" for row in s.rows) for s, _rows in blank}
    return [Blank(s, f"{len(rows)}/{totals[s.id]}") for s, rows in blank]


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
    faults = [_("Fault: {text}").format(text=recorded(n.text)) for n in notes if n.level == "fault"]
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
    warnings = [
        _("Warning: {text}").format(text=recorded(n.text)) for n in notes if n.level == "warning"
    ]
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
    dates = material.card.get("data.dates")
    when = _("dates {dates}").format(dates=dates) if dates else _("dates not supplied")
    name = material.results.data.name[:44]
    return ", ".join([name, people(material), material.images_examined, when[:40]])


def _verdict(material: Material, f: Finding) -> str:
    """The rule that judged this very number, or that none did.

    By metric, stress and value: a rule about the gap between groups observed another number.
    """
    for ruling in material.judgement.worst_first():
        same = ruling.metric == f.metric and ruling.where.get("stress", "clean") == f.stress
        known = same and ruling.observed is not None and f.value is not None
        if known and isclose(ruling.observed or 0.0, f.value or 0.0, abs_tol=1e-9):
            return _("rule {id}, {verdict}").format(id=ruling.id[:16], verdict=ruling.word)
    return _("no rule judged this number")


def _sentence(material: Material, f: Finding, clean: Finding) -> str:
    where = _("in {group}").format(group=group_name(f.group)[:50]) if f.group else ""
    how = "" if f.stress == "clean" else _("under {stress}").format(stress=setting(f))
    subject = " ".join(part for part in (sentence(metric_name(f.metric)), where, how) if part)
    attacked = f.stress != "clean" and material.kind_of(f.stress) == "attack"
    masked = attacked and f.defence in masked_defences(material.results)
    parts = [
        _("{subject} was {value}").format(subject=subject, value=full(f)),
        _("{value} overall without stress").format(value=amount(clean.metric, clean.value or 0.0)),
        *([_(CAVEAT)] if masked else []),
        _verdict(material, f),
    ]
    return "; ".join(parts) + "."
