"""What a planted flaw is, how it is audited, and whether the audit named it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import Finding, Note, Results
from audit.settings import set_defences

BAD = ("warning", "fault")
ALPHA = 0.05
NEITHER = ("stress=", "defence=", "surrogate=")  # differences that are not between groups


@dataclass(frozen=True)
class Outcome:
    """Whether a flaw was named, what was said, and what theory says where it gives a number."""

    found: bool
    said: str
    theory: str = ""


Check = Callable[[Results, Path], Outcome]


@dataclass(frozen=True)
class Flaw:
    """One row: `planted` in words, `audit` carries it out in a folder, `check` judges it.

    `by`: what ought to name it. `missing`: why the audit cannot name it yet.
    """

    name: str
    planted: str
    by: str
    audit: Callable[[Path], Results]
    check: Check
    slow: bool = False
    missing: str = ""


@dataclass(frozen=True)
class Sound:
    """A model and data without a flaw: `audit` must raise no alarm."""

    name: str
    why: str
    audit: Callable[[Path], Results]
    slow: bool = False
    missing: str = ""


def audited(
    classifier: Callable[[], Classifier],
    cases: Callable[[], Cases],
    *stresses: str,
    probes: tuple[str, ...] | None = (),
    params: Mapping[str, Mapping[str, Any]] | None = None,
    train: Callable[[], Cases] | None = None,
    **options: Any,
) -> Callable[[Path], Results]:
    """The whole audit of a classifier on cases, preflight included, with the named stresses."""

    def audit(folder: Path) -> Results:
        chosen = AuditOptions(
            stresses=stresses,
            params=params or {},
            probes=probes,
            batch_size=64,
            **{"preset": "full", "defences": ("none",), **options},
        )
        model, learnt = classifier(), None if train is None else train()
        defended = set_defences(model, chosen)
        return conduct(model, cases(), folder, chosen, hardened=defended, train=learnt)

    return audit


def notes_of(results: Results) -> list[Note]:
    """What preflight and every probe said."""
    return [*results.notes, *(note for probe in results.probes for note in probe.notes)]


def findings_of(results: Results) -> list[Finding]:
    return [*results.findings, *(f for probe in results.probes for f in probe.findings)]


def named(*codes: str, containing: str = "") -> Check:
    """Every one of the codes stands in a warning or fault (whose text contains some words)."""

    def check(results: Results, _folder: Path) -> Outcome:
        bad = [n for n in notes_of(results) if n.level in BAD]
        told = {n.code for n in bad if containing.lower() in n.text.lower()}
        said = sorted({n.code for n in bad})
        return Outcome(set(codes) <= told, ", ".join([*said, *_failed(results)]) or "nothing")

    return check


def either(*codes: str) -> Check:
    """One of the codes is enough."""

    def check(results: Results, folder: Path) -> Outcome:
        found = [named(code)(results, folder) for code in codes]
        return Outcome(any(one.found for one in found), found[0].said)

    return check


def measured(
    metric: str,
    theory: float,
    *,
    within: float = 0.01,
    of: str = "value",
    params: Mapping[str, Any] | None = None,
    **where: Any,
) -> Check:
    """A finding's value (or `low`, `high`) lies within 1% of theory."""

    def check(results: Results, _folder: Path) -> Outcome:
        found = pick(results, metric, params, **where)
        if found is None or getattr(found, of) is None:
            said = (found and found.reason) or "no such number"
            return Outcome(False, said, f"{theory:.4g}")
        value = float(getattr(found, of))
        near = abs(value - theory) <= within * max(abs(theory), 1e-9)
        return Outcome(near, f"{value:.4g}", f"{theory:.4g}")

    return check


def together(*checks: Check) -> Check:
    """All of them."""

    def check(results: Results, folder: Path) -> Outcome:
        found = [one(results, folder) for one in checks]
        theory = "; ".join(one.theory for one in found if one.theory)
        said = "; ".join(one.said for one in found)
        return Outcome(all(one.found for one in found), said, theory)

    return check


def pick(
    results: Results, metric: str, params: Mapping[str, Any] | None = None, **where: Any
) -> Finding | None:
    """The first finding of a metric for everyone with these params and fields."""
    wanted = {"group": {}, "contrast": None, "defence": "none", **where}
    for finding in findings_of(results):
        if (
            finding.metric == metric
            and all(getattr(finding, name) == value for name, value in wanted.items())
            and all(finding.params.get(name) == value for name, value in (params or {}).items())
        ):
            return finding
    return None


def between_groups(finding: Finding) -> bool:
    return finding.contrast is not None and not finding.contrast.startswith(NEITHER)


def differs(metric: str, group: Mapping[str, str]) -> Check:
    """The group is worse in this metric, clean, after Holm over all differences."""

    def check(results: Results, _folder: Path) -> Outcome:
        found = [
            f
            for f in results.findings
            if f.metric == metric and f.stress == "clean" and between_groups(f)
            if f.group == dict(group)
        ]
        worse = [f for f in found if f.value is not None and f.value < 0 and _significant(f)]
        said = "; ".join(_told(f) for f in worse or found) or "no such difference"
        return Outcome(bool(worse), said)

    return check


def stands_out(group: Mapping[str, str]) -> Check:
    """The weak-slice search names this slice first."""

    def check(results: Results, _folder: Path) -> Outcome:
        slices = [f for f in findings_of(results) if f.metric == "weak_slice"]
        named_ones = [f for f in slices if f.value is not None and _significant(f)]
        named_ones.sort(key=lambda f: (f.p_holm or 0.0, f.value or 0.0))
        said = "; ".join(_told(f) for f in named_ones[:3])
        reasons = "; ".join(f.reason or "" for f in slices)
        found = any(f.group == dict(group) for f in named_ones)
        return Outcome(found, said or reasons or "no search")

    return check


def alarms(results: Results) -> list[str]:
    """Everything that would make a reader doubt the model."""
    found = [note.code for note in notes_of(results) if note.level in BAD]
    found += _failed(results)
    for finding in results.findings:
        if finding.metric == "weak_slice" and finding.value is not None and _significant(finding):
            found.append(f"weak_slice {_told(finding)}")
        elif between_groups(finding) and _significant(finding):
            found.append(f"{finding.metric} {_told(finding)}")
    return found


def _failed(results: Results) -> list[str]:
    return [f"probe {p.probe} failed: {p.reason}" for p in results.probes if p.state == "failed"]


def _significant(finding: Finding) -> bool:
    return finding.p_holm is not None and finding.p_holm < ALPHA


def _told(finding: Finding) -> str:
    group = " & ".join(f"{name}={value}" for name, value in finding.group.items()) or "everyone"
    value = "–" if finding.value is None else f"{finding.value:+.2f}"
    adjusted = "no test" if finding.p_holm is None else f"adjusted p {finding.p_holm:.2g}"
    return f"{group} {value} ({adjusted})"
