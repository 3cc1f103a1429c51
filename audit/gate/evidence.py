"""Which findings a rule speaks of, and whether the work behind them was finished."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.errors import did_you_mean
from audit.gate.rules import ANY, Rule, Wanted, amount
from audit.results import Finding, Note, PlannedRun, Results, Scalar

SURROGATE = "surrogate"  # images that another model made: only for a rule that names it
NAMED = ("stress", "defence", "variant", "contrast")  # fields of a finding, not attributes


class Unanswerable(Exception):
    """The evidence a rule asks for is not there; the text says why."""


@dataclass(frozen=True)
class Wish:
    """A rule's `where`, sorted into fields, group attributes and run parameters."""

    stress: str
    defence: str
    variant: str | None
    contrast: str | None
    group: Mapping[str, str]
    params: Mapping[str, Wanted]


def matching(results: Results, rule: Rule, group: Mapping[str, str] | None = None) -> list[Finding]:
    """The findings a rule selects, at least one. `group` adds attributes to its `where`.

    Raises Unanswerable when there is none, or when work they rest on was not finished.
    """
    found = _everything(results)
    pool = [finding for finding in found if finding.metric == rule.metric]
    if not pool:
        known = sorted({finding.metric for finding in found})
        hint = did_you_mean(rule.metric, known)
        raise Unanswerable(f"no finding of {rule.metric} in this audit. {hint}".strip())
    wish = _sorted_wish(results, rule, pool, group or {})
    _unfinished(results, wish)
    chosen = [finding for finding in pool if _fits(finding, wish)]
    if not chosen:
        raise Unanswerable(_why_none(rule, pool, wish))
    broken = _from_broken_probe(results, chosen)
    if broken:
        raise Unanswerable(f"the probe {broken} did not finish")
    return chosen


def whole_audit_fault(results: Results, max_skipped: float | None) -> str | None:
    """Why nothing may be concluded from this audit, whatever a rule asks; None when all is well."""
    notes = [*results.notes, *results.model.notes, *results.data.notes]
    notes += [note for report in results.probes for note in report.notes]
    fault = next((note for note in notes if note.level == "fault"), None)
    if fault:
        return f"fault {fault.code}: {fault.text}"
    data = results.data
    if data.cases < 1:
        return "no case was read"
    share = len(data.skipped) / (data.cases + len(data.skipped))
    if max_skipped is not None and share > max_skipped:
        return f"{len(data.skipped)} cases could not be read ({share:.1%}, limit {max_skipped:.1%})"
    low = _coverage_note(notes)
    if low:
        return f"coverage: {low.text}"
    return None


def _coverage_note(notes: Iterable[Note]) -> Note | None:
    return next((n for n in notes if n.code == "coverage" and n.level != "info"), None)


def _everything(results: Results) -> list[Finding]:
    return [*results.findings, *(f for report in results.probes for f in report.findings)]


def _sorted_wish(
    results: Results, rule: Rule, pool: list[Finding], extra: Mapping[str, str]
) -> Wish:
    named = {key: str(value) for key, value in rule.where.items() if key in NAMED}
    rest = {key: value for key, value in rule.where.items() if key not in NAMED}
    attributes = {*results.data.attributes, *(key for f in pool for key in f.group)}
    params = {key for finding in pool for key in finding.params}
    group = dict(extra)
    wanted: dict[str, Wanted] = {}
    for key, value in rest.items():
        if key in attributes and key in params:
            raise Unanswerable(f'"{key}" is both an attribute and a parameter here')
        if key in attributes:
            group[key] = str(value)
        elif key in params:
            wanted[key] = value
        else:
            hint = did_you_mean(key, sorted({*NAMED, *attributes, *params}))
            raise Unanswerable(f'no finding of {rule.metric} has "{key}". {hint}')
    return Wish(
        stress=named.get("stress", "clean"),
        defence=named.get("defence", "none"),
        variant=named.get("variant"),
        contrast=named.get("contrast"),
        group=group,
        params=wanted,
    )


def _fits(finding: Finding, wish: Wish) -> bool:
    return (
        _stress_fits(finding.stress, wish.stress)
        and wish.defence in (ANY, finding.defence)
        and wish.variant in (None, finding.variant)
        and wish.contrast == finding.contrast
        and _group_fits(finding.group, wish.group)
        and all(
            key in finding.params and same(finding.params[key], value)
            for key, value in wish.params.items()
        )
        and (SURROGATE in wish.params or SURROGATE not in finding.params)
    )


def _stress_fits(stress: str, wanted: str) -> bool:
    return stress == wanted or (wanted == ANY and stress != "clean")


def _group_fits(group: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    if group.keys() != wanted.keys():
        return False
    return all(wanted[key] in (ANY, value) for key, value in group.items())


def same(have: Scalar, wanted: Wanted) -> bool:
    """Whether a parameter is the one a rule names: numbers within 1e-6, words exactly.

    >>> same(2 / 255, "2/255"), same(0.008, "2/255"), same(True, 1)
    (True, False, False)
    """
    if isinstance(have, bool) or isinstance(wanted, bool):
        return have is wanted
    left, right = amount(have), amount(wanted)
    if left is not None and right is not None:
        return math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-9)
    return have == wanted


def _why_none(rule: Rule, pool: list[Finding], wish: Wish) -> str:
    stresses = sorted({finding.stress for finding in pool})
    if not any(_stress_fits(stress, wish.stress) for stress in stresses):
        return (
            f"no finding of {rule.metric} under the stress {wish.stress} "
            f'(it exists under {", ".join(stresses)}; name one in where, or stress = "any")'
        )
    return f"no finding of {rule.metric} matches where"


def _unfinished(results: Results, wish: Wish) -> None:
    """Raises Unanswerable unless every run that could bear on the wish is done."""
    runs = results.plan.runs
    other = (wish.contrast or "").removeprefix("defence=")  # a difference has two sides
    under = [run for run in runs if wish.defence in (ANY, run.defence) or run.defence == other]
    scope = [run for run in under if run.stress != "clean" and _may_bear(run, wish)]
    if not scope and wish.stress != "clean":
        # a finding over several runs (worst case over attacks): all of them count
        scope = [run for run in under if run.stress != "clean"]
    plain = ("none", wish.defence)
    scope += [
        r for r in runs if r.stress == "clean" and (wish.defence == ANY or r.defence in plain)
    ]
    if not any(run.stress == "clean" for run in scope):
        raise Unanswerable("the plan has no run without stress")
    for run in scope:
        if run.state != "done":
            why = f": {run.reason}" if run.reason else ""
            raise Unanswerable(f"the run {run.id} is {run.state}, not done{why}")


def _may_bear(run: PlannedRun, wish: Wish) -> bool:
    if not _stress_fits(run.stress, wish.stress) or run.surrogate != wish.params.get(SURROGATE, ""):
        return False
    both = run.params.keys() & wish.params.keys()
    return all(
        not isinstance(run.params[key], Scalar) or same(run.params[key], wish.params[key])
        for key in both
    )


def _from_broken_probe(results: Results, chosen: list[Finding]) -> str | None:
    for report in results.probes:
        if report.state != "done" and any(finding in report.findings for finding in chosen):
            return report.probe
    return None
