"""Radiographs to PNG, metadata discarded; a de-identified manifest kept.

The thesis threw all metadata away, so nobody could ask whether the models had learned the
scanner, the view or the age instead of the fracture. What an audit needs for that stays here.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audit.cases.case import Case, Cases
from audit.cases.identity import pixel_digest
from audit.cases.image import Unreadable, decode_image
from audit.cases.options import DataOptions
from audit.cases.private import private_csv
from audit.cases.read import read_cases
from audit.checkpoints.names import NEGATIVE, POSITIVE
from audit.errors import HipauditError
from audit.files import write_whole
from audit.results import Note, Skipped
from trainers.convert.folder import IMAGES, PRIVATE, begin, check_apart, key_of, record
from trainers.convert.manifest import SPLITS, Row, check_kept, manifest_csv, row_of
from trainers.convert.options import ConvertOptions
from trainers.convert.picture import as_png, shrunk
from trainers.progress import Progress

MODE = 0o600  # radiographs are patient data, whatever was removed from them


@dataclass(frozen=True, slots=True)
class Converted:
    """What was done. `written` images, `kept` of them found from an interrupted conversion;
    `exact`: how many read back as exactly the pixels of the source, under the same case id;
    `burned_in`: left out or marked for text in their pixels."""

    written: int
    kept: int
    exact: int
    burned_in: int
    skipped: tuple[Skipped, ...]
    notes: tuple[Note, ...]
    labels: dict[str, int]
    patients: int | None


@dataclass(frozen=True, slots=True)
class Made:
    row: Row
    exact: bool
    kept: bool


def convert(
    source: Path,
    out: Path,
    reading: DataOptions,
    options: ConvertOptions,
    progress: Progress,
    looking: Callable[[int, int], None] | None = None,
) -> Converted:
    """Write `out/images/<case id>.png`, `out/manifest.csv`, `out/conversion.json` and, for its
    owner alone, `out/private/cases.csv`.

    `source`: anything `read_cases` accepts, and folders without labels. `reading.folder_labels`:
    folder names that are labels; by default the usual words for fractured and normal. Images
    go in one at a time per worker. Interrupted, the same call goes on where it stopped.
    Raises HipauditError for what cannot be read or written.
    """
    check_apart(source, out)
    usual = reading.folder_labels or (*sorted(POSITIVE), *sorted(NEGATIVE))
    cases = read_cases(
        source,
        replace(
            reading,
            need_labels=False,
            every_split=reading.split is None,
            folder_labels=usual,
        ),
        looking,
    )
    check_kept(options.keep, cases.attributes)
    settings = {**options.recorded(), "strict_burned_in": reading.strict_burned_in}
    marked = [case for case in cases if case.burned_in]
    left_out = marked if options.burned_in == "skip" else []
    wanted = [case for case in cases if not (case.burned_in and left_out)]
    if not wanted:
        raise HipauditError(
            "images without text burned in",
            f"text in all {len(cases)}",
            "Look at them, then type --burned-in flag to keep and mark them.",
        )
    begin(out, key_of(cases.description.sha256, settings), {f"{case.id}.png" for case in wanted})
    made = _write_all(wanted, cases, out, reading.workers, options, progress)
    write_whole(out / PRIVATE / "cases.csv", private_csv(cases), mode=MODE)
    text = manifest_csv([each.row for each in made], options.keep)
    write_whole(out / "manifest.csv", text, mode=MODE)
    done = _summed(cases, made, marked, left_out)
    record(out, _record(cases, done, settings, len(left_out)))
    return done


def _write_all(
    wanted: list[Case],
    cases: Cases,
    out: Path,
    workers: int,
    options: ConvertOptions,
    progress: Progress,
) -> list[Made]:
    """Every image, `workers` at a time, in the order of the cases."""
    synthetic = cases.description.synthetic

    def one(case: Case) -> Made:
        return _write(case, out, options, synthetic=synthetic)

    made = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for each in pool.map(one, wanted):
                made.append(each)
                progress.run("converting", len(made), len(wanted))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return made


def _write(case: Case, out: Path, options: ConvertOptions, *, synthetic: bool) -> Made:
    """One image, read back before it counts; an earlier one that reads is left as it is."""
    place = out / IMAGES / f"{case.id}.png"
    height, width = case.shape[:2]
    earlier = _read_back(place)
    if earlier is not None:
        digest, (new_height, new_width) = earlier
        factors = (new_width / width, new_height / height)
    else:
        pixels, *scale = shrunk(case.load(), options.size)
        factors = (scale[0], scale[1])
        png = as_png(pixels, options.bits)
        digest = pixel_digest(decode_image(png))
        write_whole(place, png, mode=MODE)
    row = row_of(case, f"{IMAGES}/{place.name}", factors, options.keep, synthetic=synthetic)
    return Made(row, exact=digest == case.id.partition("-")[0], kept=earlier is not None)


def _read_back(place: Path) -> tuple[str, tuple[int, int]] | None:
    """Digest and size of an image that is whole, None for one that is not there or not whole."""
    try:
        pixels = decode_image(place.read_bytes())
    except (OSError, Unreadable):
        return None
    return pixel_digest(pixels), (pixels.shape[0], pixels.shape[1])


def _summed(cases: Cases, made: list[Made], marked: list[Case], left_out: list[Case]) -> Converted:
    rows = [each.row for each in made]
    labels = [row["label"] for row in rows]
    people = {row["patient_id"] for row in rows} - {""}
    return Converted(
        written=len(made),
        kept=sum(each.kept for each in made),
        exact=sum(each.exact for each in made),
        burned_in=len(marked),
        skipped=(
            *cases.description.skipped,
            *(Skipped(case=case.id, reason="text burned in") for case in left_out),
        ),
        notes=(*cases.description.notes, *_notes(cases)),
        labels={label: labels.count(label) for label in sorted(set(labels))},
        patients=len(people) or None,
    )


def _notes(cases: Cases) -> list[Note]:
    odd = {case.attributes.get("split", "") for case in cases} - {""}
    count = sum(split.lower() not in SPLITS for split in odd)
    if not count:
        return []
    text = f"{count} splits under names other than {', '.join(SPLITS)} were left blank."
    return [Note(code="splits", level="warning", text=text)]


def _record(
    cases: Cases, done: Converted, settings: dict[str, Any], left_out: int
) -> dict[str, Any]:
    """What conversion.json says: how grey levels were mapped, what was left out, what is exact."""
    from importlib.metadata import version

    return {
        "key": key_of(cases.description.sha256, settings),
        "state": "done",
        "tool": f"hipaudit {version('hipaudit')}",
        "settings": settings,
        "layout": cases.description.layout,
        "source_sha256": cases.description.sha256,
        "images": done.written,
        "exact": done.exact,
        "burned_in": {"found": done.burned_in, "left_out": left_out},
        "labels": done.labels,
        "patients": done.patients,
        "skipped": [item.model_dump() for item in done.skipped],
        "notes": [note.model_dump() for note in done.notes],
    }
