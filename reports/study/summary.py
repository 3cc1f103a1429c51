"""The first page: what was trained on what, the best model, and what to keep in mind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import Finding
from audit.study_results import SplitCount, Trained
from reports.numbers import amount, group_name, interval, metric_name, ratio
from reports.study.material import StudyMaterial
from reports.study.panels.methods import found_limits
from reports.study.panels.sweep import VARIED, place_of

MOST_LINES = 8
MOST_MODELS = 12
HEADLINES = ("accuracy", "sensitivity", "specificity")
KINDS = {
    "models": "Several networks, one data set",
    "views": "One network for all views, against one per view and the cascade",
    "learning-curve": "Learning curve over the size of the training set",
    "resolution": "Image size, accuracy and where the colour lies",
    "readers": "Agreement of readers, and of the model with each",
}


@dataclass(frozen=True)
class Headline:
    label: str
    value: str
    limits: str


@dataclass(frozen=True)
class Line:
    """A model on the first page."""

    name: str
    accuracy: str
    published: str
    auroc: str
    best: bool


@dataclass(frozen=True)
class Summary:
    kind: str
    facts: Sequence[tuple[str, str]]
    best: str
    headlines: Sequence[Headline]
    lines: Sequence[Line]
    more_lines: int
    published: bool
    points: Sequence[str]
    more_points: int


def summary(material: StudyMaterial) -> Summary:
    best = _featured(material)
    points = found_limits(material)
    models = () if material.results.kind == "readers" else material.results.models
    return Summary(
        kind=KINDS[material.results.kind],
        facts=_facts(material),
        best=_best(material, best),
        headlines=_headlines(material, best),
        lines=[_line(material, model) for model in models[:MOST_MODELS]],
        more_lines=max(0, len(models) - MOST_MODELS),
        published=bool(material.results.published),
        points=points[:MOST_LINES],
        more_points=max(0, len(points) - MOST_LINES),
    )


def _featured(material: StudyMaterial) -> Trained | None:
    """Whose numbers stand large: the best, or of a curve the point that was given most."""
    if material.results.kind in VARIED:
        known = [(place_of(material, model), model) for model in material.done]
        points = [(x, model) for x, model in known if x is not None]
        return max(points, key=lambda point: point[0])[1] if points else None
    return material.best


def _best(material: StudyMaterial, best: Trained | None) -> str:
    """ "Best of 7: Densenet169"; of one model its name; of a curve its last point."""
    if best is None or material.results.kind == "readers":
        return ""
    count = len(material.comparable)
    name = material.label(best.name)
    if material.results.kind in VARIED:
        return f"Largest of {count}: {name}" if count > 1 else name
    return f"Best of {count}: {name}" if count > 1 else name


def _facts(material: StudyMaterial) -> list[tuple[str, str]]:
    results = material.results
    facts = [(_split(split.name), _counted(split)) for split in results.splits]
    if results.models and results.kind != "readers":
        weights = list(dict.fromkeys(m.weights for m in results.models if m.weights))
        started = "; ".join(weights) or "not recorded"
        facts += [
            ("Models with a result", f"{len(material.done)} of {len(results.models)}"),
            ("Weights at the start", started[:120]),
        ]
    if results.baseline is not None and results.kind != "readers":
        words = f"{100 * results.baseline:.1f}% by always answering the commoner class"
        facts.append(("Accuracy to beat", words))
    facts.append(("Report · date", f"{material.report_id} · {results.provenance.date}"))
    return facts


def _split(name: str) -> str:
    return {"train": "Training split", "val": "Validation split", "test": "Test split"}[name]


def _counted(split: SplitCount) -> str:
    people = "patients not identified" if split.patients is None else f"{split.patients} patients"
    return f"{split.images} images · {people} · {100 * split.prevalence:.1f}% positive"


def _headlines(material: StudyMaterial, best: Trained | None) -> list[Headline]:
    if material.results.kind == "readers":
        known = [f for f in material.results.findings if not (f.group or f.contrast)]
        kappas = [f for f in known if "kappa" in f.metric] or known
        return [_headline(f, f"{metric_name(f.metric)}: {_sides(f)}") for f in kappas[:3]]
    if best is None:
        return []
    found = [material.found(best, metric) for metric in HEADLINES]
    return [_headline(f, metric_name(f.metric).capitalize()) for f in found if f is not None]


def _sides(f: Finding) -> str:
    sides = [str(f.params[name]) for name in ("first", "second") if name in f.params]
    return " and ".join(sides) or group_name(f.group)


def _headline(f: Finding, label: str) -> Headline:
    if f.value is None:
        return Headline(label, "not computed", f.reason or "no reason recorded")
    return Headline(label, amount(f.metric, f.value), f"95% CI {interval(f)} · {ratio(f)}")


def _line(material: StudyMaterial, model: Trained) -> Line:
    published = material.published_of(model)
    return Line(
        name=material.label(model.name),
        accuracy=_told(material.found(model, "accuracy")) if model.state == "done" else model.state,
        published=f"{100 * published.accuracy:.2f}%" if published else "–",
        auroc=_told(material.found(model, "auroc")) if model.state == "done" else "–",
        best=model is material.best and material.results.kind not in VARIED,
    )


def _told(f: Finding | None) -> str:
    if f is None or f.value is None:
        return "–"
    return f"{amount(f.metric, f.value)} ({interval(f)})"
