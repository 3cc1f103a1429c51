"""Whether the report on a comparison is what it says: its attachments and their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import HipauditError
from hipaudit.compare_files import AUDITS, COMPARISON
from hipaudit.sealing.checks import Check

if TYPE_CHECKING:
    from audit.compare.results import Comparison


def compared(files: Mapping[str, bytes], folder: Path) -> Iterator[Check]:
    """The comparison inside, the two audits it was made from, and the file beside the report."""
    found = _attached(files[COMPARISON])
    what = f"attached {COMPARISON}"
    if isinstance(found, str):
        yield Check(what, "FAILED", found)
        return
    yield Check(what, "ok", f"{found.base.run_id} against {found.new.run_id}")
    for name, side in zip(AUDITS, (found.base, found.new), strict=True):
        yield _audit(files, name, side.sha256)
    yield _beside(found, folder)


def _attached(content: bytes) -> Comparison | str:
    from audit.compare.results import Comparison

    try:
        return Comparison.model_validate_json(content)
    except ValueError:
        return "the compare.json inside is damaged, or of another version of hipaudit"


def _audit(files: Mapping[str, bytes], name: str, wanted: str) -> Check:
    what = f"attached {name}"
    if name not in files:
        return Check(what, "not checked", "it is not attached")
    digest = hashlib.sha256(files[name]).hexdigest()
    if digest != wanted:
        return Check(what, "FAILED", "it is not the audit that was compared")
    return Check(what, "ok", f"the one that was compared, sha256 {digest[:16]}…")


def _beside(found: Comparison, folder: Path) -> Check:
    """The same comparison beside the report; without small counts where the report is."""
    from audit.compare.results import read_comparison
    from reports.comparison.suppression import suppressed_below, suppressed_comparison

    what = f"{COMPARISON} beside the report"
    place = folder / COMPARISON
    if not place.is_file():
        return Check(what, "not checked", "there is none")
    try:
        other = suppressed_comparison(read_comparison(place), suppressed_below(found))
    except HipauditError:
        return Check(what, "FAILED", "it cannot be read")
    same = other == found
    return Check(what, "ok" if same else "FAILED", "the same" if same else "another comparison")
