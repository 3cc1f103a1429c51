"""Section 3: from files to cases, and what the data says of them."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Figure, Table
from reports.figures.flow import Step
from reports.figures.flow import flow as draw
from reports.flow import Flow, flow_of, label_name, skipped_in_words, thousands
from reports.language import _, decimal, ngettext
from reports.material import Material
from reports.panels.registry import panel

MOST_ATTRIBUTES = 20
MOST_VALUES = 12
MOST_LABELS = 5
UNKNOWN = ("", "unknown")


@panel("data_flow")
def flow(material: Material) -> Sequence[Block]:
    found = flow_of(material)
    caption = _("From files to cases, in images. What was left out stands beside the arrows.")
    return [Figure(_drawn(material, found, caption), _in_words(material, found), caption),
            _table(material, found)]  # fmt: skip


def _drawn(material: Material, found: Flow, title: str) -> str:
    out = [f"{reason}: {n}" for reason, n in found.skipped.items()]
    skipped = _("skipped: {n}").format(n=skipped_in_words(material))
    unused = found.read - found.examined
    steps = [
        Step(_("Files found"), thousands(found.found), [skipped, *out][:5]),
        Step(_("Cases read"), _people(found), [_("not examined: {n}").format(n=unused)]),
        Step(_("Cases examined"), thousands(found.examined)),
    ]
    return draw(steps, [Step(name, n) for name, n in _labels(found)], title)


def _people(found: Flow) -> str:
    if found.patients is None:
        return thousands(found.read)
    patients = ngettext("{n} patient", "{n} patients", found.patients)
    return f"{thousands(found.read)} ({patients.format(n=thousands(found.patients))})"


def _labels(found: Flow) -> list[tuple[str, str]]:
    """The commonest labels, and the others together."""
    known = sorted(found.labels.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(known) > MOST_LABELS:
        rest = known[MOST_LABELS - 1 :]
        known = [*known[: MOST_LABELS - 1], (_("other labels"), sum(n for _name, n in rest))]
    return [(label_name(name), thousands(n)) for name, n in known]


def _in_words(material: Material, found: Flow) -> str:
    words = _(
        "Flow diagram: {found} files found, {skipped} skipped, {read} read, {examined} examined."
    )
    return words.format(
        found=found.found,
        skipped=skipped_in_words(material),
        read=found.read,
        examined=found.examined,
    )


def _table(material: Material, found: Flow) -> Table:
    rows = [
        [_("Files found"), thousands(found.found)],
        [_("Skipped"), skipped_in_words(material)],
        *([f"– {reason}", thousands(n)] for reason, n in found.skipped.items()),
        [_("Cases read"), thousands(found.read)],
        [_("Not examined (sampled out)"), thousands(found.read - found.examined)],
        [_("Cases examined"), thousands(found.examined)],
        *([f"– {name}", n] for name, n in _labels(found)),
    ]
    note = _("Patients are not told apart by label.") if found.patients is not None else ""
    columns = [_("Step"), _("Images")]
    return Table(_("From files to cases"), columns, rows, note, frozenset({1}), (74, 26))


@panel("data_attributes")
def attributes(material: Material) -> Sequence[Block]:
    data = material.results.data
    rows = [
        [name.replace("_", " "), _values(counts), _share(_missing(counts, data.cases), data.cases)]
        for name, counts in data.attributes.items()
    ]
    if not rows:
        return []
    columns = [_("Attribute"), _("Values and cases"), _("Missing or unknown")]
    caption = _("Attributes of the cases")
    note = ""
    if len(rows) > MOST_ATTRIBUTES:
        note = _("{shown} of {n} attributes; all are in audit.json.").format(
            shown=MOST_ATTRIBUTES, n=len(rows)
        )
    return [Table(caption, columns, rows[:MOST_ATTRIBUTES], note, frozenset({2}), (20, 60, 20))]


def _values(counts: dict[str, int]) -> str:
    """ "frontal 304, lateral 151"; of many values the commonest."""
    known = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{label_name(name)} {n}" for name, n in known[:MOST_VALUES] if name not in UNKNOWN]
    more = len(known) - MOST_VALUES
    if more > 0:
        told.append(ngettext("{n} more value", "{n} more values", more).format(n=more))
    return ", ".join(told) or "–"


def _missing(counts: dict[str, int], cases: int) -> int:
    return cases - sum(n for name, n in counts.items() if name not in UNKNOWN)


def _share(n: int, of: int) -> str:
    return f"{n}/{of} ({decimal(f'{100 * n / max(1, of):.1f}%')})" if n else f"0/{of}"
