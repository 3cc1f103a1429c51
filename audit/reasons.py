"""Why something failed, in words that may be shown: no path, UID or date of a file."""

from __future__ import annotations

import re

from audit.errors import HipauditError, StressFailed

HIDDEN = "…"
_PATHS = re.compile(
    r"""(['"])[^'"\n]*[/\\][^'"\n]*\1"""  # quoted, blanks included
    r"""|(?![\d./-]+(?![\w/\\]))[^\s'"(),:;]*[/\\][^\s'"(),;]*"""  # bare; 2/255 is a number
    r"""|(['"])[^'"\n]*\.(?:png|jpe?g|dcm|dicom|csv|tsv|txt|ya?ml)\2"""
    r"""|[^\s'"(),:;]+\.(?:png|jpe?g|dcm|dicom|csv|tsv|txt)\b""",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    r"\b\d+(?:\.\d+){4,}\b|\b\d{4}[-/.]\d{2}[-/.]\d{2}\b|\b(?:19|20)\d{2}[01]\d[0-3]\d\b"
)


def reason_of(error: BaseException) -> str:
    """`Type: message` of an exception, on one line.

    Our own errors are made of our own words and stay. Of an OSError the system's words are
    kept and its file names left out; in any other message what looks like a path, a file
    name, a DICOM UID or a date becomes "…".

    >>> reason_of(FileNotFoundError(2, "No such file or directory", "/scans/J Doe.dcm"))
    'FileNotFoundError: No such file or directory'
    >>> reason_of(RuntimeError("cannot read '/scans/J Doe.dcm' at 2/255"))
    'RuntimeError: cannot read … at 2/255'
    """
    name = type(error).__name__
    if isinstance(error, OSError):
        return f"{name}: {error.strerror}" if error.strerror else name
    text = " ".join(str(error).split())
    if not isinstance(error, HipauditError | StressFailed):
        text = _NUMBERS.sub(HIDDEN, _PATHS.sub(HIDDEN, text))
    return f"{name}: {text}" if text else name
