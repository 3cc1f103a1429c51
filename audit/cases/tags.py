"""The allow-list: the only things of a DICOM header that leave the reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from audit.cases.attributes import SEXES, SIDES, UNKNOWN, age_band
from audit.cases.view import UNKNOWN as UNKNOWN_VIEW
from audit.cases.view import derive_view

Tag = Callable[[str], Sequence[str]]


def allowed_tags(values: Tag) -> dict[str, str]:
    """Subgroup attributes and remarks from a header; `values(keyword)` gives a tag's values.

    "patient" is for pseudonyms and "year" for a range of years; neither goes further.
    """

    def first(keyword: str) -> str:
        return next(iter(values(keyword)), "")

    view, conflict = derive_view(
        first("ViewPosition"),
        first("ViewCodeSequence"),
        values("PatientOrientation"),
        [first(k) for k in ("SeriesDescription", "ProtocolName", "ViewName")],
    )
    date = next((d for k in ("StudyDate", "AcquisitionDate") if (d := first(k))), "")
    found = {
        "view": view if view != UNKNOWN_VIEW else "",
        "view_conflict": "yes" if conflict else "",
        "sex": SEXES.get(first("PatientSex").lower(), ""),
        "age_band": _age(first("PatientAge"), first("PatientBirthDate"), date),
        "vendor": _words(first("Manufacturer")),
        "scanner": _words(first("ManufacturerModelName")),
        "laterality": _side(first("ImageLaterality") or first("Laterality")),
        "burned_in": first("BurnedInAnnotation").upper(),
        "synthetic": "yes" if first("SyntheticData").upper() == "YES" else "",
        "patient": first("PatientID"),
        "year": date[:4] if re.match(r"(19|20)\d\d", date) else "",
    }
    return {name: value for name, value in found.items() if value}


def _age(age: str, born: str, date: str) -> str:
    """From PatientAge (0010,1010), else from the two dates, as a band only."""
    band = age_band(age)
    if band == UNKNOWN and re.match(r"\d{8}", born) and re.match(r"\d{8}", date):
        years = int(date[:4]) - int(born[:4]) - (date[4:8] < born[4:8])
        band = age_band(str(years)) if years >= 0 else UNKNOWN
    return "" if band == UNKNOWN else band


def _words(text: str) -> str:
    """A maker's words, without what could break a table or a page."""
    return " ".join(re.sub(r"[^\w .,+()/-]", " ", text).split())[:40]


def _side(text: str) -> str:
    return SIDES.get(text.lower(), "")
