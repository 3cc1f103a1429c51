"""What a report is made from, and the questions it asks of the findings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.results import Finding, Results
from reports.card import Card
from reports.verdict import Judgement

EVERYONE: dict[str, str] = {}


@dataclass(frozen=True)
class Material:
    """Everything that goes into one report; no model, no image files but the artefacts."""

    results: Results
    folder: Path
    card: Card
    judgement: Judgement
    images: bool

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
        """Findings of a metric under every stress and defence, cells of a map left out."""
        return [
            f
            for f in self.results.find(metric, group=dict(group), contrast=None)
            if f.stress != "clean" and not is_cell(f)
        ]

    def sweeps(self, metric: str, group: Mapping[str, str] = EVERYONE) -> dict[str, list[Finding]]:
        """Stress -> findings by rising ε, without defence; only where ε was varied."""
        found: dict[str, list[Finding]] = {}
        for f in self.stressed(metric, group):
            if "epsilon" in f.params and f.defence == "none":
                found.setdefault(f.stress, []).append(f)
        return {name: sorted(fs, key=epsilon) for name, fs in found.items() if len(fs) > 1}

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
    def independent(self) -> bool:
        """True when images were treated as independent of one another."""
        return self.results.data.patients is None or any(
            f.independent for f in self.results.findings if f.stress == "clean" and not f.group
        )


def epsilon(finding: Finding) -> float:
    value = finding.params.get("epsilon", 0.0)
    return float(value) if isinstance(value, int | float) else 0.0


def is_cell(finding: Finding) -> bool:
    return "angle" in finding.params and ("dx" in finding.params or "dy" in finding.params)


def number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def probe_detail(material: Material, probe: str) -> Mapping[str, Any]:
    for report in material.results.probes:
        if report.probe == probe:
            return report.details
    return {}


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
