"""Files beside audit.json, and copies where a user wants them."""

from __future__ import annotations

import hashlib
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import HipauditError
from audit.files import write_whole
from reports.edition import ENGLISH, Edition

if TYPE_CHECKING:
    from audit.gate.verdict import Verdict
    from audit.results import Results
    from hipaudit.papers import Papers

VERDICT = "verdict.json"
# Other people's model cards: (module, function of results and card).
CARDS = {
    "chai": ("hipaudit.exports.chai", "as_chai"),
    "huggingface": ("hipaudit.exports.huggingface", "as_huggingface"),
    "cyclonedx": ("hipaudit.exports.cyclonedx", "as_cyclonedx"),
}
SUPPRESSED = (
    "counts below {below} are suppressed in the report and what is exported; audit.json, "
    "verdict.json, predictions.csv and figures beside it hold every count"
)
BESIDE = {
    "json": "audit.json",
    "html": "report.html",
    "pdf": "report.pdf",
    "csv": "predictions.csv",
}


def beside(kind: str, edition: Edition) -> str:
    """The name of a file beside audit.json; a report in another language has that in its name."""
    name = BESIDE[kind]
    if edition.language == "en" or kind not in {"html", "pdf"}:
        return name
    return f"report.{edition.language}.{kind}"


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


def shown(results: Results, verdict: Verdict, edition: Edition) -> tuple[Results, Verdict]:
    """What the edition may show: with small counts suppressed, where that was asked for.

    Raises HipauditError when there are fewer cases altogether than a count must be of.
    """
    if not edition.suppress:
        return results, verdict
    from audit.gate.verdict import Verdict
    from reports.suppression import suppressed, suppressed_verdict

    told = suppressed(results, edition.suppress)
    said = suppressed_verdict(verdict.model_dump(), results, told, edition.suppress)
    said["audit_sha256"] = hashlib.sha256(told.to_json().encode()).hexdigest()
    return told, Verdict.model_validate(said)


def render(
    results: Results,
    folder: Path,
    papers: Papers,
    verdict: Verdict,
    edition: Edition,
) -> tuple[list[Path], list[str]]:
    """report.html and report.pdf in `folder`: the files written, and what could not be.

    The PDF carries audit, verdict, environment and the papers it was made from. One that cannot be
    made takes an older one away: it would show another audit.
    """
    from reports.baselines import NAME as BASELINES
    from reports.baselines import baselines_json
    from reports.pdf import render_pdf
    from reports.render import render_html

    results, verdict = shown(results, verdict, edition)
    remarks = [SUPPRESSED.format(below=edition.suppress)] if edition.suppress else []
    page = partial(
        render_html,
        results,
        folder,
        card=papers.card,
        verdict=verdict.model_dump(mode="json"),
        edition=edition,
    )
    written = [write_whole(folder / beside("html", edition), page())]
    attached = {
        "audit.json": results.to_json().encode(),
        VERDICT: verdict.to_json().encode(),
        "environment.txt": environment(results).encode(),
    }
    if told := baselines_json(results):
        attached[BASELINES] = told.encode()
    target = folder / beside("pdf", edition)
    try:
        pdf = render_pdf(
            page(for_pdf=True),
            attachments={**attached, **papers.files},
            variant=edition.variant,
            date=results.provenance.date,
        )
    except HipauditError as error:
        target.unlink(missing_ok=True)
        return written, [*remarks, f"no PDF: {error}"]
    return [*written, write_whole(target, pdf)], remarks


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
    papers: Papers,
    edition: Edition = ENGLISH,
) -> list[Path]:
    """Copies at the paths asked for. Raises HipauditError when there is nothing to copy."""
    written = []
    told, said = shown(results, verdict, edition) if outputs else (results, verdict)
    for kind, path in outputs:
        content = _made(kind, told, said, papers) or _copied(kind, folder, path, edition)
        if kind not in BESIDE or path.resolve() != (folder / beside(kind, edition)).resolve():
            write_whole(path, content)
        written.append(path)
    return written


def _made(kind: str, results: Results, verdict: Verdict, papers: Papers) -> str | None:
    """What is made from results, verdict and papers alone; None for what is copied."""
    if kind == "md":
        from hipaudit.summary import as_markdown

        return as_markdown(results, verdict)
    if kind == "junit":
        from hipaudit.exports.junit import as_junit

        return as_junit(verdict)
    if kind == "sarif":
        from hipaudit.exports.sarif import as_sarif

        return as_sarif(verdict, results.tool_version, papers.rules_at)
    if kind in CARDS:
        from reports.card import Card

        module, function = CARDS[kind]
        made: str = getattr(import_module(module), function)(results, papers.card or Card())
        return made
    return None


def _copied(kind: str, folder: Path, path: Path, edition: Edition) -> bytes:
    source = folder / beside(kind, edition)
    if not source.is_file():
        raise HipauditError(
            f"{source.name} to copy to {path.name}",
            "that it could not be written",
            f"Run: hipaudit report {folder.name}/audit.json",
        )
    return source.read_bytes()
