"""Chapter 5: the cases that one model has right and the other wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

from audit.compare.results import Audit, Difference, Flip, Level
from audit.results import Finding
from reports.blocks import Block, Cell, Table, Text
from reports.comparison.material import ComparisonMaterial
from reports.language import _, decimal
from reports.numbers import group_name, setting, under_defence

MOST = 25
GROUPS = 15


def outcomes(material: ComparisonMaterial) -> Sequence[Block]:
    """McNemar's table for each outcome: right in both, in one, in neither."""
    positive = material.found.positive_class
    named = (
        ("sensitivity", _("labelled {name}").format(name=positive)),
        ("specificity", _("labelled otherwise")),
    )
    known = [(words, d) for metric, words in named if (d := material.clean(metric)) is not None]
    rows = [_outcome(words, d) for words, d in known]
    if not rows:
        return [Text(_("No level without stress was compared, so no case can be said to flip."))]
    columns = [
        _("Cases"),
        _("Paired"),
        _("Right in both"),
        _("Right in Base, wrong in New"),
        _("Wrong in Base, right in New"),
        _("Wrong in both"),
    ]
    note = _(
        "Right: positive called positive, or the reverse. A lost case labelled {name} is one that "
        "Base found and New misses; a lost case labelled otherwise is a new false alarm."
    ).format(name=positive)
    numeric = frozenset(range(1, 6))
    title = _("What became of the cases without stress")
    return [Table(title, columns, rows, note, numeric, (25, 12, 14, 18, 18, 13))]


def _outcome(words: str, one: Difference) -> list[str | Cell]:
    if one.base is None or one.lost is None or one.gained is None:
        return [words, str(one.n), "–", "–", "–", "–"]
    right = round(one.base * one.n)
    parts = (right - one.lost, one.lost, one.gained, one.n - right - one.gained)
    return [words, str(one.n), *map(str, parts)]


def by_group(material: ComparisonMaterial) -> Sequence[Block]:
    """Lost and gained per group; those with the most lost first."""
    found = [d for d in (material.clean("accuracy", g) for g in material.groups) if d is not None]
    changed = [d for d in found if (d.lost or 0) + (d.gained or 0)]
    if not changed:
        return []
    changed.sort(key=lambda d: (-(d.lost or 0), -(d.gained or 0)))
    rows = [[group_name(d.group), str(d.n), str(d.lost), str(d.gained)] for d in changed[:GROUPS]]
    columns = [_("Subgroup"), _("Cases"), _("Lost"), _("Gained")]
    words = _("The {n} with the most lost cases; {total} groups have flips.")
    cut = words.format(n=len(rows), total=len(changed)) if len(changed) > len(rows) else ""
    note = " ".join(
        [_("Lost: right in Base and wrong in New, without stress; gained: the reverse."), cut]
    ).strip()
    title = _("Flips by subgroup")
    return [Table(title, columns, rows, note, frozenset({1, 2, 3}), (55, 15, 15, 15))]


def under_stress(material: ComparisonMaterial) -> Sequence[Block]:
    """Levels with the most flips."""
    found = [v for v in material.found.levels if v.stress != "clean" and not v.reason]
    changed = [level for level in found if level.lost or level.gained]
    if not changed:
        return []
    changed.sort(key=lambda level: (-(level.lost + level.gained), -level.lost))
    rows = [
        [level_name(level), str(level.cases), str(level.lost), str(level.gained)]
        for level in changed[:MOST]
    ]
    columns = [_("Stress"), _("Cases"), _("Lost"), _("Gained")]
    words = _(
        "Right: decided correctly without the stress and under it. The {n} levels with the most "
        "flips of {total} that were compared; all are in compare.json."
    )
    note = words.format(n=len(rows), total=len(found))
    title = _("Flips under stress")
    return [Table(title, columns, rows, note, frozenset({1, 2, 3}), (55, 15, 15, 15))]


def level_name(level: Level) -> str:
    """ "FGSM, ε = 2/255, under TTA (test-time augmentation)"."""
    facts = {n: getattr(level, n) for n in ("stress", "params", "variant", "defence")}
    words = setting(Finding(metric="", **facts))
    return words if level.defence == "none" else f"{words}, {under_defence(level.defence)}"


def cases(material: ComparisonMaterial) -> Sequence[Block]:
    """The surest new mistakes, by case id."""
    if material.edition.suppress:
        return [Text(_("Case ids are not printed in an edition that leaves small counts out."))]
    clean = {
        at
        for at, level in enumerate(material.found.levels)
        if level.stress == "clean" and level.defence == "none"
    }
    lost = [f for f in material.found.flips if f.level in clean and f.change == "lost"]
    if not lost:
        return []
    rows = [
        [flip.case, flip.label, group_name(flip.group) if flip.group else "–", *_odds(flip)]
        for flip in lost[:MOST]
    ]
    columns = [_("Case"), _("Label"), _("Group"), _("Base"), _("New")]
    note = _(
        "Base, New: log-odds of {name}; Base decides at {base}, New at {new}. The surest mistakes "
        "of New first: {n} of {total}. All, and those gained, are in flips.csv; private/cases.csv "
        "of the audit tells which file a case is."
    ).format(
        name=material.found.positive_class,
        n=len(rows),
        total=len(lost),
        base=_cut_off(material, material.found.base),
        new=_cut_off(material, material.found.new),
    )
    title = _("Right in Base, wrong in New: cases to look at first")
    return [Table(title, columns, rows, note, frozenset({3, 4}), (22, 18, 36, 12, 12))]


def _odds(flip: Flip) -> list[str]:
    return [_("not finite") if x is None else _signed(x) for x in (flip.base, flip.new)]


def _signed(odds: float) -> str:
    return decimal(f"{odds:+.2f}".replace("-", "−"))


def _cut_off(material: ComparisonMaterial, side: Audit) -> str:
    """The log-odds at which a model calls a case positive."""
    if side.threshold is None:
        return "0" if len(material.found.classes) == 2 else _("the largest score (argmax)")
    if not 0 < side.threshold < 1:
        return f"P ≥ {side.threshold:g}"
    return _signed(math.log(side.threshold / (1 - side.threshold)))
