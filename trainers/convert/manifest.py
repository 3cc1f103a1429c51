"""The de-identified manifest: what an audit needs to look for confounders, and nobody's name."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from audit.cases.case import Case
from audit.cases.split import PREFERRED, TRAINING
from audit.errors import HipauditError, did_you_mean

FIXED = ("path", "label", "patient_id", "split", "boxes", "burned_in", "synthetic")
ALLOWED = ("view", "sex", "age_band", "vendor", "scanner", "laterality")
SPLITS = (*PREFERRED, *TRAINING)
UNKNOWN = "unknown"
Row = dict[str, str]


def check_kept(keep: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a column that the reader did not find, or did not let through."""
    for name in keep:
        if name not in known:
            others = [column for column in known if column not in (*ALLOWED, "split")]
            raise HipauditError(
                "a column to keep among those that may be subgroups",
                f'"{name}"',
                did_you_mean(name, others) or "The table has no further column that may be kept.",
            )


def row_of(
    case: Case, path: str, factors: tuple[float, float], keep: Sequence[str], *, synthetic: bool
) -> Row:
    """One line. Unknown is blank; a split under an unusual name is left blank."""
    told = {name: case.attributes.get(name, "") for name in (*ALLOWED, *keep)}
    split = case.attributes.get("split", "")
    return {
        "path": path,
        "label": case.label,
        "patient_id": case.patient or "",
        "split": split if split.lower() in SPLITS else "",
        **{name: "" if value == UNKNOWN else value for name, value in told.items()},
        "boxes": _boxes(case, *factors),
        "burned_in": {True: "yes", False: "no", None: ""}[case.burned_in],
        "synthetic": "yes" if synthetic else "",
    }


def _boxes(case: Case, across: float, down: float) -> str:
    """As the reader wants them, in pixels of the written image."""
    return ";".join(
        f"{x0 * across:.6g} {y0 * down:.6g} {x1 * across:.6g} {y1 * down:.6g}"
        for x0, y0, x1, y1 in case.boxes
    )


def manifest_csv(rows: Sequence[Mapping[str, str]], keep: Sequence[str]) -> str:
    """All rows in the order of their paths; a column that is blank throughout is left out.

    `path` and `label` always stand: a label that is missing can be written in by hand.
    """
    columns = [*FIXED[:4], *ALLOWED, *keep, *FIXED[4:]]
    used = [
        name
        for name in dict.fromkeys(columns)
        if name in ("path", "label") or any(row[name] for row in rows)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, used, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: row["path"]))
    return text.getvalue()
