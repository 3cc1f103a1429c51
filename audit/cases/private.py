"""Who is who: the one table that leads from a case id back to a file."""

from __future__ import annotations

import csv
import io

from audit.cases.case import Cases


def private_csv(cases: Cases) -> str:
    """`case,path` for every case and every skipped one, as CSV text. Write it with mode 0600,
    outside every report. Cases from arrays have no path and give the header alone.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "path"])
    writer.writerows(sorted(cases._paths.items()))
    return text.getvalue()
