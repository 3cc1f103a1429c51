"""predictions.csv comes back as the table it was written from, and anything else is refused."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.compare.columns import as_it_was
from audit.compare.rebuild import read_predictions
from audit.compare.side import read_side, side_of
from audit.decision import Decision
from audit.draws import stratified
from audit.errors import HipauditError
from audit.evidence import Predictions, Subject
from audit.export import plain_text, predictions_csv
from audit.results import read_results
from tests.compare.audits import logits, predictions, results_of, subjects, written
from tests.tables import attack, evidence, rows

TARGETS = [i % 2 for i in range(24)]
CALLED = [t if i % 6 else 1 - t for i, t in enumerate(TARGETS)]
RIGHT = [i for i in range(24) if TARGETS[i] == CALLED[i]]
VIEWS = ["lateral" if i % 4 < 2 else "frontal" for i in range(24)]


def cells(stress: str = "rotation_translation_map") -> object:
    """A corruption of two cells, both right unless the case number divides by five."""
    said = [1 - TARGETS[i] if i % 5 == 0 else TARGETS[i] for i in range(24) for _ in range(2)]
    variants = ({"angle": -30.0, "dx": 0.1}, {"angle": 30.0, "dx": -0.1})
    part = rows([i for i in range(24) for _ in range(2)], logits(said), variants, [0, 1] * 24)
    return evidence(part, range(24), stress, kind="corruption", level_variants=False)


def search() -> object:
    """An attack of two draws, of which the second fools case 2 only."""
    fooled = [i == 2 for i in RIGHT]
    said = [1 - TARGETS[i] if hit else TARGETS[i] for i, hit in zip(RIGHT, fooled, strict=True)]
    both = [c for i, hit in zip(RIGHT, said, strict=True) for c in (TARGETS[i], hit)]
    part = rows(
        [i for i in RIGHT for _ in range(2)],
        logits(both),
        ({"draw": 0}, {"draw": 1}),
        [0, 1] * len(RIGHT),
        [int(hit and draw) for hit in fooled for draw in (0, 1)],
    )
    return evidence(part, range(24), "rotation", level_variants=False, search_variants=True)


def whole() -> Predictions:
    known = subjects(TARGETS, [f"P{i // 2:04d}" for i in range(24)], VIEWS)
    levels = attack(TARGETS, CALLED, {1, 3}, epsilon=0.153)
    return predictions(known, CALLED, levels, cells(), search())


def alike(one: Predictions, two: Predictions) -> None:
    assert (one.subjects, one.classes) == (two.subjects, two.classes)
    assert one.decision == two.decision
    for left, right in zip(one.runs, two.runs, strict=True):
        assert left.run == right.run
        assert left.sample.tolist() == right.sample.tolist()
        assert (left.level_variants, left.search_variants) == (
            right.level_variants,
            right.search_variants,
        )
        keys = [
            sorted(
                (int(c), tuple(e.rows.variants[v].items()), z.tobytes(), bool(f), int(s), int(s8))
                for c, v, z, f, s, s8 in zip(
                    e.rows.case,
                    e.rows.variant,
                    e.rows.logits,
                    e.rows.referred,
                    e.rows.success,
                    e.rows.success_8bit,
                    strict=True,
                )
            )
            for e in (left, right)
        ]
        assert keys[0] == keys[1]


def test_levels_searches_and_maps_come_back_as_the_table_they_were_written_from(tmp_path):
    table = whole()
    folder = written(tmp_path, table)
    alike(read_predictions(folder / "predictions.csv", read_results(folder / "audit.json")), table)


def test_the_order_of_the_rows_does_not_matter(tmp_path):
    table = whole()
    folder = written(tmp_path, table)
    head, *body = (folder / "predictions.csv").read_text().splitlines(keepends=True)
    random.Random(1).shuffle(body)
    (folder / "predictions.csv").write_text("".join([head, *body]))
    alike(read_predictions(folder / "predictions.csv", read_results(folder / "audit.json")), table)


def test_float32_logits_and_outputs_that_are_not_finite_come_back_bit_by_bit(tmp_path):
    known = subjects(TARGETS)
    z = np.random.default_rng(0).normal(0, 30, (24, 2)).astype(np.float32)
    z[3], z[4, 0] = np.nan, np.inf
    clean = evidence(rows(range(24), z), range(24))
    table = Predictions(known, ("normal", "fracture"), Decision(1, 0.3), (clean,))
    folder = written(tmp_path, table)
    back = read_side(folder, "BASE").predictions
    found = back.runs[0].rows.logits
    assert np.isnan(found[3]).all()
    assert (np.nan_to_num(found) == np.nan_to_num(z)).all()
    assert (back.decided(found) == table.decided(z)).all()


@given(st.text(max_size=8))
@settings(max_examples=50)
def test_an_apostrophe_against_formulas_is_undone(text):
    line = " ".join(text.splitlines())
    quoted = plain_text(text)
    assert as_it_was(quoted) in (line, line.removeprefix("'"))
    if not line.startswith("'"):
        assert as_it_was(quoted) == line


def test_a_class_and_an_attribute_that_look_like_formulas_come_back(tmp_path):
    known = tuple(
        Subject(f"c{i:04d}", t, None, {"view": "=A1" if i % 3 else "-"})
        for i, t in enumerate(TARGETS)
    )
    table = replace(predictions(known, CALLED), classes=("=no", "@yes"))
    folder = written(tmp_path, table)
    back = read_side(folder, "BASE").predictions
    assert back.subjects == known


def test_a_sampled_attack_has_the_cases_that_were_wrong_already_in_its_sample(tmp_path):
    """Rows of an attack hold correct cases only; the sample is drawn again by the seed."""
    names = {f"c{i:04d}": ("normal", "fracture")[t] for i, t in enumerate(TARGETS)}
    sample = [int(name[1:]) for name in stratified(names, 10, seed=0)]
    assert {i for i in sample if TARGETS[i] != CALLED[i]}, "the sample must hold a wrong case"
    run = attack(TARGETS, CALLED, set(), sample=sample)
    run = replace(run, run=run.run.model_copy(update={"of": 24}))
    folder = written(tmp_path, predictions(subjects(TARGETS), CALLED, run))
    back = read_side(folder, "BASE").predictions
    assert back.runs[1].sample.tolist() == sample


def edited(folder: Path, change: Callable[[list[list[str]]], object]) -> Path:
    path = folder / "predictions.csv"
    table = list(csv.reader(io.StringIO(path.read_text())))
    change(table)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table)
    path.write_text(out.getvalue())
    return path


def put(row: int, column: str, value: str) -> Callable[[list[list[str]]], object]:
    return lambda table: table[row].__setitem__(table[0].index(column), value)


def swapped(table: list[list[str]]) -> None:
    """Two right cases of different labels exchange their logits: sane, but not this audit's."""
    for name in ("decided", "p_positive", "log_odds", "logit_normal", "logit_fracture"):
        at = table[0].index(name)
        table[2][at], table[3][at] = table[3][at], table[2][at]


