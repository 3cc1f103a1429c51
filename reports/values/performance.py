"""Section 4: what the deployed rule does without stress, and on how many cases."""

from __future__ import annotations

from math import ceil

from audit.results import Finding
from reports.language import _, decimal
from reports.material import Material
from reports.numbers import full, metric_name, sentence
from reports.values.registry import Value, value

AMBER, RED = 100, 50  # events: a convention of this report
Z = 1.959964


def _clean(material: Material, metric: str) -> Value:
    found = material.clean(metric)
    return full(found) if found else None


@value("clean.sensitivity")
def sensitivity(material: Material) -> Value:
    return _clean(material, "sensitivity")


@value("clean.specificity")
def specificity(material: Material) -> Value:
    return _clean(material, "specificity")


@value("clean.accuracy")
def accuracy(material: Material) -> Value:
    """With what always saying the commonest class would reach."""
    found, data = material.clean("accuracy"), material.results.data
    total = sum(data.labels.values())
    if found is None or not total or total != data.cases:
        return _clean(material, "accuracy")
    name, n = max(data.labels.items(), key=lambda item: item[1])
    always = _('Always answering "{name}" would reach {share} ({n}/{total}).').format(
        name=name, share=decimal(f"{100 * n / total:.1f}%"), n=n, total=total
    )
    return [full(found), always]


@value("clean.auroc")
def auroc(material: Material) -> Value:
    return _clean(material, "auroc")


@value("clean.sample_size")
def sample_size(material: Material) -> Value:
    """Width of the intervals, planned and achieved, and what the number of events is called."""
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    if sens is None or spec is None:
        return None
    achieved = [_width(f) for f in (sens, spec) if f.low is not None]
    told = [_("Achieved: {widths}.").format(widths="; ".join(achieved))] if achieved else []
    return [_planned(material, [sens, spec]), *told, _events(material, sens.n)]


def _width(f: Finding) -> str:
    return _("{metric} ± {points} points (n = {n})").format(
        metric=metric_name(f.metric), points=_points(_half(f)), n=f.n
    )


def _half(f: Finding) -> float:
    return ((f.high or 0.0) - (f.low or 0.0)) / 2


def _points(share: float) -> str:
    return decimal(f"{100 * share:.1f}")


def _planned(material: Material, known: list[Finding]) -> str:
    planned = material.card.get("performance.planned_half_width")
    if not isinstance(planned, float):
        return _("Planned: NOT SUPPLIED (card.yaml, performance.planned_half_width).")
    words = _("Planned: ± {points} points (card.yaml).").format(points=_points(planned))
    wide = [f for f in known if f.value is not None and _half(f) > planned]
    for f in wide:
        rate = f.value or 0.0
        need = ceil(Z**2 * max(rate * (1 - rate), 0.0) / planned**2)
        words += " " + _("Not reached for {metric}: at this rate it takes about {n} cases.").format(
            metric=metric_name(f.metric), n=max(need, f.n + 1)
        )
    return words if wide else words + " " + _("Reached.")


def _events(material: Material, events: int) -> str:
    """Words, no colour alone: amber below 100 events, red below 50."""
    name = material.results.model.positive_class
    mark = _("RED") if events < RED else _("AMBER") if events < AMBER else _("no mark")
    return sentence(
        _("{n} {name} (events): {mark}, by our convention of amber below 100 and red below 50.")
    ).format(n=events, name=name, mark=mark)
