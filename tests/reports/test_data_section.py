"""Section 3 says what became of the files and what the data carries, once and in counts only."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from audit.results import DataDescription, Finding, Note, ProbeReport, Results, Skipped
from reports.blocks import Figure, Table
from reports.card import Card
from reports.language import speaking
from reports.material import Material
from reports.panels.registry import load_panels
from reports.suppression import suppressed
from reports.values.registry import load_values
from reports.verdict import read_verdict
from tests.sample_results import sample_results


def material(results: Results) -> Material:
    return Material(results, Path(), Card(), read_verdict(None))


def described(**changes: object) -> Results:
    results = sample_results()
    return results.model_copy(update={"data": results.data.model_copy(update=changes)})


def table_of(results: Results) -> dict[str, str]:
    blocks = load_panels()["data_flow"](material(results))
    (table,) = (b for b in blocks if isinstance(b, Table))
    return {str(row[0]): str(row[1]) for row in table.rows}


def test_files_add_up_from_found_to_examined() -> None:
    """7 skipped of 407 for three reasons; 400 read, all examined, 61 of them positive."""
    reasons = ["no pixel data"] * 4 + ["truncated PNG"] * 2 + ["damaged DICOM header"]
    skipped = tuple(Skipped(case=f"file {i}", reason=why) for i, why in enumerate(reasons))
    told = table_of(described(skipped=skipped, cases=400, labels={"normal": 339, "fracture": 61}))
    assert told["Files found"] == "407"
    assert told["Skipped"] == "7"
    assert [told[f"– {why}"] for why in dict.fromkeys(reasons)] == ["4", "2", "1"]
    assert told["Cases read"] == told["Cases examined"] == "400"
    assert (told["– normal"], told["– fracture"]) == ("339", "61")


def test_a_sample_is_counted_by_label_from_what_was_examined() -> None:
    results = described(cases=1000, labels={"normal": 850, "fracture": 150})
    told = table_of(results)
    assert told["Not examined (sampled out)"] == "600"
    positive = results.model.positive_class
    assert (told[f"– {positive}"], told["– other"]) == ("61", "339"), "of the clean rates"


def test_many_reasons_and_labels_are_cut_to_the_commonest() -> None:
    reasons = [f"reason {i}" for i in range(9) for _ in range(9 - i)]
    skipped = tuple(Skipped(case=f"file {i}", reason=why) for i, why in enumerate(reasons))
    labels = {f"class {i}": 10 + i for i in range(40)}
    told = table_of(described(skipped=skipped, labels=labels, cases=400))
    assert told["– other reasons"] == str(5 + 4 + 3 + 2 + 1)
    assert sum(name.startswith("– class") for name in told) == 4
    assert told["– other labels"] == str(sum(10 + i for i in range(36)))


def test_the_diagram_is_a_picture_in_words_as_well_and_the_same_twice() -> None:
    first, again = (load_panels()["data_flow"](material(sample_results())) for _ in range(2))
    figure = next(b for b in first if isinstance(b, Figure))
    assert figure.source == next(b for b in again if isinstance(b, Figure)).source
    svg = base64.b64decode(figure.source.partition("base64,")[2]).decode()
    assert svg.startswith("<svg")
    assert "400 read" in figure.alt


def test_names_of_any_length_and_script_are_drawn() -> None:
    labels = {"\u202eevil<script>" * 40: 200, "骨折 " * 60: 200}
    results = described(labels=labels, name="x" * 4000, cases=400)
    with speaking("nl"):
        assert load_panels()["data_flow"](material(results))
        assert load_values()["data.labels"](material(results))


def test_an_attribute_has_one_row_with_its_values_and_its_gaps() -> None:
    attributes = {"view": {"frontal": 300, "lateral": 90, "unknown": 10}, "sex": {"F": 390, "": 10}}
    (table,) = load_panels()["data_attributes"](
        material(described(attributes=attributes, cases=400))
    )
    assert isinstance(table, Table)
    assert table.rows == [
        ["view", "frontal 300, lateral 90", "10/400 (2.5%)"],
        ["sex", "F 390", "10/400 (2.5%)"],
    ]
    assert load_values()["data.missing"](material(described(attributes=attributes))) == (
        "In view and sex; how many stands in the table of attributes."
    )


def test_suppressed_values_are_told_together_and_never_as_missing() -> None:
    attributes = {"view": {"frontal": 397, "oblique": 3}}
    results = suppressed(described(attributes=attributes, cases=400), 5)
    (table,) = load_panels()["data_attributes"](material(results))
    assert isinstance(table, Table)
    assert table.rows == [["view", "others, suppressed 400", "0/400"]]


def test_skipped_and_burned_in_counts_that_are_left_out_say_so() -> None:
    few = (Skipped(case="file 1", reason="no pixel data"),)
    results = suppressed(described(skipped=few, burned_in=2, cases=400), 5)
    told = table_of(results)
    assert told["Skipped"] == "suppressed: fewer than 5"
    assert load_values()["data.burned_in"](material(results)) == "suppressed: fewer than 5"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Images are dated"), ("nl", "De beelden zijn van")]
)
def test_years_come_from_the_files_in_the_language_spoken(language, words) -> None:
    years = Note(code="years", level="info", text="Images are dated 2016 to 2018.")
    with speaking(language):
        (told,) = load_values()["data.years"](material(described(notes=(years,))))
    assert told.startswith(words)
    assert "2016" in told
    assert load_values()["data.years"](material(described(notes=()))) is None


def leaked(count: int) -> Results:
    pairs = [[f"{i:016x}", f"{i + 100:016x}", "identical pixels"] for i in range(count)]
    report = ProbeReport(
        probe="leakage",
        details={"trained_on": 900, "pixels_across": pairs, "pixels_within": pairs[:1]},
        notes=(Note(code="leakage-pixels", level="warning", text=f"{count} of 400: …"),),
        findings=(
            Finding(metric="accuracy_leaked", value=0.9, low=0.7, high=1.0, n=count, events=count),
        ),
    )
    return sample_results().model_copy(update={"probes": (report,)})


def test_pairs_are_counted_in_the_field_and_cut_in_the_table() -> None:
    results = leaked(30)
    told = load_values()["data.overlap"](material(results))
    assert told[:2] == [
        "Compared with 900 training images.",
        "30 audited images lie in the training data with identical pixels.",
    ]
    assert not any("0000000" in line for line in told), "case ids stand in the table"
    (table,) = load_panels()["repeated_images"](material(results))
    assert isinstance(table, Table)
    assert len(table.rows) == 12
    assert "12 of 31" in table.note
    assert table.caption == "Repeated images (31 pairs)"
    repeats = load_values()["data.duplicates"](material(results))
    assert repeats.startswith("2 of the audited images repeat one another: 1 pair with identical")


def test_without_patient_ids_the_field_says_so() -> None:
    told = load_values()["data.patients"]
    assert "no patient ids" in told(material(described(patients=None)))
    assert told(material(described(patients=160, cases=400))) == (
        "160 patients, 2.5 images each on average"
    )


def test_an_empty_description_breaks_nothing() -> None:
    bare = sample_results().model_copy(update={"data": DataDescription(layout="x", cases=400)})
    for name, give in load_values().items():
        if name.startswith("data."):
            give(material(bare))
    assert load_panels()["data_attributes"](material(bare)) == []
