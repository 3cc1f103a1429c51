"""What an audit found, in a clinician's words: a few sentences, each with its counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.masking import masked_defences
from reports.numbers import group_name, setting
from reports.suppression import suppressed_below

if TYPE_CHECKING:
    from audit.results import Finding, Results

BASE = ("sensitivity", "specificity")
WORST_CASE = "worst_case"  # over attacks; it has no run of its own
LEFT_OUT = "small counts are left out"  # in an edition for others, and with them perhaps the worst
LONGEST_NAME = 24
LONGEST_SETTING = 36
Pair = dict[str, "Finding"]  # "sensitivity", "specificity" -> the finding of one setting


@dataclass(frozen=True)
class Told:
    """One sentence and what it is about."""

    about: str
    text: str


def account(results: Results) -> list[Told]:
    """Without stress, under the natural change and the attack that cost most (found and cleared
    both without and under it), and the group that fares worst. What was not tested says so."""
    clean = {name: f for name in BASE for f in _plain(results, name) if not f.group}
    if not any(f.value is not None for f in clean.values()):
        return [Told("Without stress", _not_counted(clean.values()))]
    told = [Told("Without stress", _said(results, clean, first=True))]
    for about, kind in (("Worst natural change", "corruption"), ("Worst attack", "attack")):
        told.append(Told(about, _worst_stress(results, clean, kind)))
    return [*told, Told("Worst group", _worst_group(results, clean))]


def percent(share: float) -> str:
    """A share as whole per cent, but 0% and 100% only where it is just that.

    >>> percent(46 / 61), percent(0.9961), percent(0.99999), percent(1.0), percent(0.0004)
    ('75%', '99.6%', '>99.9%', '100%', '<0.1%')
    """
    number = 100 * share
    if 0 < number < 0.05:
        return "<0.1%"
    if 99.95 <= number < 100:
        return ">99.9%"
    near_an_end = 0 < number < 1 or 99 < number < 100
    return f"{number:.1f}%" if near_an_end else f"{number:.0f}%"


def name_of(text: str, most: int = LONGEST_NAME) -> str:
    """A name that others chose: on one line, without control characters, not too long.

    >>> name_of("frac\\nture \\u202e"), name_of("x" * 40)
    ('frac ture', 'xxxxxxxxxxxxxxxxxxxxxxx…')
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _plain(results: Results, metric: str) -> Iterator[Finding]:
    for f in results.find(metric, stress="clean", defence="none", contrast=None, variant=""):
        if "surrogate" not in f.params:
            yield f


def _said(results: Results, pair: Pair, *, first: bool = False) -> str:
    """ "found 46 of 61 fractured (75%, 95% CI 63–86%); no false alarm in 312 of 339 others (…)".

    Class and "others" are named once, at the `first` sentence.
    """
    ill = f" {name_of(results.model.positive_class)}" if first else ""
    words = {"sensitivity": ("found", ill), "specificity": ("no false alarm in", " others" * first)}
    parts = []
    for name, finding in pair.items():
        did, whom = words[name]
        if finding.value is None:
            parts.append(f"{did}: no rate, {name_of(finding.reason or 'not computed', 60)}")
        else:
            parts.append(f"{did} {_counted(finding)}{whom} {_share(finding, first=first)}")
    return "; ".join(parts)


def _counted(finding: Finding) -> str:
    if finding.events is None:
        return f"{percent(finding.value or 0.0)} of {finding.n}"
    return f"{finding.events} of {finding.n}"


def _share(finding: Finding, *, first: bool) -> str:
    if finding.low is None or finding.high is None:
        return f"({percent(finding.value or 0.0)})"
    limits = f"{percent(finding.low).removesuffix('%')}–{percent(finding.high)}"
    return f"({percent(finding.value or 0.0)}, {'95% CI ' if first else ''}{limits})"


def _not_counted(found: Iterable[Finding]) -> str:
    reasons = dict.fromkeys(f.reason or "no reason recorded" for f in found)
    return f"no rate was computed: {'; '.join(reasons) or 'nothing was decided'}"


def _worst_stress(results: Results, clean: Pair, kind: str) -> str:
    """Of every level of every stress of a kind, the largest fall in either rate."""
    settings = _settings(results, kind)
    worst = max(settings, key=lambda pair: _fall(pair, clean), default=None)
    if worst is None:
        if suppressed_below(results):
            return f"none is told here; {LEFT_OUT}"
        return "none was tested, or on too few images"
    how = name_of(setting(next(iter(worst.values()))), LONGEST_SETTING)
    doubtful = kind == "attack" and "none" in masked_defences(results)
    mark = "; may be an artefact of masked gradients" if doubtful else ""
    tried = f"worst of {len(settings)}" if len(settings) > 1 else "the one tried"
    if suppressed_below(results):
        tried = f"worst of {len(settings)} told here; {LEFT_OUT}"
    return f"{_said(results, worst)}: {how} ({tried}{mark})"


def _settings(results: Results, kind: str) -> list[Pair]:
    kinds = {run.stress: run.kind for run in results.plan.runs} | {WORST_CASE: "attack"}
    pairs: dict[str, Pair] = {}
    for name in BASE:
        for f in results.find(f"robust_{name}", defence="none", contrast=None, group={}):
            own = "surrogate" not in f.params and f.variant != "average"
            if own and kinds.get(f.stress) == kind:
                pairs.setdefault(f"{f.stress}{sorted(f.params.items())}{f.variant}", {})[name] = f
    return _counted_ones(pairs)


def _counted_ones(pairs: Mapping[str, Pair]) -> list[Pair]:
    return [p for p in pairs.values() if any(f.value is not None for f in p.values())]


def _worst_group(results: Results, clean: Pair) -> str:
    groups: dict[str, Pair] = {}
    for name in BASE:
        for f in _plain(results, name):
            if f.group:
                groups.setdefault(str(sorted(f.group.items())), {})[name] = f
    counted = _counted_ones(groups)
    worst = max(counted, key=lambda pair: _fall(pair, clean), default=None)
    if suppressed_below(results) and (worst is None or _fall(worst, clean) <= 0):
        return f"none that is told here lies below everyone; {LEFT_OUT}"
    if worst is None:
        return "no group is large enough" if results.data.attributes else "no attribute was given"
    if _fall(worst, clean) <= 0:
        return f"none of {len(counted)} lies below everyone"
    group = group_name(next(iter(worst.values())).group)
    named = name_of(group, LONGEST_SETTING)
    return f"{named}: {_said(results, worst)} (lowest of {len(counted)})"


def _fall(pair: Pair, clean: Pair) -> float:
    falls = [
        before - f.value
        for name, f in pair.items()
        if f.value is not None and name in clean and (before := clean[name].value) is not None
    ]
    return max(falls, default=-1.0)
