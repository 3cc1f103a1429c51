"""The folder a conversion writes to: its own, or an empty one."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

from audit.errors import HipauditError
from audit.files import write_whole

RECORD = "conversion.json"
IMAGES = "images"
PRIVATE = "private"


def check_apart(source: Path, out: Path) -> None:
    """What is written may not lie where it would be read again."""
    home, place = source.resolve(), out.resolve()
    if place == home or (home.is_dir() and place.is_relative_to(home)):
        raise HipauditError(
            "an output folder outside the source",
            "one that is or lies inside it",
            "Choose another OUT.",
        )


def key_of(data_sha256: str, settings: dict[str, Any]) -> str:
    """A name for this conversion: the same images, labels and settings give the same."""
    text = json.dumps([data_sha256, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def begin(out: Path, key: str, names: set[str]) -> None:
    """Claim `out` before the first image, or resume what has this key.

    `names`: of the images to come. Raises HipauditError when anything else lies there, or it
    cannot be written.
    """
    found = recorded(out)
    if found.get("key") == key:
        others = sum(file.name not in names for file in (out / IMAGES).glob("[!.]*"))
        if others:
            raise HipauditError(
                "only images of this conversion in its folder",
                f"{others} others",
                "Choose another OUT, or empty it.",
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        what = "another conversion" if found else "other files"
        raise HipauditError(
            "an empty output folder, or the same conversion to resume",
            f"{what} in {out.name}",
            "Choose another OUT, or empty it.",
        )
    record(out, {"key": key, "state": "unfinished"})
    (out / PRIVATE).mkdir(exist_ok=True)
    (out / PRIVATE).chmod(stat.S_IRWXU)


def record(out: Path, content: dict[str, Any]) -> Path:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return write_whole(out / RECORD, text, mode=0o600)


def recorded(out: Path) -> dict[str, Any]:
    """What an earlier conversion wrote down; an unreadable record counts as none."""
    try:
        found = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
