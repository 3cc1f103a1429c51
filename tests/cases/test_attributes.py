"""Which columns become subgroups, and how their values are worded."""

from __future__ import annotations

import pytest
from pydicom.sr._snomed_dict import mapping
from pydicom.sr.codedict import codes

from audit.cases.attributes import age_band, choose_attributes
from audit.cases.view import CODES, derive_view, known_view


@pytest.mark.parametrize(
    ("age", "band"),
    [
        *(("049Y", "<50"), ("50", "50-59"), ("59", "50-59"), ("60", "60-69"), ("89", "80-89")),
        *(("90", "90+"), ("104", "90+"), ("018M", "<50"), ("", "unknown"), ("oud", "unknown")),
    ],
)
def test_ages_are_bands_topped_at_ninety(age: str, band: str) -> None:
    assert age_band(age) == band


def column(name: str, values: list[str]) -> tuple[dict[str, int] | None, str]:
    """(values chosen, note text) for one column."""
    chosen, notes = choose_attributes([{name: value} for value in values], [name])
    found = [row for row in chosen if row]
    text = notes[0].text if notes else ""
    return ({v: 1 for row in found for v in row.values()} if found else None), text


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("mrn", ["a", "a"]),
        ("patient_name", ["x", "x"]),
        ("birth_date", ["x", "x"]),
        ("opname", ["2020-01-31", "x"]),
        ("opname", ["20200131", "x"]),
        ("opname", ["31-01-2020", "x"]),
        ("ref", ["1.2.840.10008.1.2.1", "x"]),
        ("bron", ["data/a/b", "x"]),
        ("bron", ["scan1.dcm", "x"]),
        ("contact", ["a@b.nl", "x"]),
        ("width", ["100", "200"]),
        ("dose", [str(n) for n in range(40)]),
        ("finding", ["a sentence about this one patient that goes on and on"] * 2),
        ("nickname", ["ann", "bob", "cas", "dora", "eva", "fred"]),
    ],
)
def test_columns_that_could_name_a_person_or_are_continuous_are_left_out(
    name: str, values: list[str]
) -> None:
    chosen, note = column(name, values)
    assert chosen is None
    assert note.startswith(f"Columns not used as subgroups: {name} (")
    assert not any(value in note for value in values if len(value) > 4)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("sex", ["male", "V", "f", "?"], {"M", "F", "unknown"}),
        ("age", ["93", "041Y"], {"90+", "<50"}),
        ("age_band", ["50-59", "93", "80+"], {"50-59", "90+", "80+"}),
        ("view", ["AP", "LL", "skyline", ""], {"frontal", "lateral", "skyline", "unknown"}),
        ("laterality", ["left", "R"], {"L", "R"}),
        ("site", ["A", "B"], {"A", "B"}),
        ("hardware", ["0", "1"], {"0", "1"}),
    ],
)
def test_declared_groups_are_kept_in_common_words(
    name: str, values: list[str], expected: set[str]
) -> None:
    chosen, _ = column(name, values)
    assert set(chosen or ()) == expected


def test_a_column_without_any_value_is_no_attribute() -> None:
    assert column("site", ["", ""]) == (None, "")


@pytest.mark.parametrize(
    ("position", "code", "orientation", "words", "expected"),
    [
        ("AP", "", [], [], ("frontal", False)),
        ("PA", "", [], [], ("frontal", False)),
        ("LL", "", [], [], ("lateral", False)),
        ("RL", "", [], [], ("lateral", False)),
        ("", "399067008", [], [], ("lateral", False)),
        ("", "399348003", [], [], ("frontal", False)),
        ("", "", ["L", "F"], [], ("frontal", False)),
        ("", "", ["P", "F"], [], ("lateral", False)),
        ("", "", ["L", "P"], [], ("unknown", False)),
        ("", "", [], ["HIP LAT L"], ("lateral", False)),
        ("", "", [], ["Bekken AP"], ("frontal", False)),
        ("", "", [], ["Heup AP en lateraal"], ("unknown", False)),
        ("", "", [], ["collateral damage, lap"], ("unknown", False)),
        ("AP", "", ["P", "F"], [], ("unknown", True)),
        ("AP", "399067008", [], [], ("unknown", True)),
        ("AP", "399348003", ["R", "F"], ["hip ap"], ("frontal", False)),
        ("", "", [], [], ("unknown", False)),
    ],
)
def test_the_view_comes_from_what_the_header_agrees_on(
    position: str, code: str, orientation: list[str], words: list[str], expected: tuple[str, bool]
) -> None:
    assert derive_view(position, code, orientation, words) == expected


