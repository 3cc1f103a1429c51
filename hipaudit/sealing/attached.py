"""What is attached to a PDF: the only door to pypdf. The file is not trusted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from pypdf import PdfReader

from audit.errors import HipauditError

MOST = 200 * 2**20  # bytes of one attachment


@dataclass(frozen=True)
class Attached:
    """One attached file: its name, its content, and what its description says of it."""

    name: str
    content: bytes
    description: str


def attached(pdf: bytes) -> list[Attached]:
    """Every attached file, by name. Raises HipauditError where the PDF cannot be read."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it talks of damage; one line does
    try:
        reader = PdfReader(BytesIO(pdf))
        closed = reader.is_encrypted
        found = [] if closed else sorted(_files(reader), key=lambda one: one.name)
    except Exception as error:  # a hostile file may break the reader in any way
        raise HipauditError(
            "a PDF that can be read",
            f"one that is damaged ({type(error).__name__})",
            "Take the file as hipaudit wrote it, or render it again: hipaudit report AUDIT.json",
        ) from error
    if closed:
        raise HipauditError(
            "a PDF without a password, as hipaudit writes it",
            "one that is encrypted",
            "Take the file as hipaudit wrote it.",
        )
    if any(len(one.content) > MOST for one in found):
        raise HipauditError("attachments of a report", "one larger than 200 MiB")
    return found


def attachments(pdf: bytes) -> dict[str, bytes]:
    """Name -> content of every attached file. Raises HipauditError where the PDF cannot be read."""
    return {one.name: one.content for one in attached(pdf)}


def _files(reader: PdfReader) -> Iterator[Attached]:
    for one in reader.attachment_list:
        yield Attached(one.name, one.content, str(one.description or ""))
