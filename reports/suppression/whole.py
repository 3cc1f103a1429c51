"""The results as a suppressed edition shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from audit.results import Artefact, Curve, DataDescription, Finding, ProbeReport, Results
from reports.suppression.counts import any_small, small
from reports.suppression.data import without_few
from reports.suppression.findings import State, hidden
from reports.suppression.kinds import Place, group_of, settings, side
from reports.suppression.mark import edition_note, reason
from reports.suppression.shares import baselines_without
from reports.suppression.words import (
    artefact_without,
    details_without,
    notes_without,
    runs_without,
    told_without,
)

DRIFT = "drift_baselines"


def suppressed(results: Results, below: int) -> Results:
    """A copy in which no finding, description, note, list or curve tells a count of images or
    patients from 1 to below `below`, by itself or as the difference of others it tells.

    What is left out keeps its place, with the reason "suppressed: fewer than …"; `below` under 2
    leaves out nothing. Pictures stay, but those of an outcome that few have. A count is of images
    where `n` is; a patient with several images is not counted apart. Raises HipauditError when all
    cases together are too few.
    """
    if below < 2:
        return results
    everything = [*results.findings, *(f for probe in results.probes for f in probe.findings)]
    states = hidden(everything, below)
    told = [_without(f, state, below) for f, state in zip(everything, states, strict=True)]
    own = len(results.findings)
    data = without_few(results.data, below)
    few = _gone(results.data, data)
    rare = _rare_cells(results, below)
    names = [f"{name} {v}" for name, counts in results.data.attributes.items() for v in counts]
    return results.model_copy(
        update={
            "data": data.model_copy(update={"notes": notes_without(data.notes, below, few, names)}),
            "findings": tuple(told[:own]),
            "curves": _curves(results, everything, states, below),
            "probes": _probes(results, told[own:], (few, names), below),
            "artefacts": tuple(
                artefact_without(a, below) for a in results.artefacts if _cell(a) not in rare
            ),
            "plan": results.plan.model_copy(
                update={"runs": runs_without(results.plan.runs, below)}
            ),
            "notes": (*notes_without(results.notes, below, few, names), edition_note(below)),
        }
    )


def _without(finding: Finding, state: State, below: int) -> Finding:
    if state == 0:
        why = finding.reason and told_without(finding.reason, below)
        return finding if why == finding.reason else finding.model_copy(update={"reason": why})
    nothing = ("value", "low", "high", "method", "events", "p", "p_holm")
    told: dict[str, Any] = dict.fromkeys(nothing)
    told |= {"imprecise": False, "reason": reason(below)}
    return finding.model_copy(update=told | ({"n": 0} if state == 2 else {}))


def _gone(before: DataDescription, after: DataDescription) -> set[int]:
    """The counts of labels and attributes that were left out, which no note may tell instead."""
    pairs = [(before.labels, after.labels)]
    pairs += [(counts, after.attributes[name]) for name, counts in before.attributes.items()]
    return {n for was, now in pairs for name, n in was.items() if name not in now}


def _rare_cells(results: Results, below: int) -> set[str]:
    """Outcomes per view with so few cases that the pictures shown of them tell how many."""
    known = (probe.details.get("cells", {}) for probe in results.probes)
    return {
        name
        for cells in known
        for name, cell in cells.items()
        if isinstance(cell, Mapping) and small(cell.get("cases", 0), below)
    }


def _cell(artefact: Artefact) -> str:
    """What a gallery by outcome files the picture under."""
    if artefact.kind != "gradcam":
        return ""
    return f"{artefact.meta.get('outcome', '')} {artefact.meta.get('view', '')}".strip()


def _probes(
    results: Results,
    told: Sequence[Finding],
    words: tuple[Collection[int], Collection[str]],
    below: int,
) -> tuple[ProbeReport, ...]:
    few, names = words
    found, start = [], 0
    for probe in results.probes:
        mine = tuple(told[start : start + len(probe.findings)])
        start += len(mine)
        gone = {*few, *(_numbers(probe.findings) - _numbers(mine))}
        found.append(
            probe.model_copy(
                update={
                    "reason": probe.reason and told_without(probe.reason, below),
                    "findings": mine,
                    "notes": notes_without(probe.notes, below, gone, names),
                    "details": _details(probe, results.data, below),
                }
            )
        )
    return tuple(found)


def _details(probe: ProbeReport, data: DataDescription, below: int) -> dict[str, Any]:
    details = probe.details
    if probe.probe == DRIFT and details:
        details = baselines_without(details, data.attributes, below)
    return details_without(details, below, data.cases)


def _numbers(findings: Sequence[Finding]) -> set[int]:
    """Every count that findings tell."""
    events = [(f.n, f.events) for f in findings if f.events is not None]
    return {f.n for f in findings} | {k for _, k in events} | {n - k for n, k in events}


def _curves(
    results: Results, findings: Sequence[Finding], states: Sequence[State], below: int
) -> tuple[Curve, ...]:
    """Curves of enough cases, but none of a view of which a count of decisions is left out."""
    gone = {_view(f) for f, state in zip(findings, states, strict=True) if state and _telling(f)}
    fewer = {_view(f) for f, state in zip(findings, states, strict=True) if state == 2}
    kept = []
    for curve in results.curves:
        if any_small((curve.n, curve.events, curve.n - curve.events), below):
            continue
        if _view(curve) in gone | fewer:  # one rate that is told finds its partner on the line
            continue
        kept.append(curve)
    return tuple(kept)


def _view(part: Finding | Curve) -> Place:
    group = group_of(part)
    return part.stress, settings(part), part.variant, part.defence, group


def _telling(finding: Finding) -> bool:
    """Of decisions, as the point of the deployed rule on a curve is."""
    return finding.contrast is None and bool(side(finding))