def test_a_view_in_a_table_keeps_its_own_word_when_unknown() -> None:
    assert known_view("Lauenstein") == "Lauenstein"
    assert known_view("a.p.") == "frontal"


def _meant(meaning: str) -> str | None:
    """The view a code's meaning states; axial and rare projections state none of ours."""
    if "axial" in meaning:
        return None
    if "oblique" in meaning and "caud" not in meaning and "cran" not in meaning:
        return "oblique"
    if meaning in ("antero-posterior", "postero-anterior", "frontal"):
        return "frontal"
    lateral = ("lateral", "left lateral", "right lateral", "medial-lateral", "lateral-medial")
    return "lateral" if meaning in (*lateral, "Sagittal") else None


def test_view_codes_mean_what_the_standard_says_in_both_vocabularies() -> None:
    views = {getattr(codes.cid4010, name) for name in codes.cid4010.dir()}
    assert len(views) > 40
    for code in views:
        assert CODES.get(code.value) == _meant(code.meaning), code.meaning
        older = {rt for rt, ct in mapping["SRT"].items() if ct == code.value}
        assert {CODES.get(rt) for rt in older} <= {_meant(code.meaning)}, code.meaning


def test_a_column_that_tells_patients_apart_is_left_out_whatever_its_name() -> None:
    people = [str(number // 4) for number in range(32)]  # eight patients, four images each
    names = ["ann", "bob", "cas", "dora", "eva", "fred", "guus", "hans"]
    rows = [{"patient_id": p, "wie": names[int(p)]} for p in people]
    chosen, notes = choose_attributes(rows, ["wie"])
    assert not any(chosen)
    assert "wie (nearly a value per patient)" in notes[0].text
    other, _ = choose_attributes(
        [{"subject": row["patient_id"], "wie": row["wie"]} for row in rows],
        ["wie"],
        patient_column="subject",
    )
    assert not any(other)


def test_an_attribute_that_differs_within_or_is_shared_between_patients_stays() -> None:
    rows = [
        {"patient_id": str(n // 4), "ward": "ab"[n // 16], "detector": f"d{n % 4}"}
        for n in range(32)
    ]
    chosen, notes = choose_attributes(rows, ["ward", "detector"])
    assert {name for row in chosen for name in row} == {"ward", "detector"}
    assert notes == []


@pytest.mark.parametrize("name", ["leeftijd", "age_at_exam", "patient_age", "alter"])
def test_ages_under_any_name_are_bands(name: str) -> None:
    chosen, _ = choose_attributes([{name: "93"}, {name: "61"}], [name])
    assert chosen == [{"age_band": "90+"}, {"age_band": "60-69"}]


def test_bands_above_ninety_are_one_band() -> None:
    rows = [{"age_band": text} for text in ("90-94", ">95", "95+", "<50", "80-89")]
    chosen, _ = choose_attributes(rows, ["age_band"])
    assert [row["age_band"] for row in chosen] == ["90+", "90+", "90+", "<50", "80-89"]


@pytest.mark.parametrize("name", ["naam", "referrer", "physician", "operator", "geboortedatum"])
def test_columns_that_name_people_in_other_words_are_left_out(name: str) -> None:
    assert column(name, ["x", "x"])[0] is None


def test_of_two_columns_with_one_meaning_the_first_is_used_and_the_other_named() -> None:
    chosen, notes = choose_attributes([{"age": "61", "leeftijd": "62"}], ["age", "leeftijd"])
    assert chosen == [{"age_band": "60-69"}]
    assert "leeftijd (a second age_band)" in notes[0].text
