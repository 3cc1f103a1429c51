"""The output folder: one audit at a time, one audit per folder, first facts kept."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audit.errors import HipauditError
from audit.files import write_whole
from audit.results import GateFile


@contextmanager
def claimed(
    folder: Path, run_id: str, *, overwrite: bool, gate_file: GateFile | None = None
) -> Iterator[dict[str, Any]]:
    """Hold the folder for this run and give what was written down when the run first started.

    The day and the hash of the gate file are recorded before the first unit and kept on
    resuming, so that audit.json is the same however often the run was interrupted.
    Raises HipauditError when another process holds the folder or another audit fills it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("w")
    except OSError as error:
        raise HipauditError(
            "a folder that can be written", error.strerror or "an error", "Choose another --out."
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HipauditError(
                "an output folder of its own",
                "another hipaudit at work in it",
                "Wait for it, or choose another --out.",
            ) from error
        yield _started(folder, run_id, overwrite=overwrite, gate_file=gate_file)


def _started(
    folder: Path, run_id: str, *, overwrite: bool, gate_file: GateFile | None
) -> dict[str, Any]:
    path = folder / "started.json"
    known = _read(path)
    if known.get("run_id") == run_id:
        return known
    if (known or (folder / "audit.json").exists()) and not overwrite:
        raise HipauditError(
            "an empty output folder or the same audit to resume",
            f"another audit ({known.get('run_id', 'unknown')}) in {folder.name}",
            "Add --overwrite, or choose another --out.",
        )
    facts = {
        "run_id": run_id,
        "date": today(),
        "gate_file": gate_file.model_dump() if gate_file else None,
    }
    write_whole(path, json.dumps(facts) + "\n")
    return facts


def remember(folder: Path, started: dict[str, Any], **facts: Any) -> None:
    """Adds to what was written down at the start; a resumed audit finds it there."""
    started.update(facts)
    write_whole(folder / "started.json", json.dumps(started) + "\n")


def _read(path: Path) -> dict[str, Any]:
    """What was recorded; an unreadable record counts as none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def today() -> str:
    """ISO date in UTC, from SOURCE_DATE_EPOCH where it is set (reproducible builds)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    utc = datetime.UTC
    now = datetime.datetime.fromtimestamp(int(epoch), utc) if epoch else datetime.datetime.now(utc)
    return now.date().isoformat()