DAMAGE = {
    "a row is gone": (lambda t: t.pop(5), "24 cases of the run clean"),
    "a row stands twice": (lambda t: t.insert(5, t[5]), "once in a run"),
    "an attacked row is gone": (lambda t: t.pop(30), "same audit"),
    "a cell is missing": (lambda t: t[3].pop(), "line 4"),
    "the file is empty": (lambda t: t.clear(), "line 1"),
    "only the header is left": (lambda t: t.__delitem__(slice(1, None)), "no row"),
    "a column is renamed": (put(0, "logit_normal", "logit_other"), "line 1"),
    "a strange column": (put(0, "attribute_view", "path"), "line 1"),
    "a run nobody planned": (put(4, "run", "secret"), "line 5"),
    "another stress than the run's": (put(4, "stress", "fgsm"), "line 5"),
    "an unknown label": (put(1, "label", "sprain"), "line 2"),
    "a case with two labels": (put(25, "label", "normal"), "line 26"),
    "a case with two patients": (put(25, "patient", "P9999"), "line 26"),
    "a decision that was changed": (put(2, "decided", "normal"), "line 3"),
    "a logit that was changed": (put(2, "logit_normal", "-1.99"), "line 3"),
    "a logit that is text": (put(2, "logit_normal", "high"), "line 3"),
    "log-odds that are text": (put(2, "log_odds", "high"), "line 3"),
    "a flag that is 2": (put(26, "success", "2"), "line 27"),
    "referred left empty": (put(2, "referred", ""), "line 3"),
    "no case id": (put(2, "case", ""), "line 3"),
    "logits of other cases": (swapped, "same audit"),
}


