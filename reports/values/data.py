"""What was read, what was skipped, and what the data cannot say."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import blocks_of
from reports.values.registry import Value, value


@value("data.cases")
def cases(material: Material) -> Value:
    data = material.results.data
    skipped = len(data.skipped)
    return f"{data.cases} of {data.cases + skipped} files in {data.name}; {skipped} skipped"


@value("data.patients")
def patients(material: Material) -> Value:
    count = material.results.data.patients
    if count is None:
        return "Not identified: the data carries no patient ids. Images treated as independent."
    return f"{count} patients"


@value("data.labels")
def labels(material: Material) -> Value:
    data = material.results.data
    total = sum(data.labels.values()) or 1
    return [f"{name}: {n}/{total} ({100 * n / total:.1f}%)" for name, n in data.labels.items()]


@value("data.layout")
def layout(material: Material) -> Value:
    return material.results.data.layout


@value("data.skipped")
def skipped(material: Material) -> Value:
    found = material.results.data.skipped
    return f"{len(found)} (listed in section 17)" if found else "None"


@value("data.sha256")
def sha256(material: Material) -> Value:
    digest = material.results.data.sha256
    return blocks_of(digest) if digest else None


@value("data.missing")
def missing(material: Material) -> Value:
    data = material.results.data
    rows = []
    for name, counts in data.attributes.items():
        known = sum(n for word, n in counts.items() if word not in {"", "unknown"})
        rows.append(f"{name}: {data.cases - known}/{data.cases} missing or unknown")
    return rows or "No attribute was supplied with the data."


@value("data.attributes")
def attributes(material: Material) -> Value:
    found = material.results.data.attributes
    return [f"{name}: {_counts(values)}" for name, values in found.items()] or None


def _counts(values: dict[str, int]) -> str:
    return ", ".join(f"{word} {n}" for word, n in values.items())


@value("data.burned_in")
def burned_in(material: Material) -> Value:
    data = material.results.data
    return f"{data.burned_in}/{data.cases} files declare burned-in text"
