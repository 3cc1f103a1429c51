"""What a human should look at again: labels, repeated images, and a plan for spot checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Table, Text
from reports.material import Material
from reports.numbers import full
from reports.panels.registry import panel

MOST_ROWS = 20


def _done(material: Material, probe: str) -> ProbeReport | None:
    found = (r for r in material.results.probes if r.probe == probe and r.state == "done")
    return next(found, None)


@panel("labels_to_read")
def labels_to_read(material: Material) -> Sequence[Block]:
    report = _done(material, "label_errors")
    if report is None:
        return []
    told: list[Block] = [Text(note.text) for note in report.notes]
    shares = {f.metric: f for f in report.findings}
    lines = [
        ("label_errors_suspected", "On the list"),
        ("label_errors_unexplained", "Not explained by any recalibration of the confidence"),
    ]
    told += [Text(f"{full(shares[m])}.", f"{words}.") for m, words in lines if m in shares]
    listed: list[dict[str, Any]] = report.details.get("listed", [])
    if not listed:
        return told
    rows = [[e["case"], e["label"], e["model"], f"{e['margin']:.3f}"] for e in listed[:MOST_ROWS]]
    more = len(listed) - len(rows)
    note = "Margin: probability of the label given less that of the class the model says." + (
        f" {more} more in audit.json." if more else ""
    )
    columns = ["Case", "Label given", "Model says", "Margin"]
    caption = "Labels to read again, the clearest first"
    return [*told, Table(caption, columns, rows, note, frozenset({3}), (40, 22, 22, 16))]


@panel("repeated_images")
def repeated_images(material: Material) -> Sequence[Block]:
    report = _done(material, "leakage")
    if report is None:
        return []
    rows = [
        [
            one,
            other,
            "training data" if where == "across" else "audited images",
            how or "saved anew",
        ]
        for where in ("across", "within")
        for kind in ("pixels", "near")
        for one, other, how in report.details.get(f"{kind}_{where}", [])
    ]
    if not rows:
        return []
    more = len(rows) - MOST_ROWS
    note = "Near-duplicates: proposed by perceptual hash, confirmed by their edges laid over." + (
        f" {more} more in audit.json." if more > 0 else ""
    )
    columns = ["Audited case", "Its twin", "Among", "What differs"]
    return [Table("Repeated images", columns, rows[:MOST_ROWS], note, widths=(30, 30, 20, 20))]


@panel("spot_check_plan")
def spot_check_plan(material: Material) -> Sequence[Block]:
    report = _done(material, "spot_check")
    if report is None:
        return []
    sizes = [f for f in report.findings if f.metric == "spot_check_size"]
    plans = list(dict.fromkeys(_plan(f) for f in sizes))
    cutoff = report.details.get("cutoff")
    rows: list[list[str | Cell]] = [
        [
            f"below {level:.1%}",
            f"{allowed:g}",
            _size(sizes, (level, allowed), None),
            _size(sizes, (level, allowed), cutoff),
        ]
        for level, allowed in plans
    ]
    if not rows:
        return []
    columns = ["Missed, to show", "Misses allowed", "Cases to re-read", "Of this set's above it"]
    note = (
        f"One-sided {sizes[0].params['confidence']:.0%}. Last column: of the cases of this set "
        f"above {cutoff:.1%}, a finite number. Other cut-offs in audit.json."
    )
    table = Table(
        "Spot checks of what is handled alone", columns, rows, note, frozenset({1, 2, 3}),
        (28, 20, 26, 26),
    )  # fmt: skip
    return [*(Text(n.text) for n in report.notes), table]


def _plan(finding: Finding) -> tuple[float, float]:
    level, allowed = finding.params["level"], finding.params["misses_allowed"]
    return float(level), float(allowed)


def _size(sizes: list[Finding], plan: tuple[float, float], cutoff: float | None) -> Cell:
    those = [f for f in sizes if _plan(f) == plan and f.params.get("cutoff") == cutoff]
    if not those:
        return Cell("–")
    found = those[0]
    of = f"of {found.n}" if cutoff is not None else ""
    if found.value is None:
        return Cell("–", sub=found.reason or "")
    return Cell(f"{found.value:.0f}", sub=of)
