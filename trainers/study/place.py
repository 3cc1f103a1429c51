"""The folder of a study or a training: one per folder, one process at a time, first facts kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audit.errors import HipauditError
from audit.folder import claimed


@contextmanager
def held(folder: Path, own_id: str) -> Iterator[dict[str, Any]]:
    """Hold the folder for this work; gives {"date": …} of when it first started.

    Raises HipauditError for a folder with something else in it, and where another process is at
    work.
    """
    _check(folder, own_id)
    with claimed(folder, own_id, overwrite=False) as started:
        yield started


def _check(folder: Path, own_id: str) -> None:
    """HipauditError unless the folder is new, empty, or of this very work."""
    if folder.exists() and not folder.is_dir():
        raise HipauditError("a folder", "a file of that name", "Choose another --out.")
    inside = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not inside - {".lock"}:
        return
    try:
        known = json.loads((folder / "started.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    found = known.get("run_id") if isinstance(known, dict) else None
    if found == own_id:
        return
    what = "one with other files in it" if found is None else "one with other work in it"
    raise HipauditError(
        "a new or empty folder, or the same work to resume",
        f"{what} (other data, recipe, weights or seed)" if found else what,
        "Choose another --out, or give the same options as before.",
    )
