"""What a human should look at again: labels, and images that occur more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.results import ProbeReport
from reports.blocks import Block, Table, Text
from reports.language import N_, _, decimal, ngettext, recorded
from reports.material import Material
from reports.numbers import full
from reports.panels.registry import panel

MOST_ROWS = 12
SHARES = (
    ("label_errors_suspected", N_("On the list.")),
    ("label_errors_unexplained", N_("Not explained by any recalibration of the confidence.")),
)
PLACES = {"across": N_("training data"), "within": N_("audited images")}


def _done(material: Material, probe: str) -> ProbeReport | None:
    found = (r for r in material.results.probes if r.probe == probe and r.state == "done")
    return next(found, None)


@panel("labels_to_read")
def labels_to_read(material: Material) -> Sequence[Block]:
    report = _done(material, "label_errors")
    if report is None:
        return []
    told: list[Block] = [Text(recorded(note.text)) for note in report.notes]
    shares = {f.metric: f for f in report.findings}
    told += [Text(full(shares[metric]), _(words)) for metric, words in SHARES if metric in shares]
    listed: list[dict[str, Any]] = report.details.get("listed", [])
    if not listed:
        return told
    rows = [
        [e["case"], e["label"], e["model"], decimal(f"{e['margin']:.3f}".replace("-", "−"))]
        for e in listed[:MOST_ROWS]
    ]
    note = _("Margin: probability of the label given less that of the class the model says.")
    columns = [_("Case"), _("Label given"), _("Model says"), _("Margin")]
    caption = _("Labels to read again, the clearest first")
    table = Table(
        caption, columns, rows, _cut(note, rows, listed), frozenset({3}), (40, 22, 22, 16)
    )
    return [*told, table]


def _cut(note: str, shown: Sequence[object], whole: Sequence[object]) -> str:
    """The note under a table, with how much of it is shown."""
    if len(shown) >= len(whole):
        return note
    words = _("The first {shown} of {n}; all are in audit.json.")
    return f"{note} {words.format(shown=len(shown), n=len(whole))}"


@panel("repeated_images")
def repeated_images(material: Material) -> Sequence[Block]:
    report = _done(material, "leakage")
    if report is None:
        return []
    rows = [
        [one, other, _(PLACES[where]), recorded(how) if how else _("saved anew")]
        for where in PLACES
        for kind in ("pixels", "near")
        for one, other, how in report.details.get(f"{kind}_{where}", [])
    ]
    if not rows:
        return []
    note = _("Near-duplicates: proposed by perceptual hash, confirmed by their edges laid over.")
    columns = [_("Audited case"), _("Its twin"), _("Among"), _("What differs")]
    caption = ngettext("Repeated images ({n} pair)", "Repeated images ({n} pairs)", len(rows))
    shown = rows[:MOST_ROWS]
    return [
        Table(caption.format(n=len(rows)), columns, shown, _cut(note, shown, rows),
              widths=(30, 30, 20, 20))
    ]  # fmt: skip
