"""Page one of a comparison: which two models, on which cases, and what became worse or better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from audit.compare.results import Audit, Difference
from reports.blocks import Cell
from reports.card import Card
from reports.comparison.material import ComparisonMaterial
from reports.comparison.panels.audits import decides_by, patients, weights
from reports.comparison.words import (
    answer,
    change_cell,
    half_width,
    holm_text,
    metric_cell,
    none_found,
    told,
)
from reports.language import N_, _, ngettext, recorded
from reports.numbers import metric_name, sentence
from reports.p_values import p_text
from reports.rulings import in_short
from reports.verdict import Ruling
from reports.wording import NOT_SUPPLIED

HEADLINES = ("sensitivity", "specificity", "auroc")
MOST_TOLD = 3  # regressions, and as many gains
MOST_MARKS = 4
MOST_NOTES = 2
ROOM = 24  # lines of page one for whatever can grow
LINE, HALF = 95, 42  # characters in one, and in one of a column of the two models
ORDER = N_(
    "Named: what holds after Holm's adjustment; without stress for everyone first, then in "
    "groups, then under stress; the largest first."
)


@dataclass(frozen=True)
class Fact:
    """One row of the table of both models; `source` is A or H."""

    name: str
    source: str
    base: str
    new: str
    mono: bool = False


@dataclass(frozen=True)
class Summary:
    facts: Sequence[Fact]
    paired: str
    columns: Sequence[str]
    headlines: Sequence[Sequence[str | Cell]]
    worse: Sequence[str]
    worse_title: str
    better: Sequence[str]
    better_title: str
    order: str
    rulings: Sequence[tuple[Ruling, str]]
    more_rulings: int
    notes: Sequence[str]


def summary(material: ComparisonMaterial) -> Summary:
    worse, better = material.shown("worse"), material.shown("better")
    rulings = material.judgement.worst_first()
    warnings = [n for n in material.found.notes if n.level in ("warning", "fault")]
    notes = [recorded(note.text) for note in warnings[:MOST_NOTES]]
    facts, paired = _facts(material), _paired(material)
    room = ROOM - min(len(rulings), MOST_MARKS + 1) - 2 * len(notes) - _lines(paired)
    room -= sum(max(_lines(told, HALF) for told in (f.base, f.new)) for f in facts if not f.mono)
    losses = fitting([told(material, d) for d in worse[:MOST_TOLD]], room - 3)
    room -= sum(map(_lines, losses))
    gains = fitting([told(material, d) for d in better[:MOST_TOLD]], room)
    columns = [
        "",
        _("Base"),
        _("New"),
        _("Difference"),
        _("p · Holm"),
        _("Could show"),
        _("In words"),
    ]
    return Summary(
        facts=facts,
        paired=paired,
        columns=columns,
        headlines=[_headline(material, metric) for metric in HEADLINES],
        worse=losses or _nothing(material),
        worse_title=_counted(_("Regressions shown: {n}"), len(worse), len(losses)),
        better=gains,
        better_title=_counted(_("Gains shown: {n}"), len(better), len(gains)),
        order=_order(material),
        rulings=[(ruling, in_short(ruling)) for ruling in rulings[:MOST_MARKS]],
        more_rulings=max(0, len(rulings) - MOST_MARKS),
        notes=notes,
    )


def fitting(sentences: Sequence[str], lines: int) -> list[str]:
    """The first sentences that `lines` have room for, and the very first in any case.

    >>> fitting(["a" * 200, "b" * 90, "c"], 4)[-1][:1]
    'b'
    """
    kept: list[str] = []
    for text in sentences:
        lines -= _lines(text)
        if kept and lines < 0:
            break
        kept.append(text)
    return kept


def _lines(text: str, width: int = LINE) -> int:
    """How many the text takes; the style sheet cuts off after three."""
    return min(3, math.ceil(len(text) / width))


def _counted(words: str, n: int, named: int) -> str:
    """ "Regressions shown: 7 (the first 3 are named)"."""
    title = words.format(n=n)
    if n <= named:
        return title
    words = ngettext("{title} ({n} is named)", "{title} (the first {n} are named)", named)
    return words.format(title=title, n=named)


def _nothing(material: ComparisonMaterial) -> list[str]:
    """Where no regression is shown: what that rests on, never that all is well."""
    known = [d for d in (material.clean(m) for m in HEADLINES[:2]) if d is not None]
    unclear = [d for d in known if d.verdict in ("no difference shown", "too few")]
    return [none_found(d) for d in unclear]


def _order(material: ComparisonMaterial) -> str:
    tested = len(material.tested)
    alone = sum(d.verdict == "worse" and not d.shown for d in material.tested)
    words = ngettext(
        "{n} difference tested; {alone} more worse by its own interval alone.",
        "{n} differences tested; {alone} more are worse by their own interval alone.",
        tested,
    )
    return f"{_(ORDER)} {words.format(n=tested, alone=alone)}"


def _facts(material: ComparisonMaterial) -> list[Fact]:
    base, new = material.found.base, material.found.new
    versions = [_version(card) for card in material.cards]

    def fact(name: str, told: tuple[str, str], *, source: str = "A", mono: bool = False) -> Fact:
        return Fact(name, source, *told, mono=mono)

    return [
        fact(_("Model"), (_model(base), _model(new))),
        fact(_("Version"), (versions[0], versions[1]), source="H"),
        fact(_("Weights (sha256)"), (weights(base), weights(new)), mono=True),
        fact(_("Decides by"), (decides_by(base), decides_by(new))),
        fact(_("Audited on"), (_audited(base), _audited(new))),
        fact(_("Run · date"), (_run(base), _run(new))),
        fact(_("audit.json (sha256)"), (_short(base.sha256), _short(new.sha256)), mono=True),
    ]


def _model(side: Audit) -> str:
    name = side.model[:44]
    return name if side.architecture == side.model else f"{name} · {side.architecture[:28]}"


def _version(card: Card) -> str:
    return (card.identity.version or _(NOT_SUPPLIED))[:HALF]


def _audited(side: Audit) -> str:
    images = ngettext("{n} image", "{n} images", side.cases).format(n=side.cases)
    return f"{side.data[:36]}, {images}, {patients(side)}"


def _run(side: Audit) -> str:
    return f"{side.run_id[:24] or '–'} · {side.date or '–'}"


def _short(digest: str) -> str:
    return f"{digest[:16]}…" if digest else "–"


def _paired(material: ComparisonMaterial) -> str:
    """Whether it is the same cases, and how many."""
    pairs = material.found.pairs
    labels = ", ".join(f"{count} {name[:24]}" for name, count in sorted(pairs.labels.items())[:6])
    people = (
        _("patients not identified, images treated as independent")
        if pairs.patients is None
        else ngettext("{n} patient", "{n} patients", pairs.patients).format(n=pairs.patients)
    )
    if pairs.only_base or pairs.only_new:
        words = _(
            "Not all the same cases: {n} paired ({labels}; {people}); {base} only in Base and "
            "{new} only in New are left out."
        )
    else:
        words = _("The same {n} cases in both, paired one by one ({labels}; {people}).")
    return words.format(
        n=pairs.paired,
        labels=labels,
        people=people,
        base=pairs.only_base,
        new=pairs.only_new,
    )


def _headline(material: ComparisonMaterial, metric: str) -> list[str | Cell]:
    one = material.clean(metric) or Difference(metric=metric)
    return [
        sentence(metric_name(metric)),
        metric_cell(one, "base"),
        metric_cell(one, "new"),
        change_cell(one),
        f"{p_text(one.p)} · {holm_text(one)}",
        half_width(one),
        answer(one),
    ]
