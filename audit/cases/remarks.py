"""What a reader must know about the cases as a whole: duplicates, views, windows, years."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from audit.cases.case import Case
from audit.results import Note

Tagged = Sequence[tuple[str, Mapping[str, str]]]


def remarks(cases: Sequence[Case], tagged: Tagged) -> Iterator[Note]:
    """Notes in a fixed order. `tagged`: case id and what its header said."""
    yield from _duplicates(cases)
    yield from _conflicts(tagged)
    yield from _counted(tagged, "window", "window", "Grey levels were mapped by")
    yield from _counted(tagged, "polarity", "polarity", "Polarity:")
    yield from _years(tagged)
    burned = sum(case.burned_in is True for case in cases)
    if burned:
        text = f"{burned} images have, or may have, text burned in; they belong in no gallery."
        yield Note(code="burned-in", level="warning", text=text)


def _duplicates(cases: Sequence[Case]) -> Iterator[Note]:
    labels = defaultdict(list)
    for case in cases:
        labels[case.id.partition("-")[0]].append(case.label)
    groups = {digest: found for digest, found in labels.items() if len(found) > 1}
    extra = sum(len(found) - 1 for found in groups.values())
    if extra:
        text = f"{extra} images are exact duplicates (same pixels) of another."
        yield Note(code="duplicates", level="warning", text=text)
    torn = sorted(digest for digest, found in groups.items() if len(set(found)) > 1)
    if torn:
        text = f"{len(torn)} images occur with different labels: {_listed(torn)}."
        yield Note(code="duplicate-labels", level="warning", text=text)


def _conflicts(tagged: Tagged) -> Iterator[Note]:
    ids = sorted(case_id for case_id, tags in tagged if tags.get("view_conflict"))
    if ids:
        text = f"{len(ids)} headers contradict themselves about the view: {_listed(ids)}."
        yield Note(code="view-conflict", level="warning", text=text + " Their view is unknown.")


def _counted(tagged: Tagged, tag: str, code: str, intro: str) -> Iterator[Note]:
    found = Counter(tags[tag] for _, tags in tagged if tags.get(tag))
    if found:
        parts = ", ".join(f"{word} ({count})" for word, count in sorted(found.items()))
        yield Note(code=code, level="info", text=f"{intro} {parts}.")


def _years(tagged: Tagged) -> Iterator[Note]:
    years = sorted(tags["year"] for _, tags in tagged if tags.get("year"))
    if years:
        span = years[0] if years[0] == years[-1] else f"{years[0]} to {years[-1]}"
        yield Note(code="years", level="info", text=f"Images are dated {span}.")


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids[:20]) + (", …" if len(ids) > 20 else "")
