"""HTML to PDF, sealed: the only door to WeasyPrint, always in a child process.

The child fetches nothing: only `data:` addresses are answered. The same input gives the same
bytes on the same machine (fixed identifier, dates from the audit, SOURCE_DATE_EPOCH).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.errors import HipauditError
from reports.edition import Variant
from reports.tagging import finish

NO_PANGO = 41


def render_pdf(
    html: str,
    *,
    attachments: Mapping[str, bytes],
    variant: Variant = "pdf/ua-1",
    timeout: float = 180,
    date: str,
) -> bytes:
    """The PDF of `html`, tagged, with `attachments` (file name -> bytes) inside.

    `date`: day of the audit, YYYY-MM-DD. Raises HipauditError when Pango is missing, when the
    rendering takes longer than `timeout` seconds, or when it fails.
    """
    job = {
        "html": html,
        "attachments": {
            name: base64.b64encode(data).decode() for name, data in sorted(attachments.items())
        },
        "variant": variant,
        "date": date,
    }
    try:
        child = subprocess.run(
            [sys.executable, "-m", "reports.pdf"],
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=timeout,
            env=_environment(date),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HipauditError(
            f"a PDF within {timeout:g} seconds",
            "that it takes longer",
            "The HTML and JSON editions are complete; --no-images makes the PDF smaller.",
        ) from error
    if child.returncode == NO_PANGO:
        raise HipauditError(
            "Pango, which draws the text of the PDF",
            "that it is not installed",
            "Type: apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0. "
            "The HTML and JSON editions need no Pango.",
        )
    if child.returncode != 0 or not child.stdout.startswith(b"%PDF"):
        last = child.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise HipauditError(
            "a PDF from WeasyPrint",
            "".join(last)[:300] or f"that it ended with {child.returncode}",
            "The HTML and JSON editions are complete.",
        )
    return child.stdout


def _environment(date: str) -> dict[str, str]:
    home = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "SOURCE_DATE_EPOCH": str(_epoch(date))}


def _epoch(date: str) -> int:
    try:
        return int(datetime.fromisoformat(date[:10]).replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise HipauditError("a date as YYYY-MM-DD", repr(date[:40])) from error


def build(job: Mapping[str, Any]) -> bytes:
    """What the child does: a job (html, attachments in base64, variant, date) to PDF bytes.

    Raises OSError when the libraries WeasyPrint draws with are missing.
    """
    from weasyprint import HTML, Attachment
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Sealed(URLFetcher):  # type: ignore[misc]  # WeasyPrint asks for its own class
        """Answers `data:` addresses; refuses everything else."""

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            if not url.startswith("data:"):
                raise ValueError("the report fetches nothing")
            return super().fetch(url, headers)

    day = datetime.fromtimestamp(_epoch(job["date"]), tz=UTC)
    attached = {name: base64.b64decode(data) for name, data in job["attachments"].items()}
    files = [
        Attachment(
            string=data,
            name=name,
            description=described(name, data, place, len(attached)),
            created=day,
            modified=day,
        )
        for place, (name, data) in enumerate(sorted(attached.items()), start=1)
    ]
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:32]
    document = HTML(string=job["html"], url_fetcher=Sealed(), base_url=None)
    pdf: bytes = document.write_pdf(
        finisher=lambda _, made: finish(made, archive=job["variant"].startswith("pdf/a")),
        attachments=files,
        pdf_variant=job["variant"],
        pdf_identifier=digest.encode(),
        pdf_tags=True,
        custom_metadata=False,
    )
    return pdf


def described(name: str, content: bytes, place: int, of: int) -> str:
    """What a PDF says of an attached file: then a changed or missing one is noticed.

    >>> described("a.json", b"{}", 1, 2)[:30]
    'a.json, file 1 of 2, sha256 44'
    """
    return f"{name}, file {place} of {of}, sha256 {hashlib.sha256(content).hexdigest()}"


def main() -> int:
    """Job as JSON on stdin, PDF on stdout; `NO_PANGO` when Pango cannot be loaded."""
    job = json.load(sys.stdin)
    try:
        pdf = build(job)
    except OSError as error:
        if "cannot load library" in str(error):
            return NO_PANGO
        raise
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
