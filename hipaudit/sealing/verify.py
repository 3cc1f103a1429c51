"""Whether a report is what it says: its attachments, their hashes, and its signature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import HipauditError
from hipaudit.compare_files import COMPARISON
from hipaudit.sealing.attached import Attached, attached
from hipaudit.sealing.checks import Check, State
from hipaudit.sealing.compared import compared
from hipaudit.sealing.keys import checked, fingerprint, public_key
from reports.pdf import described

if TYPE_CHECKING:
    from audit.results import Results

SUFFIX = ".sig"
AUDIT, VERDICT, STUDY = "audit.json", "verdict.json", "study.json"


def verified(report: Path, signature: Path | None = None, key: Path | None = None) -> list[Check]:
    """Every check of a report, in the order a reader asks.

    `signature`: its file, else the one beside the report. `key`: whose signature it must be; then
    a report without a valid one fails. Raises HipauditError for what is no report at all.
    """
    content = _pdf(report)
    found = attached(content)
    files = {one.name: one.content for one in found}
    return [
        _as_attached(found),
        *_evidence(files, report.parent),
        *_signature(content, signature or report.with_name(report.name + SUFFIX), key),
    ]


def _pdf(report: Path) -> bytes:
    if not report.is_file():
        raise HipauditError(
            "a report.pdf", f"nothing at {report.name}", "Type: hipaudit verify REPORT.pdf"
        )
    content = report.read_bytes()
    if not content.startswith(b"%PDF-"):
        raise HipauditError("a PDF", f"something else in {report.name}", "Name the report.pdf.")
    return content


def _as_attached(found: Sequence[Attached]) -> Check:
    """Every file is there, once, as it was when the PDF was written."""
    what = "attachments"
    for one in found:
        if hashlib.sha256(one.content).hexdigest() not in one.description:
            name = ascii(one.name)[1:-1][:40]
            return Check(what, "FAILED", f"{name} is not the file that was attached")
    said = [described(one.name, one.content, n, len(found)) for n, one in enumerate(found, start=1)]
    if said != [one.description for one in found]:
        return Check(what, "FAILED", "a file was added, taken away or given another name")
    return Check(what, "ok", f"{len(found)}, each as it was attached")


def _evidence(files: Mapping[str, bytes], folder: Path) -> Iterator[Check]:
    if COMPARISON in files and AUDIT not in files:
        yield from compared(files, folder)
        yield _of_thresholds(files)
        return
    if STUDY in files and AUDIT not in files:
        yield _of_study(files[STUDY], folder)
        return
    results = _attached_results(files)
    if isinstance(results, str):
        yield Check("attached audit.json", "FAILED", results)
        return
    yield Check("attached audit.json", "ok", f"run {results.run_id}, {_digest(files[AUDIT])}")
    yield _of_verdict(files)
    yield _of_thresholds(files)
    yield _beside(files, folder)
    yield _pictures(results, folder)


def _of_study(content: bytes, folder: Path) -> Check:
    """The report on a study carries one file; the same lies beside it."""
    what = f"{STUDY} beside the report"
    place = folder / STUDY
    if not place.is_file():
        return Check(what, "not checked", "there is none")
    same = place.read_bytes() == content
    return Check(what, "ok" if same else "FAILED", "the same" if same else "another study")


def _attached_results(files: Mapping[str, bytes]) -> Results | str:
    """The results inside, or why there are none that can be read."""
    from audit.results import Results

    if AUDIT not in files:
        return "the PDF carries no audit.json; it is no report of hipaudit, or it was printed again"
    try:
        return Results.model_validate_json(files[AUDIT])
    except ValueError:
        return "the audit.json inside is damaged, or of another version of hipaudit"


def _of_verdict(files: Mapping[str, bytes]) -> Check:
    """The verdict inside was passed on the audit inside."""
    what = "attached verdict.json"
    if VERDICT not in files:
        return Check(what, "FAILED", "the PDF carries no verdict.json")
    told = _json(files[VERDICT])
    if told.get("audit_sha256") != hashlib.sha256(files[AUDIT]).hexdigest():
        return Check(what, "FAILED", "it was passed on another audit.json")
    return Check(what, "ok", f"passed on this audit.json: {told.get('outcome')}")


def _of_thresholds(files: Mapping[str, bytes]) -> Check:
    """The rule file inside is the one that was judged by."""
    what = "thresholds"
    told = _json(files.get(VERDICT, b"{}"))
    wanted, name = told.get("gate_file_sha256"), str(told.get("gate_file") or "")
    if not wanted:
        return Check(what, "not checked", "no gate was set")
    if name not in files or not name.endswith("hipaudit.toml"):
        return Check(what, "not checked", f"the rule file is not attached; its hash is {wanted}")
    if hashlib.sha256(files[name]).hexdigest() != wanted:
        return Check(what, "FAILED", f"{name} inside is not the file that was judged by")
    before = told.get("gate_file_recorded_before")
    return Check(what, "ok", "recorded before the run" if before else "not recorded before the run")


def _beside(files: Mapping[str, bytes], folder: Path) -> Check:
    what = "audit.json beside the report"
    place = folder / AUDIT
    if not place.is_file():
        return Check(what, "not checked", "there is none")
    here = place.read_bytes()
    if here == files[AUDIT]:
        return Check(what, "ok", "the same")
    if _suppressed(here, files[AUDIT]):
        return Check(what, "ok", "the same, but for small counts that the report suppresses")
    return Check(what, "FAILED", "another audit")


def _suppressed(here: bytes, inside: bytes) -> bool:
    """Whether what the report carries is the audit beside it with its small counts left out."""
    from audit.results import Results
    from reports.suppression import suppressed, suppressed_below

    try:
        below = suppressed_below(Results.model_validate_json(inside))
        told = suppressed(Results.model_validate_json(here), below) if below else None
    except (ValueError, HipauditError):
        return False
    return told is not None and told.to_json().encode() == inside


def _pictures(results: Results, folder: Path) -> Check:
    what = "pictures beside the report"
    here = [one for one in results.artefacts if (folder / one.path).is_file()]
    if not here:
        return Check(what, "not checked", "there are none")
    changed = sum(
        hashlib.sha256((folder / p.path).read_bytes()).hexdigest() != p.sha256 for p in here
    )
    if changed:
        return Check(what, "FAILED", f"{changed} of {len(here)} have changed since the audit")
    return Check(what, "ok", f"{len(here)} of {len(results.artefacts)} are there, unchanged")


def signed_by_another(report: Path, key: bytes) -> str:
    """The fingerprint of another key whose valid signature lies beside the report; "" for none."""
    place = report.with_name(report.name + SUFFIX)
    if not place.is_file():
        return ""
    try:
        raw = checked(report.read_bytes(), place.read_text(encoding="utf-8", errors="replace"))
    except HipauditError:
        return ""
    return "" if raw in (None, key) else fingerprint(raw or b"")


def _signature(content: bytes, place: Path, key: Path | None) -> Iterator[Check]:
    what = "signature"
    trusted = None if key is None else public_key(key)
    if not place.is_file():
        state: State = "not checked" if key is None else "FAILED"
        yield Check(what, state, "the report is not signed: its pages are not checked")
        return
    raw = checked(content, place.read_text(encoding="utf-8", errors="replace"))
    if raw is None:
        yield Check(what, "FAILED", "the report was changed after it was signed")
    elif trusted is None:
        who = f"valid, by the key {fingerprint(raw)}; name the key you trust with --key"
        yield Check(what, "ok", who)
    elif raw != trusted:
        yield Check(what, "FAILED", f"signed by another key: {fingerprint(raw)}")
    else:
        yield Check(what, "ok", f"valid, by the given key {fingerprint(raw)}")


def _json(content: bytes) -> dict[str, object]:
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _digest(content: bytes) -> str:
    return f"sha256 {hashlib.sha256(content).hexdigest()[:16]}…"
