"""Section 8: every defence beside none, on the same cases, with what it costs without attack."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Figure, Table, Text
from reports.changes import beyond
from reports.defences import Pair, Setting, defended, settings
from reports.figures.pairs import Ends, before_after
from reports.language import _
from reports.material import Material
from reports.numbers import (
    amount,
    defence_name,
    metric_name,
    sentence,
    setting,
    signed,
    signed_interval,
)
from reports.panels.referral import referring_words
from reports.panels.registry import panel
from reports.referral import only_refers

MOST_ROWS = 25
MOST_COLUMNS = 4  # defences side by side


@panel("defence_pairs")
def defence_pairs(material: Material) -> Sequence[Block]:
    names = defended(material)
    found: list[Block] = []
    for start in range(0, len(names), MOST_COLUMNS):
        found += _side_by_side(material, names[start : start + MOST_COLUMNS])
    every = dict.fromkeys(f.defence for f in material.results.findings)
    referring = [name for name in every if only_refers(material, name)]
    return [*found, *([Text(referring_words(referring), _("Referral."))] if referring else [])]


def _side_by_side(material: Material, names: Sequence[str]) -> list[Block]:
    found = settings(material, names)
    shown = found[:MOST_ROWS]
    if not shown:
        words = _("No setting was examined with and without {defences} on ten common images.")
        told = words.format(defences=", ".join(defence_name(name) for name in names))
        return [Text(told, _("Defences."))]
    panes = {defence_name(name): [_ends(s.pairs.get(name)) for s in shown] for name in names}
    caption = _(
        "Without and with each defence, on the same images. The first rows are its cost: decisions "
        "without an attack. Filled squares: the paired difference holds beyond chance when all "
        "tests of its kind are allowed for (Holm). The attack goes through the defence, unless its "
        "images were made without it; one that knows the defence better may do more."
    )
    alt = _(
        "Per setting two joined points, without and with {defences}; the numbers are in the table "
        "below."
    ).format(defences=", ".join(panes))
    sides = (_("without the defence"), _("with the defence"))
    picture = before_after([_named(s) for s in shown], panes, sides, caption)
    return [Figure(picture, alt, caption), _table(shown, names, len(found))]


def _named(s: Setting) -> str:
    name = sentence(metric_name(s.metric))
    return name if s.example.stress == "clean" else f"{setting(s.example)}: {metric_name(s.metric)}"


def _ends(pair: Pair | None) -> Ends:
    before = None if pair is None else pair.before
    if pair is None or before is None or pair.after.value is None:
        return None
    return before, pair.after.value, beyond(pair.change)


def _table(shown: Sequence[Setting], names: Sequence[str], of: int) -> Table:
    rows: list[list[str | Cell]] = [
        [_named(s), *(_cell(s.pairs.get(name)) for name in names)] for s in shown
    ]
    note = _(
        "Without → with the defence; below it the paired difference in points with its 95% CI, "
        "and the number of images. Bold: holds beyond chance (Holm). Robust accuracy stands where "
        "the sample held too few positives for a robust sensitivity; –: under ten common images; "
        "what no defence has ten for is left out. Specificity under attack is in audit.json."
    )
    if of > len(shown):
        note += " " + _("The first {n}; all {of} are in audit.json.").format(n=len(shown), of=of)
    share = min(30, 72 // len(names))
    widths = (100 - share * len(names), *(share for _name in names))
    columns = [_("Setting"), *(sentence(defence_name(name)) for name in names)]
    return Table(_("Defences: before and after"), columns, rows, note, widths=widths)


def _cell(pair: Pair | None) -> Cell:
    if pair is None or pair.after.value is None:
        return Cell("–")
    change = pair.change
    told = (
        f"{signed(change.metric, change.value or 0.0)} ({signed_interval(change)}) · n = {change.n}"
    )
    after = amount(pair.after.metric, pair.after.value)
    before = "–" if pair.before is None else amount(pair.after.metric, pair.before)
    return Cell(f"{before} → {after}", strong=beyond(change), sub=told)
