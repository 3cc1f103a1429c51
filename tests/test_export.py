"""predictions.csv: every row comes back, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from audit.decision import Decision
from audit.evidence import Predictions, Subject
from audit.export import plain_text, predictions_csv, write_predictions
from tests.tables import attack, evidence, rows, says, table

TARGETS, CALLED = [1, 1, 0, 0], [1, 0, 0, 1]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def small() -> Predictions:
    attributes = [{"view": "frontal", "sex": "F"}, {"view": "lateral"}, {}, {"sex": "M"}]
    run = attack(TARGETS, CALLED, {0}, eight=set())
    return table(
        TARGETS, CALLED, run, patients=["P0001", "P0001", None, "P0002"], attributes=attributes
    )


def test_there_is_a_row_per_case_run_and_variant_in_the_order_of_the_table() -> None:
    found = read(predictions_csv(small()))
    assert [(r["run"], r["case"], r["variant"]) for r in found] == [
        ("clean", "c0000", ""),
        ("clean", "c0001", ""),
        ("clean", "c0002", ""),
        ("clean", "c0003", ""),
        ("fgsm", "c0000", "epsilon=2/255"),
        ("fgsm", "c0002", "epsilon=2/255"),
    ]
    assert [r["label"] for r in found[:4]] == ["fracture", "fracture", "normal", "normal"]
    assert [r["decided"] for r in found[:4]] == ["fracture", "normal", "normal", "fracture"]
    assert [r["patient"] for r in found[:4]] == ["P0001", "P0001", "", "P0002"]
    assert [r["attribute_view"] for r in found[:4]] == ["frontal", "lateral", "", ""]
    assert [r["attribute_sex"] for r in found[:4]] == ["F", "", "", "M"]


def test_success_is_empty_where_nothing_was_attacked() -> None:
    found = read(predictions_csv(small()))
    assert [(r["success"], r["success_8bit"], r["queries"]) for r in found[3:]] == [
        ("", "", ""),
        ("1", "0", ""),
        ("0", "0", ""),
    ]


def test_logits_come_back_as_the_same_float32_and_probabilities_are_softmax() -> None:
    rng = np.random.default_rng(0)
    logits = (rng.normal(0, 30, (40, 3))).astype(np.float32)
    subjects = tuple(Subject(f"c{i:02d}", i % 3, None, {}) for i in range(40))
    clean = evidence(rows(range(40), logits), range(40))
    whole = Predictions(subjects, ("a", "b", "c"), Decision(1), (clean,))
    found = read(predictions_csv(whole))
    back = np.array([[r["logit_a"], r["logit_b"], r["logit_c"]] for r in found], np.float32)
    assert (back == logits).all()
    chance = softmax(logits.astype(float), axis=1)[:, 1]
    assert [float(r["p_positive"]) for r in found] == pytest.approx(chance.tolist(), rel=1e-6)


def test_an_output_that_is_not_finite_has_no_decision_and_no_probability() -> None:
    logits = says(CALLED)
    logits[1] = np.nan
    whole = table(TARGETS, CALLED)
    whole = replace(whole, runs=(evidence(rows(range(4), logits), range(4)),))
    found = read(predictions_csv(whole))[1]
    assert (found["decided"], found["p_positive"], found["logit_normal"]) == ("", "", "")


def test_what_was_found_is_json() -> None:
    whole = small()
    run = whole.runs[1]
    part = replace(run.rows, found=({"x": 3, "y": 7, "value": 0.5}, {}))
    whole = replace(whole, runs=(whole.runs[0], replace(run, rows=part)))
    found = read(predictions_csv(whole))
    assert json.loads(found[4]["found"]) == {"x": 3, "y": 7, "value": 0.5}
    assert found[5]["found"] == ""


def test_the_same_table_gives_the_same_text() -> None:
    assert predictions_csv(small()) == predictions_csv(small())


EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", '=HYPERLINK("x")']


@pytest.mark.parametrize("text", EVIL)
def test_no_text_of_the_data_can_run_as_a_formula(text: str) -> None:
    subjects = (Subject(text, 1, text, {"view": text}),)
    clean = evidence(rows([0], [[0.0, 1.0]]), [0])
    clean = replace(clean, run=clean.run.model_copy(update={"id": text, "defence": text}))
    whole = Predictions(subjects, (text, text), Decision(1), (clean,))
    line = list(csv.reader(io.StringIO(predictions_csv(whole))))[1]
    harmful = [cell for cell in line if cell.lstrip(" \t\r\n").startswith(tuple("=+-@＝"))]
    assert harmful == []
    quoted = plain_text(text)
    assert quoted.startswith("'")
    assert line.count(quoted) == 7  # case, patient, label, run, defence, decided, view


def test_a_negative_number_stays_a_number() -> None:
    found = read(predictions_csv(table(TARGETS, CALLED)))
    assert float(found[1]["logit_fracture"]) == -2.0


@given(st.text(max_size=12))
def test_text_stays_on_its_line_and_is_only_quoted(text: str) -> None:
    written = plain_text(text)
    line = " ".join(text.splitlines())
    assert written in (line, "'" + line)
    assert not written.lstrip().startswith(tuple("=+-@"))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([written, "end"])
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [[written, "end"]]


def test_a_table_of_synthetic_cases_says_so_on_every_row():
    lines = list(csv.reader(io.StringIO(predictions_csv(small(), synthetic=True))))
    assert {line[-1] for line in lines[1:]} == {"yes"}
    assert lines[0][-1] == "synthetic"
    plain = list(csv.reader(io.StringIO(predictions_csv(small()))))
    assert [line[:-1] for line in lines] == plain


def test_the_table_goes_to_a_file_a_few_rows_at_a_time_with_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = predictions_csv(small(), synthetic=True)
    monkeypatch.setattr("audit.export._AT_A_TIME", 3)
    stream = io.BytesIO()
    write_predictions(stream, small(), synthetic=True)
    assert stream.getvalue().decode() == whole  # and the stream is still open
    assert len(read(whole)) == 6
