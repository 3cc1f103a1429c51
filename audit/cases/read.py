"""Cases in: a path, or arrays in a notebook, to Cases."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from audit.cases.arrays import from_arrays
from audit.cases.case import Cases
from audit.cases.collect import Image, Reading, collect
from audit.cases.decoding import Decoded, FileLoader, Progress, look_at_all
from audit.cases.folders import files_by_uid, list_path
from audit.cases.listing import Entry, Listing, no_layout
from audit.cases.options import DataOptions
from audit.cases.unlabelled import list_any
from audit.errors import HipauditError
from audit.results import Skipped

__all__ = ["from_arrays", "read_cases"]


def read_cases(
    path: str | Path, options: DataOptions | None = None, progress: Progress | None = None
) -> Cases:
    """Read labelled radiographs; `description` says how, what was assumed and what was skipped.

    Every image is decoded once here and again by `Case.load`. `progress(done, total)` is called
    after each. Raises HipauditError when the layout is not understood, when labels are missing
    or doubled, when nothing can be read, and when fewer than two classes remain.
    """
    options = options or DataOptions()
    listing = _list(Path(path), options)
    paths = [None if entry.refusal else entry.path for entry in listing.entries]
    images: list[Image] = []
    skipped: list[Skipped] = []
    looked = look_at_all(paths, options.workers, progress)
    for entry, found in zip(listing.entries, looked, strict=True):
        if isinstance(found, Decoded):
            images.append(_image(entry, found))
        else:
            reason = entry.refusal if found is None else str(found)
            skipped.append(Skipped(case=entry.where, reason=reason))
    if not images:
        raise _nothing(skipped, listing.layout)
    reading = Reading(
        layout=listing.layout,
        columns=listing.columns,
        notes=listing.notes,
        skipped=tuple(skipped),
        places={entry.where: entry.place or str(entry.path) for entry in listing.entries},
    )
    return collect(images, reading, options)


def _list(path: Path, options: DataOptions) -> Listing:
    try:
        root = path.resolve()
        folder = root if root.is_dir() else root.parent
        how = list_path if options.need_labels else list_any
        return how(root, options, lambda: files_by_uid(folder))
    except RuntimeError:
        raise no_layout("a link that leads to itself", "Check the path.") from None
    except OSError as error:
        raise no_layout(error.strerror or type(error).__name__, "Check permissions.") from None


def _image(entry: Entry, found: Decoded) -> Image:
    return Image(
        where=entry.where,
        digest=found.digest,
        shape=found.shape,
        peak=found.peak,
        label=entry.label,
        load=FileLoader(entry.path, found.digest),
        cells=entry.cells,
        tags=found.tags,
        boxes=entry.boxes,
        split=entry.split,
    )


def _nothing(skipped: list[Skipped], layout: str) -> HipauditError:
    reasons = Counter(item.reason for item in skipped).most_common(3)
    shown = "; ".join(f"{count} x {reason}" for reason, count in reasons) or "no entry"
    return HipauditError(
        f"readable images in a data set read as {layout}",
        f"{len(skipped)} unreadable ({shown})",
        "hipaudit reads PNG, JPEG and DICOM; paths in a table are relative to it.",
    )
