"""What was read, what was skipped, and what the data cannot say."""

from __future__ import annotations

from reports.material import Material
from reports.numbers import blocks_of
from reports.values.registry import Value, value

EXPECTED = ("view", "sex", "age_band", "device", "site")


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


@value("subgroups.attributes")
def reported_by(material: Material) -> Value:
    names = list(dict.fromkeys(name for group in material.groups() for name in group))
    return ", ".join(names) or "None: the data carries no attribute with two or more values."


@value("subgroups.suppressed")
def suppressed(material: Material) -> Value:
    found = [f for f in material.results.findings if f.group and f.value is None]
    clean = [f for f in found if f.stress == "clean"]
    return f"{len(clean)} clean and {len(found) - len(clean)} stressed numbers, too few cases"


@value("subgroups.missing")
def missing_attributes(material: Material) -> Value:
    have = material.results.data.attributes
    return (
        ", ".join(name.replace("_", " ") for name in EXPECTED if name not in have)
        or "None of the usual ones"
    )


@value("privacy.statement")
def privacy(material: Material) -> Value:
    images = any(a.kind == "gradcam" for a in material.results.artefacts) and material.images
    if material.results.data.synthetic:
        return "Nothing: the data is synthetic and holds no person."
    pictures = (
        "It shows images of patients (section 9): treat it as data concerning health."
        if images
        else "It shows no image of a patient."
    )
    return (
        "Counts, rates and case ids made from pixels; no path, date, name or identifier from "
        f"the files. {pictures}"
    )
