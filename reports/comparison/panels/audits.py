"""Chapter 7: what differs between the two audits beside the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit.compare.results import Audit
from audit.results import Preparation
from reports.blocks import Block, Cell, Items, Table
from reports.comparison.material import ComparisonMaterial
from reports.language import N_, _, decimal, ngettext, recorded
from reports.numbers import blocks_of

MOST_PACKAGES = 12
SAID = ("not-compared", "versions-differ")  # notes that a table says better


def decides_by(side: Audit) -> str:
    if side.threshold is None:
        return _("the largest score (argmax)")
    words = _("P ≥ {threshold} ({origin})")
    origin = recorded(side.threshold_origin) or _("origin not recorded")
    return words.format(threshold=decimal(f"{side.threshold:g}"), origin=origin)


def weights(side: Audit) -> str:
    return blocks_of(side.weights[0]) if side.weights else _("not hashed")


def patients(side: Audit) -> str:
    if side.patients is None:
        return _("patients not identified")
    return ngettext("{n} patient", "{n} patients", side.patients).format(n=side.patients)


def _labels(side: Audit) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(side.labels.items()))


def preparation(way: Preparation | None) -> str:
    if way is None:
        return ""
    words = _(
        "{height} × {width}, {resize}, {interpolation}, {channels} channels; mean {mean}; sd {sd}"
    )
    mean, spread = (" ".join(decimal(f"{x:g}") for x in part) for part in (way.mean, way.std))
    facts = way.model_dump(include={"height", "width", "resize", "interpolation", "channels"})
    return words.format(**facts, mean=mean, sd=spread)


FACTS: tuple[tuple[str, Callable[[Audit], str]], ...] = (
    (N_("Model"), lambda side: side.model),
    (N_("Architecture"), lambda side: side.architecture),
    (N_("Weights (sha256)"), lambda side: " ".join(map(blocks_of, side.weights))),
    (N_("Decision rule"), decides_by),
    (N_("Preparation of images"), lambda side: preparation(side.preparation)),
    (N_("Data"), lambda side: side.data),
    (N_("Cases"), lambda side: str(side.cases)),
    (N_("Patients"), patients),
    (N_("Labels"), _labels),
    (N_("Hash of the cases"), lambda side: blocks_of(side.data_sha256)),
    (N_("Preset"), lambda side: side.preset),
    (N_("Seed"), lambda side: str(side.seed)),
    (N_("Search network"), lambda side: side.search),
    (N_("hipaudit"), lambda side: side.tool_version),
    (N_("Python, platform, device"), lambda side: _machine(side)),
    (N_("Rules recorded beforehand"), lambda side: blocks_of(side.gate_file)),
    (N_("Run"), lambda side: side.run_id),
    (N_("Date"), lambda side: side.date),
    (N_("audit.json (sha256)"), lambda side: blocks_of(side.sha256)),
)


def _machine(side: Audit) -> str:
    return ", ".join(filter(None, [side.python, side.platform, side.device]))


def what_differs(material: ComparisonMaterial) -> Sequence[Block]:
    """A row per fact, those that differ in bold; then the packages that differ."""
    base, new = material.found.base, material.found.new
    rows = [_row(_(name), fact(base), fact(new)) for name, fact in FACTS]
    rows += _packages(base, new)
    columns = [_("Fact"), _("Base"), _("New"), _("Same?")]
    title = _("The two audits side by side")
    note = _(
        "A number may differ for any of the facts that differ, not for the model alone. A blank "
        "was not recorded."
    )
    blocks: list[Block] = [Table(title, columns, rows, note, widths=(20, 34, 34, 12))]
    notes = [recorded(n.text) for n in material.found.notes if n.code not in SAID]
    return [*blocks, Items(notes, _("Notes of the comparison"))] if notes else blocks


def _row(name: str, one: str, two: str) -> list[str | Cell]:
    if not one and not two:
        return [name, _("not recorded"), _("not recorded"), "–"]
    same = one == two
    return [name, one or "–", two or "–", _("same") if same else Cell(_("differs"), strong=True)]


def _packages(base: Audit, new: Audit) -> list[list[str | Cell]]:
    """Libraries in another version; the full lists are attached."""
    names = sorted({*base.packages, *new.packages})
    odd = [name for name in names if base.packages.get(name) != new.packages.get(name)]
    if not names:
        return [_row(_("Libraries"), "", "")]
    if not odd:
        count = _("{n} libraries").format(n=len(names))
        return [_row(_("Libraries"), count, count)]
    return [
        _row(name, base.packages.get(name, ""), new.packages.get(name, ""))
        for name in odd[:MOST_PACKAGES]
    ]
