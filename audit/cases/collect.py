"""From decoded images to Cases: ids, patients, attributes, and a description of it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from audit.cases.attributes import UNKNOWN, choose_attributes
from audit.cases.case import Case, Cases, Pixels
from audit.cases.identity import case_ids, data_sha256
from audit.cases.listing import Box
from audit.cases.options import DataOptions
from audit.cases.patients import number_patients
from audit.cases.readings import readings_of
from audit.cases.remarks import remarks
from audit.cases.table import plain_name
from audit.errors import HipauditError, did_you_mean
from audit.results import DataDescription, Note, Skipped

MAX_CLASSES = 100
MAX_LENGTH = 64
DIM = 0.25
FROM_TAGS = ("view", "sex", "age_band", "vendor", "scanner", "laterality")
YES = ("1", "true", "yes")


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded image before it has an id. `cells`: its row of a table; `tags`: its header."""

    where: str
    digest: str
    shape: tuple[int, ...]
    peak: float
    label: str
    load: Callable[[], Pixels] = field(repr=False)
    cells: Mapping[str, str] = field(default_factory=dict, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    boxes: tuple[Box, ...] = ()
    split: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a set of images was read; what becomes of it in the description."""

    layout: str
    columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    name: str = "data"
    places: Mapping[str, str] = field(default_factory=dict, repr=False)


def collect(images: Sequence[Image], reading: Reading, options: DataOptions) -> Cases:
    """Cases in the order of their ids. Raises HipauditError with fewer than two classes."""
    _check_labels(images, reading, options)
    attributes, notes = _attributes(images, reading, options)
    readings = readings_of(images, reading.columns, options.reader_columns)
    raw = _patients(images, reading, options)
    keys = [
        (image.label, sorted(found.items()), image.boxes, patient)
        for image, found, patient in zip(images, attributes, raw, strict=True)
    ]
    ids = case_ids([image.digest for image in images], keys)
    numbers, patient_notes = number_patients(ids, raw)
    cases = [
        Case(
            id=case_id,
            label=image.label,
            load=image.load,
            patient=patient,
            attributes=found,
            shape=image.shape,
            boxes=image.boxes,
            burned_in=_burned_in(image, options),
            readings=read,
        )
        for case_id, image, patient, found, read in zip(
            ids, images, numbers, attributes, readings, strict=True
        )
    ]
    by_where = dict(zip((image.where for image in images), ids, strict=True))
    notes = [*reading.notes, *notes, *patient_notes]
    description = _describe(cases, images, reading, options, notes, by_where)
    places = {by_where.get(where, where): place for where, place in reading.places.items()}
    return Cases(cases, description, places)


def _check_labels(images: Sequence[Image], reading: Reading, options: DataOptions) -> None:
    labels = sorted({image.label for image in images if image.label or options.need_labels})
    unread = f" and {len(reading.skipped)} images that cannot be read" if reading.skipped else ""
    if len(labels) < 2 and options.need_labels:
        raise HipauditError(
            "images of two or more classes",
            f"only one ({len(images)} images){unread}, read as {reading.layout}",
            "Give the folder above the class folders, or a manifest with both labels.",
        )
    if len(labels) > MAX_CLASSES or any(len(label) > MAX_LENGTH for label in labels):
        found = f"{len(labels)} different labels of up to {max(map(len, labels))} characters"
        raise HipauditError("a column of class names", found, "Check what its label column holds.")
    if len({label.casefold() for label in labels}) < len(labels):
        shown = ", ".join(f'"{label}"' for label in labels[:8])
        raise HipauditError("one spelling per class", shown, "Write each class in one way.")
    if options.positive_class is not None and options.positive_class not in labels:
        raise HipauditError(
            "the positive class among the labels",
            f'"{options.positive_class}"',
            did_you_mean(options.positive_class, labels),
        )


def _attributes(
    images: Sequence[Image], reading: Reading, options: DataOptions
) -> tuple[list[dict[str, str]], list[Note]]:
    """Of the table, completed by what the headers say; the table wins where both speak."""
    apart = {options.cluster_by, *map(plain_name, options.reader_columns)}
    columns = [name for name in reading.columns if name not in apart]
    rows = [image.cells for image in images]
    people = options.cluster_by or "patient_id"
    chosen, notes = choose_attributes(rows, columns, options.view_column, people)
    differ = 0
    for name in FROM_TAGS:
        if not any(image.tags.get(name) for image in images):
            continue
        for found, image in zip(chosen, images, strict=True):
            said, tag = found.get(name, UNKNOWN), image.tags.get(name) or UNKNOWN
            found[name] = tag if said == UNKNOWN else said
            differ += name == "view" and UNKNOWN not in (said, tag) and said != tag
    if differ:
        text = f"{differ} views in the table differ from the image header; the table was used."
        notes.append(Note(code="view-differs", level="warning", text=text))
    if options.every_split and any(image.split for image in images):
        chosen = [{**found, "split": i.split} for found, i in zip(chosen, images, strict=True)]
    return [dict(sorted(found.items())) for found in chosen], notes


def _patients(images: Sequence[Image], reading: Reading, options: DataOptions) -> list[str]:
    column = options.cluster_by
    if column is None:
        return ["" for _ in images]
    if column != "patient_id" and column not in reading.columns:
        raise HipauditError(
            "a column to cluster by", f'"{column}"', did_you_mean(column, list(reading.columns))
        )
    tag = "patient" if column == "patient_id" else column
    return [image.cells.get(column) or image.tags.get(tag, "") for image in images]


def _burned_in(image: Image, options: DataOptions) -> bool | None:
    """BurnedInAnnotation (0028,0301); a PNG or JPEG has no header, its row of a table may say."""
    words = image.tags.get("burned_in", "") or image.cells.get("burned_in", "")
    said = {"YES": True, "NO": False}.get(words.strip().upper())
    if said is None and image.tags and options.strict_burned_in:
        return True
    return said


def _describe(
    cases: Sequence[Case],
    images: Sequence[Image],
    reading: Reading,
    options: DataOptions,
    notes: Sequence[Note],
    by_where: Mapping[str, str],
) -> DataDescription:
    names = sorted({name for case in cases for name in case.attributes})
    patients = {case.patient for case in cases if case.patient is not None}
    synthetic = [
        image.cells.get("synthetic", "").lower() in YES or bool(image.tags.get("synthetic"))
        for image in images
    ]
    return DataDescription(
        name=reading.name,
        layout=reading.layout,
        cases=len(cases),
        patients=len(patients) or None,
        labels=_counts([case.label for case in cases]),
        attributes={
            name: _counts([case.attributes.get(name, UNKNOWN) for case in cases]) for name in names
        },
        sha256=data_sha256((case.id, case.label) for case in cases),
        synthetic=all(synthetic),
        burned_in=sum(case.burned_in is True for case in cases),
        skipped=reading.skipped,
        notes=(
            Note(code="layout", level="info", text=f"Read as {reading.layout}."),
            *notes,
            *remarks(cases, [(by_where[image.where], image.tags) for image in images]),
            *_dim(images),
            *_coverage(len(cases), len(reading.skipped), options.max_skipped),
        ),
    )


def _dim(images: Sequence[Image]) -> list[Note]:
    """12 bits stored in a 16-bit PNG look like night; stretching them unasked would hide it."""
    count = sum(image.peak < DIM for image in images)
    if not count:
        return []
    text = f"{count} images use less than a quarter of the grey scale: check their bit depth."
    return [Note(code="dim", level="warning", text=text)]


def _counts(values: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _coverage(read: int, skipped: int, most: float) -> list[Note]:
    if not skipped:
        return []
    share = skipped / (read + skipped)
    text = f"{skipped} of {read + skipped} images could not be used ({share:.1%})"
    if share > most:
        text += f", more than the {most:.1%} allowed"
        return [Note(code="coverage", level="fault", text=text + ".")]
    return [Note(code="skipped", level="warning", text=text + ".")]
