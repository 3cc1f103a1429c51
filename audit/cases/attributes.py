"""Which columns may become subgroups, and in which words. Nothing that could name a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from audit.cases.view import known_view
from audit.results import Note

UNKNOWN = "unknown"
MAX_VALUES = 20
MAX_LENGTH = 40
# Columns with a meaning of their own; they describe groups of people or machines by design.
GROUPS = {"view", "sex", "age_band", "laterality", "site", "device", "vendor", "scanner"}
IDENTIFIER_WORDS = {
    *("id", "ids", "uid", "uuid", "guid", "mrn", "bsn", "ssn", "accession", "patient"),
    *("path", "paths", "file", "filename", "url", "name", "names", "address", "phone", "email"),
    *("date", "dates", "time", "datetime", "timestamp", "birth", "birthdate", "dob", "born"),
    *("death", "postcode", "zip", "comment", "comments", "remark", "remarks", "report", "note"),
    *("notes", "surname", "lastname", "firstname", "forename", "initials", "nickname"),
    *("street", "city", "tel", "telephone", "mobile", "fax", "nhs", "nino", "insurance", "account"),
    *("physician", "physicians", "doctor", "referrer", "referring", "operator", "operators"),
    *("radiologist", "radiographer", "technician", "technologist", "surgeon", "nurse", "employer"),
    *("naam", "voornaam", "achternaam", "geboortedatum", "datum", "adres", "arts", "verwijzer"),
    *("nom", "prenom", "prénom", "nombre", "apellido", "geburtsdatum", "vorname", "nachname"),
}
AGE_WORDS = {"age", "ages", "leeftijd", "alter", "edad"}
FEWEST_PATIENTS = 6  # with fewer, any body part can happen to tell them apart
SIZE_WORDS = {"width", "height", "rows", "columns", "pixels", "bytes", "spacing", "weight"}
IDENTIFIER_VALUE = re.compile(
    r"\d+(\.\d+){4,}"  # UID
    r"|\d{4}[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])([T ].*)?"  # 2020-01-31, 20200131
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"  # 31-01-2020
    r"|.*\.(png|jpe?g|dcm|dicom|csv|txt)"
    r"|.*[\\@\r\n].*|.*/.*/.*",
    re.IGNORECASE,
)
SEXES = {
    **dict.fromkeys(("m", "male", "man"), "M"),
    **dict.fromkeys(("f", "female", "woman", "v", "vrouw"), "F"),
    **dict.fromkeys(("o", "other", "x"), "O"),
}
SIDES = {"l": "L", "left": "L", "r": "R", "right": "R", "b": "B", "both": "B", "bilateral": "B"}


def age_band(age: str) -> str:
    """An age in years ("47", "047Y", "18M") as a ten-year band, topped at 90+.

    >>> age_band("047Y"), age_band("61"), age_band("97"), age_band("")
    ('<50', '60-69', '90+', 'unknown')
    """
    found = re.fullmatch(r"(\d{1,3})(?:\.\d+)?\s*([YMWD]?)", age.strip().upper())
    if not found:
        return UNKNOWN
    years = int(found[1]) if found[2] in ("", "Y") else 0
    if years < 50:
        return "<50"
    return "90+" if years >= 90 else f"{years // 10 * 10}-{years // 10 * 10 + 9}"


def band(text: str) -> str:
    """What an age_band column says: our bands and coarser ranges stay, single ages are banded."""
    plain = text.strip()
    range_or_limit = r"[<>≤≥]?\s*(\d{1,2})\+?|(\d{1,2})\s*[-–]\s*\d{1,2}"
    found = re.fullmatch(range_or_limit, plain)
    if found and not plain.isdigit():
        if plain[0] not in "<≤" and int(found[1] or found[2]) >= 90:
            return "90+"
        return plain.replace("–", "-").replace(" ", "")
    return age_band(plain)


def choose_attributes(
    rows: Sequence[Mapping[str, str]],
    columns: Iterable[str],
    view_column: str = "view",
    patient_column: str = "patient_id",
) -> tuple[list[dict[str, str]], list[Note]]:
    """Subgroup values per row, and a note naming the columns that were left out and why.

    Left out: identifiers, paths, dates, free text, sizes, columns of more than 20 values, and
    columns that tell the patients of `patient_column` apart. An empty cell is "unknown": a
    missing attribute is itself something to report.
    """
    chosen: list[dict[str, str]] = [{} for _ in rows]
    patients = [row.get(patient_column, "") for row in rows]
    dropped: list[str] = []
    for column in columns:
        name, values = _named(column, [row.get(column, "") for row in rows], view_column)
        reason = _unfit(name, values) or _tells_patients_apart(name, values, patients)
        if reason:
            dropped.append(f"{column} ({reason})")
        elif any(name in attributes for attributes in chosen):
            dropped.append(f"{column} (a second {name})")
        elif any(value != UNKNOWN for value in values):
            for attributes, value in zip(chosen, values, strict=True):
                attributes[name] = value
    if not dropped:
        return chosen, []
    text = "Columns not used as subgroups: " + ", ".join(sorted(dropped)) + "."
    return chosen, [Note(code="columns", level="info", text=text)]


def _named(column: str, values: list[str], view_column: str) -> tuple[str, list[str]]:
    if column == view_column or column == "view_position":
        return "view", [known_view(value) or UNKNOWN for value in values]
    if column == "age_band":
        return column, [band(value) for value in values]
    if AGE_WORDS & set(column.split("_")):
        return "age_band", [band(value) for value in values]
    if column in ("sex", "gender", "patient_sex"):
        return "sex", [SEXES.get(value.lower(), UNKNOWN) for value in values]
    if column == "laterality":
        return column, [SIDES.get(value.lower(), UNKNOWN) for value in values]
    return column, [value or UNKNOWN for value in values]


def _unfit(name: str, values: list[str]) -> str:
    """Why a column may not be a subgroup, or nothing."""
    words = set(name.split("_"))
    distinct = set(values) - {UNKNOWN}
    if name not in GROUPS and words & IDENTIFIER_WORDS:
        return "identifier or date"
    if any(IDENTIFIER_VALUE.fullmatch(value) for value in distinct):
        return "identifier or date"
    if words & SIZE_WORDS:
        return "continuous"
    if len(distinct) > MAX_VALUES:
        return f"more than {MAX_VALUES} values"
    if any(len(value) > MAX_LENGTH for value in distinct):
        return "free text"
    if name not in GROUPS and len(values) >= 6 and len(distinct) > len(values) / 2:
        return "nearly a value per case"
    return ""


def _tells_patients_apart(name: str, values: list[str], patients: list[str]) -> str:
    """A second identifier under another name: one value per patient, and most of them differ."""
    of: dict[str, set[str]] = {}
    for patient, value in zip(patients, values, strict=True):
        if patient and value != UNKNOWN:
            of.setdefault(patient, set()).add(value)
    distinct = {value for found in of.values() for value in found}
    constant = all(len(found) == 1 for found in of.values())
    if name in GROUPS or len(of) < FEWEST_PATIENTS or not constant:
        return ""
    return "nearly a value per patient" if len(distinct) > len(of) / 2 else ""
