"""Section 19: the runs, the intervals, what was noted, the glossary, and a plain-language page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from audit.results import Finding, PlannedRun, Results
from reports.blocks import Block, Items, Page, Table
from reports.flow import thousands
from reports.language import _, ngettext, recorded
from reports.material import Material
from reports.numbers import defence_name, grey_levels, listed, metric_name, origin, stress_name
from reports.panels.registry import panel
from reports.plain import in_plain_language
from reports.texts import text_data

MOST_METRICS = 6
NAMED_DIFFERENCES = {"first_loss", "change_per_step", "weak_slice"}
MOST_RUNS = 30
MOST_NOTES = 12
PRINTED_ELSEWHERE = {"layout", "years", "split", "without-row", "unlabelled", "window", "polarity"}


@panel("runs_table")
def runs_table(material: Material) -> Sequence[Block]:
    """A row per stress and origin of its images, with all defences it was run under."""
    rows = [_row(runs) for runs in _by_stress(material.results.plan.runs)]
    note = _("Cases: of those read. Forwards: images that went through the model, all defences.")
    if len(rows) > MOST_RUNS:
        more = _("The first {shown} of {n} rows; all are in audit.json.")
        note = f"{note} {more.format(shown=MOST_RUNS, n=len(rows))}"
    columns = [_("Stress"), _("Levels and settings"), _("Defences"), _("Cases"), _("Forwards")]
    widths = (22, 34, 20, 12, 12)
    return [Table(_("Runs"), columns, rows[:MOST_RUNS], note, frozenset({3, 4}), widths)]


def _by_stress(runs: Sequence[PlannedRun]) -> list[list[PlannedRun]]:
    found: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in runs:
        found.setdefault((run.stress, run.surrogate), []).append(run)
    return list(found.values())


def _row(runs: Sequence[PlannedRun]) -> list[str]:
    first = runs[0]
    name = ", ".join([stress_name(first.stress), *origin(first.surrogate)])
    settings = "; ".join(f"{_setting(k)} {_param(k, v)}" for k, v in first.params.items())
    forwards = sum(run.forwards for run in runs)
    return [
        name,
        settings or "–",
        listed([_under(run) for run in runs]),
        listed(list(dict.fromkeys(f"{run.sample}/{run.of}" for run in runs))),
        thousands(forwards) if forwards else "–",
    ]


def _under(run: PlannedRun) -> str:
    """The defence, and how the run ended where it was not carried out."""
    state = "" if run.state == "done" else f" ({recorded(run.state)})"
    return defence_name(run.defence) + state


def _setting(name: str) -> str:
    return "ε" if name.startswith("epsilon") else name.replace("_", " ")


def _param(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_param(name, inner) for inner in value)
    if isinstance(value, float) and "epsilon" in name:
        return grey_levels(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@panel("intervals")
def intervals(material: Material) -> Sequence[Block]:
    """Which method made the interval of which number."""
    found: dict[str, list[str]] = {}
    for f in _every(material.results):
        if f.method and f.value is not None:
            name = _difference(f) if f.contrast else metric_name(f.metric)
            found.setdefault(f.method, []).append(name)
    rows = [[recorded(method), _first(names)] for method, names in sorted(found.items())]
    if not rows:
        return []
    columns = [_("Method"), _("For")]
    return [Table(_("Intervals"), columns, rows, widths=(34, 66))]


def _every(results: Results) -> Iterator[Finding]:
    yield from results.findings
    for report in results.probes:
        yield from report.findings


def _difference(finding: Finding) -> str:
    if finding.metric in NAMED_DIFFERENCES:
        return metric_name(finding.metric)
    return _("differences of {metric}").format(metric=metric_name(finding.metric))


def _first(names: Sequence[str]) -> str:
    known = list(dict.fromkeys(names))
    more = len(known) - MOST_METRICS
    if more <= 0:
        return ", ".join(known)
    told = ngettext("{n} more", "{n} more", more).format(n=more)
    return ", ".join([*known[:MOST_METRICS], told])


@panel("assumptions")
def assumptions(material: Material) -> Sequence[Block]:
    """What was noted for information; warnings and assumptions stand in section 17."""
    results = material.results
    notes = (*results.notes, *results.model.notes, *results.data.notes)
    words = [
        recorded(note.text)
        for note in notes
        if note.level == "info" and note.code not in PRINTED_ELSEWHERE
        and not note.code.startswith("suppressed-below")
    ]  # fmt: skip
    told = list(dict.fromkeys(words))[:MOST_NOTES]
    return [Items(told, _("Notes of the run"))] if told else []


@panel("glossary")
def glossary(material: Material) -> Sequence[Block]:
    """The terms that occur in this report."""
    here = _words(material)
    entries = [e for e in text_data("glossary.yaml") if "when" not in e or here & set(e["when"])]
    rows = [[_(text) for text in (entry["term"], entry["meaning"])] for entry in entries]
    columns = [_("Term"), _("Meaning")]
    return [Table(_("Glossary"), columns, rows, widths=(26, 74), source="")]


def _words(material: Material) -> set[str]:
    """Metrics with a value, stresses and defences carried out, probes done, kinds of pictures."""
    results = material.results
    told = [f for f in _every(results) if f.value is not None]
    runs = [run for run in results.plan.runs if run.state == "done"]
    here = {f.metric for f in told} | {f.stress for f in told} | {f.defence for f in told}
    here |= {name for run in runs for name in (run.stress, run.defence)}
    here |= {report.probe for report in results.probes if report.state == "done"}
    here |= {artefact.kind for artefact in results.artefacts}
    here |= {"difference"} if any(f.contrast for f in told) else set()
    return here | ({"gate"} if material.judgement.rulings else set())


@panel("plain_language")
def plain_language(material: Material) -> Sequence[Block]:
    return [Page(_("In plain language"), in_plain_language(material))]
