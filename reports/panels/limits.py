"""Section 17: what was not tested, what was skipped, what was assumed. Computed, never typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reports.blocks import Block, Items, Table, Text
from reports.card import card_overclaims
from reports.flow import thousands
from reports.language import _, ngettext, recorded
from reports.limitations import limitations_of
from reports.material import Material
from reports.numbers import run_name, stress_name
from reports.outline import outline
from reports.panels.registry import panel
from reports.sections import field

MOST_SKIPPED = 15
MOST_ROWS = 30
EXPECTED = ("view", "sex", "age_band", "device", "site")
Gap = tuple[str, str, str]  # what, its kind, why


@panel("not_tested")
def not_tested(material: Material) -> Sequence[Block]:
    """What has the same reason stands in one row."""
    gaps = [*_stresses(material), *_probes(material), *_attributes(material), *_fields(material)]
    rows = [[kind, "; ".join(whats), why] for kind, why, whats in _gathered(gaps)]
    if not rows:
        return []
    note = ""
    if len(rows) > MOST_ROWS:
        note = _("The first {shown} of {n} rows; all are in audit.json.").format(
            shown=MOST_ROWS, n=len(rows)
        )
    columns = [_("Kind"), _("What"), _("Why not")]
    return [Table(_("Not tested"), columns, rows[:MOST_ROWS], note, widths=(14, 50, 36))]


def _gathered(gaps: Iterable[Gap]) -> Iterator[tuple[str, str, list[str]]]:
    found: dict[tuple[str, str], list[str]] = {}
    for what, kind, why in gaps:
        found.setdefault((kind, why), []).append(what)
    for (kind, why), whats in found.items():
        yield kind, why, list(dict.fromkeys(whats))


def _why(reason: str | None) -> str:
    return recorded(reason) if reason else _("no reason recorded")


def _stresses(material: Material) -> Iterator[Gap]:
    plan = material.results.plan
    for run in plan.runs:
        if run.state != "done":
            yield (
                run_name(run),
                _("Run {state}").format(state=recorded(run.state)),
                _why(run.reason),
            )
    for name, why in plan.not_tested.items():
        yield stress_name(name), _("Stress"), _why(why)


def _probes(material: Material) -> Iterator[Gap]:
    for report in material.results.probes:
        if report.state != "done":
            kind = _("Probe {state}").format(state=recorded(report.state))
            yield report.probe.replace("_", " "), kind, _why(report.reason)


def _attributes(material: Material) -> Iterator[Gap]:
    have = material.results.data.attributes
    for name in EXPECTED:
        if name not in have:
            yield _(name.replace("_", " ")), _("Attribute"), _("The data does not carry it.")


def _fields(material: Material) -> Iterator[Gap]:
    """The computed fields of the outline that this run could not fill, by section and reason."""
    for section in outline():
        for row in section.rows:
            if row.source == "A" and field(row, material).state == "not computed":
                yield _(row.label), _("Field of §{n}").format(n=section.number), _(row.absent)


@panel("limitations")
def limitations(material: Material) -> Sequence[Block]:
    title = _("Limitations that follow from the data and the run")
    return [Items(limitations_of(material), title)]


@panel("skipped_cases")
def skipped_cases(material: Material) -> Sequence[Block]:
    skipped = material.results.data.skipped
    if not skipped:
        return []
    rows = [[case.case, recorded(case.reason)] for case in skipped[:MOST_SKIPPED]]
    note = ""
    if len(skipped) > len(rows):
        note = _("The first {shown} of {n}; all are in audit.json.").format(
            shown=len(rows), n=thousands(len(skipped))
        )
    columns = [_("Case"), _("Why")]
    caption = ngettext("Skipped cases ({n})", "Skipped cases ({n})", len(skipped))
    return [Table(caption.format(n=thousands(len(skipped))), columns, rows, note, widths=(22, 78))]


@panel("card_wording")
def card_wording(material: Material) -> Sequence[Block]:
    found = card_overclaims(material.card)
    if not found:
        return []
    words = "; ".join(_("“{word}” in {place}").format(word=w, place=place) for place, w in found)
    text = _("{words}. No evidence in this report carries these words.").format(words=words)
    return [Text(text, _("Wording of card.yaml."))]
