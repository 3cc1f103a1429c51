"""What is attached to a PDF: the only door to pypdf. The file is not trusted."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from audit.errors import HipauditError

MOST = 200 * 2**20  # bytes of one attachment


def attachments(pdf: bytes) -> dict[str, bytes]:
    """Name -> content of every attached file. Raises HipauditError where the PDF cannot be read."""
    try:
        reader = PdfReader(BytesIO(pdf))
        found = {name: parts[0] for name, parts in reader.attachments.items() if parts}
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise HipauditError(
            "a PDF that can be read", f"one that is damaged ({type(error).__name__})", ""
        ) from error
    large = [name for name, content in found.items() if len(content) > MOST]
    if large:
        raise HipauditError("attachments of a report", "one larger than 200 MiB", "")
    return found
