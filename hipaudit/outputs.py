"""Files beside audit.json, and copies where a user wants them."""

from __future__ import annotations

import hashlib
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import HipauditError
from audit.files import write_whole

if TYPE_CHECKING:
    from audit.gate.verdict import Verdict
    from audit.results import Results
    from hipaudit.papers import Papers
    from reports.card import Card
    from reports.pdf import Variant

VERDICT = "verdict.json"
# Other people's model cards: (module, function of results and card).
CARDS = {
    "chai": ("hipaudit.exports.chai", "as_chai"),
    "huggingface": ("hipaudit.exports.huggingface", "as_huggingface"),
    "cyclonedx": ("hipaudit.exports.cyclonedx", "as_cyclonedx"),
}
BESIDE = {
    "json": "audit.json",
    "html": "report.html",
    "pdf": "report.pdf",
    "csv": "predictions.csv",
}


def write_verdict(folder: Path, verdict: Verdict) -> Path:
    return write_whole(folder / VERDICT, verdict.to_json())


def kept_verdict(folder: Path, results: Results) -> Verdict | None:
    """The verdict.json beside an audit.json, when it was passed on these very results."""
    from audit.gate.verdict import Verdict

    try:
        verdict = Verdict.model_validate_json((folder / VERDICT).read_bytes())
    except (OSError, ValueError):
        return None
    digest = hashlib.sha256(results.to_json().encode()).hexdigest()
    return verdict if verdict.audit_sha256 == digest else None


def render(
    results: Results,
    folder: Path,
    papers: Papers,
    verdict: Verdict,
    *,
    images: bool = True,
    variant: Variant = "pdf/ua-1",
) -> tuple[list[Path], list[str]]:
    """report.html and report.pdf in `folder`: the files written, and what could not be.

    The PDF carries audit, verdict, environment and the papers it was made from. One that cannot be
    made takes an older one away: it would show another audit.
    """
    from reports.pdf import render_pdf
    from reports.render import render_html

    page = partial(
        render_html,
        results,
        folder,
        card=papers.card,
        verdict=verdict.model_dump(mode="json"),
        images=images,
    )
    written = [write_whole(folder / BESIDE["html"], page())]
    attached = {
        "audit.json": results.to_json().encode(),
        VERDICT: verdict.to_json().encode(),
        "environment.txt": environment(results).encode(),
    }
    target = folder / BESIDE["pdf"]
    try:
        pdf = render_pdf(
            page(for_pdf=True),
            attachments={**attached, **papers.files},
            variant=variant,
            date=results.provenance.date,
        )
    except HipauditError as error:
        target.unlink(missing_ok=True)
        return written, [f"no PDF: {error}"]
    return [*written, write_whole(target, pdf)], []


def environment(results: Results) -> str:
    """What the audit ran on: a line per library with its version, as pip reads it."""
    known = results.provenance
    head = [f"# Python {known.python}, {known.platform}, device {known.device}"]
    return "\n".join([*head, *(f"{n}=={v}" for n, v in sorted(known.packages.items())), ""])


def write_outputs(
    outputs: tuple[tuple[str, Path], ...],
    results: Results,
    folder: Path,
    verdict: Verdict,
    card: Card | None = None,
) -> list[Path]:
    """Copies at the paths asked for. Raises HipauditError when there is nothing to copy."""
    written = []
    for kind, path in outputs:
        content = _made(kind, results, verdict, card) or _copied(kind, folder, path)
        if path.resolve() != (folder / BESIDE.get(kind, "")).resolve():
            write_whole(path, content)
        written.append(path)
    return written


def _made(kind: str, results: Results, verdict: Verdict, card: Card | None) -> str | None:
    """What is made from results, verdict and card alone; None for what is copied."""
    if kind == "md":
        from hipaudit.summary import as_markdown

        return as_markdown(results, verdict)
    if kind == "junit":
        from hipaudit.exports.junit import as_junit

        return as_junit(verdict)
    if kind == "sarif":
        from hipaudit.exports.sarif import as_sarif

        return as_sarif(verdict, results.tool_version)
    if kind in CARDS:
        from reports.card import Card

        module, function = CARDS[kind]
        made: str = getattr(import_module(module), function)(results, card or Card())
        return made
    return None


def _copied(kind: str, folder: Path, path: Path) -> bytes:
    source = folder / BESIDE[kind]
    if not source.is_file():
        raise HipauditError(
            f"{BESIDE[kind]} to copy to {path.name}",
            "that it could not be written",
            f"Run: hipaudit report {folder.name}/audit.json",
        )
    return source.read_bytes()
