"""What a study's report is made from, and the questions it asks of the study."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audit.results import Finding
from audit.study_results import Published, StudyResults, Trained

EVERYONE: dict[str, str] = {}


@dataclass(frozen=True)
class StudyMaterial:
    """Everything that goes into one report; no model, no image files but the artefacts."""

    results: StudyResults
    folder: Path
    images: bool

    @cached_property
    def report_id(self) -> str:
        """A name for exactly this evidence."""
        return hashlib.sha256(self.results.to_json().encode()).hexdigest()[:12].upper()

    @cached_property
    def done(self) -> list[Trained]:
        return [model for model in self.results.models if model.state == "done"]

    @cached_property
    def comparable(self) -> list[Trained]:
        """Finished models tested on the same images: those of one view only saw fewer."""
        return [model for model in self.done if "view" not in model.settings]

    @cached_property
    def unfinished(self) -> list[Trained]:
        return [model for model in self.results.models if model.state != "done"]

    @cached_property
    def labels(self) -> dict[str, str]:
        """Name of a model -> what the report calls it: its title, with its name when shared."""
        titles = Counter(model.title for model in self.results.models)
        return {
            model.name: model.title
            if model.title and titles[model.title] == 1
            else f"{model.title} ({model.name})".strip()
            for model in self.results.models
        }

    def label(self, name: str) -> str:
        return self.labels.get(name, name)

    def found(
        self, model: Trained, metric: str, group: Mapping[str, str] = EVERYONE
    ) -> Finding | None:
        """What the test split says without stress; with a Wilson interval where there are two."""
        same = [
            f
            for f in model.findings
            if f.metric == metric
            and f.stress == "clean"
            and f.defence == "none"
            and f.contrast is None
            and f.group == dict(group)
        ]
        wilson = [f for f in same if "wilson" in (f.method or "").lower()]
        return next(iter(wilson or same), None)

    @cached_property
    def best(self) -> Trained | None:
        """Of the comparable models that of the highest accuracy; the first of equals."""
        known = [(self.found(model, "accuracy"), model) for model in self.comparable]
        ranked = [(f.value, model) for f, model in known if f is not None and f.value is not None]
        return max(ranked, key=lambda pair: pair[0])[1] if ranked else None

    def published_of(self, model: Trained) -> Published | None:
        rows = [p for p in self.results.published if p.architecture == model.architecture]
        return rows[0] if rows else None

    def groups(self, attribute: str) -> list[str]:
        """Values of an attribute for which some model has a finding, in order of appearance."""
        values = [
            f.group[attribute]
            for model in self.done
            for f in model.findings
            if list(f.group) == [attribute] and f.stress == "clean" and f.contrast is None
        ]
        return list(dict.fromkeys(values))

    @property
    def independent(self) -> bool:
        """True when images were treated as independent of one another.

        Wilson's interval always does, so it says nothing of what is known of the patients.
        """
        found = [*self.results.findings, *(f for model in self.done for f in model.findings)]
        return any(f.independent and f.method != "wilson" for f in found if f.low is not None)