@pytest.mark.parametrize(("change", "words"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_file_that_was_damaged_is_refused_with_its_line(tmp_path, change, words):
    folder = written(tmp_path, whole())
    results = read_results(folder / "audit.json")
    with pytest.raises(HipauditError) as caught:
        side_of(results, edited(folder, change))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


BYTES = {
    "cut within a row": lambda raw: raw[:-7],
    "not UTF-8": lambda raw: raw.replace(b"frontal", b"front\xff\xfe", 1),
    "a NUL": lambda raw: raw.replace(b"frontal", b"fron\x00al", 1),
    "an open quote": lambda raw: raw.replace(b"frontal", b'"fronta', 1),
    "a row without end": lambda raw: raw + b"c" * 200_000,
}


@pytest.mark.parametrize("change", BYTES.values(), ids=BYTES.keys())
def test_bytes_that_are_no_table_are_one_line(tmp_path, change):
    folder = written(tmp_path, whole())
    path = folder / "predictions.csv"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(HipauditError) as caught:
        read_side(folder, "BASE")
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(("set", "cut", "drop")))
def test_no_change_of_a_byte_gives_a_traceback(tmp_path_factory, place, value, how):
    folder = written(tmp_path_factory.mktemp("audit"), whole())
    path = folder / "predictions.csv"
    raw = bytearray(path.read_bytes())
    at = place % len(raw)
    if how == "set":
        raw[at] = value
    elif how == "cut":
        del raw[at:]
    else:
        del raw[at]
    path.write_bytes(bytes(raw))
    with suppress(HipauditError):  # anything else would be a traceback
        read_side(folder, "BASE")


def test_predictions_of_another_audit_are_refused(tmp_path):
    known = subjects(TARGETS)
    first = written(tmp_path / "a", predictions(known, CALLED))
    other = predictions(known, [1 - c if i == 7 else c for i, c in enumerate(CALLED)])
    (first / "predictions.csv").write_text(predictions_csv(other))
    with pytest.raises(HipauditError, match="same audit"):
        read_side(first, "BASE")


def test_scores_that_change_no_decision_but_the_auroc_are_refused(tmp_path):
    known = subjects(TARGETS)
    sure = [1 + (i % 3) / 10 for i in range(24)]
    first = written(tmp_path / "a", predictions(known, CALLED, sure=sure))
    other = predictions(known, CALLED, sure=[s + (i == 0) for i, s in enumerate(sure)])
    (first / "predictions.csv").write_text(predictions_csv(other))
    with pytest.raises(HipauditError, match="same audit"):
        read_side(first, "BASE")


def test_an_audit_json_without_findings_of_its_cases_is_not_believed(tmp_path):
    table = predictions(subjects(TARGETS), CALLED)
    folder = written(tmp_path, table, findings=())
    with pytest.raises(HipauditError, match="same audit"):
        read_side(folder, "BASE")
    assert results_of(table).findings
