"""What was read, what was skipped, and what the data cannot say; counts stand in the panels."""

from __future__ import annotations

from collections.abc import Iterable

from reports.flow import label_name, skipped_in_words, thousands
from reports.language import _, decimal, ngettext, recorded
from reports.material import Material
from reports.numbers import blocks_of, listed
from reports.suppression import mark
from reports.values.registry import Value, value

READING = ("split", "without-row", "unlabelled", "window", "polarity", "view-differs")
UNKNOWN = {"", "unknown"}
MOST_NAMES = 12


@value("data.cases")
def cases(material: Material) -> Value:
    n = thousands(material.results.data.cases)
    return _("{n} images in {data}; the flow from files to cases stands below.").format(
        n=n, data=material.results.data.name
    )


@value("data.patients")
def patients(material: Material) -> Value:
    data = material.results.data
    if data.patients is None:
        return _("Not identified: the data carries no patient ids. Images treated as independent.")
    told = ngettext("{n} patient", "{n} patients", data.patients).format(n=thousands(data.patients))
    return _("{patients}, {ratio} images each on average").format(
        patients=told, ratio=decimal(f"{data.cases / max(1, data.patients):.1f}")
    )


@value("data.labels")
def labels(material: Material) -> Value:
    positive = material.results.model.positive_class
    names = [label_name(name) for name in material.results.data.labels]
    below = mark.suppressed_below(material.results)
    if below and not names:
        return recorded(mark.reason(below))
    words = _("{names}; counted as positive: {positive}. Counts stand in the flow.")
    return words.format(names=_some(names), positive=positive) if names else None


@value("data.layout")
def layout(material: Material) -> Value:
    data = material.results.data
    told = [recorded(note.text) for note in data.notes if note.code in READING]
    return [recorded(data.layout), *told]


@value("data.skipped")
def skipped(material: Material) -> Value:
    told = skipped_in_words(material)
    return _("None") if told == "0" else _("{n}, listed in section 17").format(n=told)


@value("data.sha256")
def sha256(material: Material) -> Value:
    digest = material.results.data.sha256
    return blocks_of(digest) if digest else None


@value("data.missing")
def missing(material: Material) -> Value:
    data = material.results.data
    if not data.attributes:
        return _("No attribute was supplied with the data.")
    gaps = [
        name.replace("_", " ")
        for name, counts in data.attributes.items()
        if data.cases > sum(n for word, n in counts.items() if word not in UNKNOWN)
    ]
    if not gaps:
        return _("None of the attributes has a gap.")
    return _("In {names}; how many stands in the table of attributes.").format(names=_some(gaps))


@value("data.attributes")
def attributes(material: Material) -> Value:
    names = [name.replace("_", " ") for name in material.results.data.attributes]
    words = _("{names}: values and counts stand in the table of attributes.")
    return words.format(names=_some(names)) if names else None


@value("data.years")
def years(material: Material) -> Value:
    """The years in the headers; no day of an examination is kept."""
    told = [recorded(n.text) for n in material.results.data.notes if n.code == "years"]
    return told or None


@value("data.burned_in")
def burned_in(material: Material) -> Value:
    data = material.results.data
    below = mark.suppressed_below(material.results)
    if below and any(note.code == mark.BURNED_IN for note in data.notes):
        return recorded(mark.reason(below))
    words = _("{n} of {total} images have, or may have, text burned in; none of them is shown")
    return words.format(n=data.burned_in, total=data.cases)


def _some(names: Iterable[str]) -> str:
    """Names in a row, of many the first."""
    known = list(names)
    more = len(known) - MOST_NAMES
    if more <= 0:
        return listed(known)
    told = ngettext("{n} more", "{n} more", more).format(n=more)
    return ", ".join([*known[:MOST_NAMES], told])
