"""What became of the files: read, skipped, examined. Shared by the figure, its table and §17."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reports.language import _, recorded
from reports.material import Material
from reports.suppression import mark

MOST_REASONS = 4


@dataclass(frozen=True)
class Flow:
    """Images at every step. `skipped`: reason -> files; `labels`: of the images examined."""

    found: int
    skipped: dict[str, int]
    read: int
    patients: int | None
    examined: int
    labels: dict[str, int]


def flow_of(material: Material) -> Flow:
    data = material.results.data
    reasons = Counter(case.reason for case in data.skipped)
    clean = [r.sample for r in material.results.plan.runs if r.kind == "clean"]
    examined = min(clean[0], data.cases) if clean else data.cases
    return Flow(
        found=data.cases + len(data.skipped),
        skipped=_told(reasons),
        read=data.cases,
        patients=data.patients,
        examined=examined,
        labels=dict(data.labels) if examined == data.cases else _sampled(material),
    )


def _told(reasons: Counter[str]) -> dict[str, int]:
    """The commonest reasons; the others together."""
    known = reasons.most_common()
    told = {recorded(reason): n for reason, n in known[:MOST_REASONS]}
    rest = sum(n for _reason, n in known[MOST_REASONS:])
    return {**told, _("other reasons"): rest} if rest else told


def _sampled(material: Material) -> dict[str, int]:
    """By label where only a part was examined: what the rates without stress were counted on."""
    ill, well = material.clean("sensitivity"), material.clean("specificity")
    if ill is None or well is None or not ill.n + well.n:
        return {}
    return {material.results.model.positive_class: ill.n, _("other"): well.n}


def skipped_in_words(material: Material) -> str:
    """How many files were skipped, where that may be said."""
    data = material.results.data
    if any(note.code == mark.SKIPPED for note in data.notes):
        return recorded(mark.reason(mark.suppressed_below(material.results) or 0))
    return str(len(data.skipped))


def thousands(n: int) -> str:
    """
    >>> thousands(36_808)
    '36\u202f808'
    """
    return f"{n:,}".replace(",", "\u202f")


def label_name(name: str) -> str:
    """A label or attribute value as it is printed: data stays as it is."""
    if name == mark.OTHERS:
        return _("others, suppressed")
    return name or _("blank")
