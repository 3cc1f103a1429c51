"""Who is who: the one table that leads from a case id back to a file."""

from __future__ import annotations

import csv
import io
import os

from audit.cases.case import Cases


def writable(name: str) -> str:
    """A file name as text that can be written: bytes that are no UTF-8 become \\xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def private_csv(cases: Cases) -> str:
    """`case,path` for every case and every skipped one, as CSV text. Write it with mode 0600,
    outside every report. Cases from arrays have no path and give the header alone.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "path"])
    writer.writerows(sorted((case, writable(place)) for case, place in cases._paths.items()))
    return text.getvalue()
