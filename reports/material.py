"""What a report is made from, and the questions it asks of the findings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.results import Finding, Results
from reports.card import Card
from reports.edition import ENGLISH, Edition
from reports.language import _, ngettext
from reports.verdict import Judgement

EVERYONE: dict[str, str] = {}


@dataclass(frozen=True)
class Material:
    """Everything that goes into one report; no model, no image files but the artefacts."""

    results: Results
    folder: Path
    card: Card
    judgement: Judgement
    edition: Edition = ENGLISH

    @property
    def images(self) -> bool:
        return self.edition.images

    @property
    def report_id(self) -> str:
        """A name for exactly this evidence with exactly these statements and verdicts."""
        parts = [self.results.to_json(), self.card.model_dump_json(), self.judgement.raw]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12].upper()

    def clean(
        self, metric: str, group: Mapping[str, str] = EVERYONE, defence: str = "none"
    ) -> Finding | None:
        """The finding of a metric without stress."""
        return self.one(metric, "clean", group, defence)

    def one(
        self, metric: str, stress: str, group: Mapping[str, str] = EVERYONE, defence: str = "none"
    ) -> Finding | None:
        found = self.results.find(
            metric, stress=stress, group=dict(group), defence=defence, contrast=None
        )
        return found[0] if found else None

    def stressed(self, metric: str, group: Mapping[str, str] = EVERYONE) -> list[Finding]:
        """Findings of a metric under every stress and defence; cells of a map are left out, and
        worst cases that repeat the numbers of one attack."""
        return [
            f
            for f in self.results.find(metric, group=dict(group), contrast=None)
            if f.stress != "clean" and not is_cell(f) and not repeats(f)
        ]

    def sweeps(
        self, metric: str, group: Mapping[str, str] = EVERYONE, kind: str = "attack"
    ) -> dict[str, list[tuple[float, Finding]]]:
        """Stress -> (level, finding) by rising level, without defence; where there are several.
        Images that another model made are left out.

        The level is ε in 8-bit grey levels, or the one number that differs between findings.
        """
        found: dict[str, list[Finding]] = {}
        for f in self.stressed(metric, group):
            made_here = "surrogate" not in f.params
            if f.defence == "none" and self.kind_of(f.stress) == kind and made_here:
                found.setdefault(f.stress, []).append(f)
        found = {stress: _widest(fs) for stress, fs in found.items()}
        levels = {name: _levels(fs) for name, fs in found.items()}
        return {name: points for name, points in levels.items() if len(points) > 1}

    def cells(self) -> list[Finding]:
        """The cells of the rotation × translation map, without defence."""
        return [
            f
            for f in self.results.findings
            if f.metric == "accuracy" and is_cell(f) and f.defence == "none" and not f.group
        ]

    def groups(self, attribute: str | None = None) -> list[dict[str, str]]:
        """Every subgroup that has a clean finding, in the order of the findings."""
        found: list[dict[str, str]] = []
        for f in self.results.findings:
            if f.group and f.stress == "clean" and f.contrast is None and f.group not in found:
                found.append(dict(f.group))
        return [g for g in found if attribute is None or attribute in g]

    def kind_of(self, stress: str) -> str:
        for run in self.results.plan.runs:
            if run.stress == stress:
                return run.kind
        return "attack"

    @property
    def images_examined(self) -> str:
        """How many images the audit looked at: "561 images", or "60 of 561 images"."""
        total = self.results.data.cases
        seen = [run.sample for run in self.results.plan.runs if run.kind == "clean"]
        if seen and seen[0] < total:
            return _("{n} of {total} images").format(n=seen[0], total=total)
        return ngettext("{n} image", "{n} images", total).format(n=total)

    @property
    def independent(self) -> bool:
        """True when images were treated as independent of one another."""
        return self.results.data.patients is None or any(
            f.independent for f in self.results.findings if f.stress == "clean" and not f.group
        )


def _widest(findings: list[Finding]) -> list[Finding]:
    """Where a level was counted on two samples, the one of more cases: a line over ε whose
    points rest on different cases may rise where nothing improved."""
    wide = {f.params.get("epsilon") for f in findings if f.variant == "every case"}
    return [f for f in findings if f.variant == "every case" or f.params.get("epsilon") not in wide]


def _levels(findings: list[Finding]) -> list[tuple[float, Finding]]:
    """Findings by what was varied between them: ε where there is one, else the one number."""
    name = level_name(findings)
    found = []
    for f in findings:
        value = f.params.get(name) if name else None
        if isinstance(value, int | float):
            found.append((float(value) * 255 if name == "epsilon" else float(value), f))
    return sorted(found, key=lambda point: point[0])


def level_name(findings: list[Finding]) -> str | None:
    if any("epsilon" in f.params for f in findings):
        return "epsilon"
    names = dict.fromkeys(name for f in findings for name in f.params)
    numeric = [n for n in names if all(isinstance(f.params.get(n), int | float) for f in findings)]
    varied = [n for n in numeric if len({f.params[n] for f in findings}) > 1]
    return varied[0] if varied else None


def epsilon(finding: Finding) -> float:
    value = finding.params.get("epsilon", 0.0)
    return float(value) if isinstance(value, int | float) else 0.0


def is_cell(finding: Finding) -> bool:
    return "angle" in finding.params and ("dx" in finding.params or "dy" in finding.params)


def repeats(finding: Finding) -> bool:
    """Whether a worst case is over the levels of one attack only: the attack itself tells it."""
    attacks = finding.params.get("attacks")
    return finding.stress == "worst_case" and isinstance(attacks, str) and ", " not in attacks


def probe_detail(material: Material, probe: str) -> Mapping[str, Any]:
    for report in material.results.probes:
        if report.probe == probe:
            return report.details
    return {}
