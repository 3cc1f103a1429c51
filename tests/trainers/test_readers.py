"""The agreement study: planted readings, and every number against scikit-learn or a hand count."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import cohen_kappa_score, f1_score

from audit.cases.case import Cases
from audit.cases.options import DataOptions
from audit.cases.read import from_arrays, read_cases
from audit.cases.subset import subset
from audit.conduct import conduct
from audit.errors import HipauditError
from audit.options import AuditOptions
from audit.results import Finding
from audit.study_results import StudyResults
from tests.doubles import Brightness, classifier_of
from trainers.progress import Quiet
from trainers.study.options import StudyOptions
from trainers.study.readers import readers_study

N = 120
READERS = ("Dr_Jansen", "Dr. de Vries")
RNG = np.random.default_rng(7)
TRUTH = RNG.random(N) < 0.4
ONE = np.where(RNG.random(N) < 0.1, ~TRUTH, TRUTH)
TWO = np.where(RNG.random(N) < 0.2, ~TRUTH, TRUTH)
LEVELS = np.where(TRUTH, 0.7, 0.3) + RNG.normal(0, 0.15, N)  # what the model sees
VIEWS = ["frontal" if i % 3 else "lateral" for i in range(N)]


def words(calls: np.ndarray) -> list[str]:
    return ["fracture" if call else "normal" for call in calls]


def read(patients: list[str] | None = None, second: list[str] | None = None) -> Cases:
    images = np.clip(LEVELS, 0, 1)[:, None, None] * np.ones((1, 8, 8))
    images += np.arange(N)[:, None, None] * 1e-6  # no two alike
    return from_arrays(
        np.clip(images, 0, 1),
        words(TRUTH),
        patients=patients,
        attributes={"view": VIEWS},
        readings={READERS[0]: words(ONE), READERS[1]: second or words(TWO)},
    )


def study(cases: Cases, *, model: bool = True) -> StudyResults:
    classifier = classifier_of(Brightness()) if model else None
    return readers_study(cases, READERS, classifier, StudyOptions(), Quiet())


def of(results: StudyResults, metric: str, first: str, second: str, **group: str) -> Finding:
    (hit,) = [
        f
        for f in results.findings
        if f.metric == metric
        and f.params == {"first": first, "second": second}
        and f.group == group
    ]
    return hit


@pytest.fixture(scope="module")
def results() -> StudyResults:
    return study(read())


def test_kappa_of_the_readers_is_scikit_learns_overall_and_by_view(results) -> None:
    assert results.kind == "readers"
    hit = of(results, "kappa", "reader 1", "reader 2")
    assert (hit.value, hit.n) == (pytest.approx(cohen_kappa_score(ONE, TWO)), N)
    assert hit.low < hit.value < hit.high
    lateral = np.array([view == "lateral" for view in VIEWS])
    hit = of(results, "kappa", "reader 1", "reader 2", view="lateral")
    assert hit.value == pytest.approx(cohen_kappa_score(ONE[lateral], TWO[lateral]))


def test_the_model_is_compared_with_each_and_with_what_both_say(results) -> None:
    # Brightness says fracture above 0.5; pixels are float32
    said = np.clip(LEVELS + np.arange(N) * 1e-6, 0, 1).astype(np.float32) > 0.5
    for name, reader in (("reader 1", ONE), ("reader 2", TWO)):
        hit = of(results, "kappa", "model", name)
        assert hit.value == pytest.approx(cohen_kappa_score(said, reader))
    same = ONE == TWO
    hit = of(results, "agreement", "model", "consensus of the readers")
    assert (hit.events, hit.n) == ((said == ONE)[same].sum(), same.sum())
    assert results.models[0].name == "model"


def test_agreement_is_a_count_and_specific_agreement_is_f1_of_one_by_the_other(results) -> None:
    hit = of(results, "agreement", "reader 1", "reader 2")
    assert (hit.events, hit.n) == ((ONE == TWO).sum(), N)
    positive = of(results, "positive_agreement", "reader 1", "reader 2")
    assert positive.value == pytest.approx(f1_score(ONE, TWO))
    negative = of(results, "negative_agreement", "reader 1", "reader 2")
    assert negative.value == pytest.approx(f1_score(~ONE, ~TWO))


def test_the_cases_on_which_the_readers_differ_are_listed_by_id_and_no_name_is_told(
    results,
) -> None:
    cases = read()
    (note,) = [note for note in results.notes if note.code == "readers.discordant"]
    differ = [case.id for case in cases if len(set(case.readings.values())) == 2]
    assert len(differ) == (ONE != TWO).sum()
    assert all(case_id in note.text for case_id in differ)
    assert sum(case.id in note.text for case in cases) == len(differ)
    text = results.to_json().lower()
    assert "jansen" not in text
    assert "vries" not in text


def test_whether_one_reader_calls_more_is_tested_and_corrected(results) -> None:
    from scipy.stats import binomtest

    first = results.tests[0]
    more, less = int((ONE & ~TWO).sum()), int((~ONE & TWO).sum())
    assert (first.only_first, first.only_second, first.n) == (more, less, N)
    assert first.p == pytest.approx(binomtest(more, more + less).pvalue)
    assert len(results.tests) == 3
    assert all(test.p_holm >= test.p for test in results.tests)


def test_without_a_model_only_the_readers_are_compared() -> None:
    found = study(read(), model=False)
    assert {f.params["second"] for f in found.findings} == {"reader 2"}
    assert found.models == ()
    assert found.positive_class == "fracture"
    hit = of(found, "kappa", "reader 1", "reader 2")
    assert hit.value == pytest.approx(cohen_kappa_score(ONE, TWO))


def test_a_case_one_reader_did_not_read_counts_for_the_other_only() -> None:
    second = words(TWO)
    second[:40] = [""] * 40
    found = study(read(second=second))
    assert of(found, "kappa", "reader 1", "reader 2").n == N - 40
    assert of(found, "kappa", "model", "reader 1").n == N
    assert of(found, "kappa", "model", "reader 2").n == N - 40


def test_with_two_images_per_patient_the_limits_are_those_of_resampled_patients() -> None:
    cases = read(patients=[f"p{i // 2}" for i in range(N)])
    hit = of(study(cases, model=False), "kappa", "reader 1", "reader 2")
    assert hit.method == "patient bootstrap"
    assert not hit.independent
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(2000):
        rows = (2 * rng.integers(0, N // 2, N // 2)[:, None] + np.arange(2)).ravel()
        draws.append(cohen_kappa_score(ONE[rows], TWO[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    assert (hit.low, hit.high) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))


def test_two_label_columns_of_a_manifest_are_readings_and_no_subgroups(tmp_path: Path) -> None:
    with (tmp_path / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "Reader 1", "radiologist_2", "view"])
        for i in range(N):
            Image.fromarray(np.full((9, 9), i + 5, np.uint8)).save(tmp_path / f"{i}.png")
            called = words(TWO)[i].upper() if i else ""
            writer.writerow([f"{i}.png", words(TRUTH)[i], words(ONE)[i], called, VIEWS[i]])
    options = DataOptions(reader_columns=("Reader 1", "radiologist_2"))
    cases = read_cases(tmp_path, options)
    assert cases.attributes == ("view",)
    assert sum(len(case.readings) for case in cases) == 2 * N - 1
    assert {label for case in cases for label in case.readings.values()} == {"fracture", "normal"}
    assert subset(cases, cases[:5])[0].readings == cases[0].readings
    found = readers_study(cases, options.reader_columns, None, StudyOptions(), Quiet())
    assert of(found, "kappa", "reader 1", "reader 2").n == N - 1


def test_an_audit_of_cases_with_readings_reports_by_none_of_them(tmp_path: Path) -> None:
    chosen = AuditOptions(preset="ci", stresses=("fgsm",), probes=())
    found = conduct(classifier_of(Brightness()), read(), tmp_path, chosen, notes=())
    assert {name for f in found.findings for name in f.group} == {"view"}
    assert "jansen" not in found.to_json().lower()


def test_a_reading_in_other_words_is_refused_without_showing_it() -> None:
    second = words(TWO)
    second[3] = "Mrs. Jansen, hip"
    with pytest.raises(HipauditError, match="1 in other words") as caught:
        read(second=second)
    assert "Jansen" not in str(caught.value)


@pytest.mark.parametrize(
    "readers", [("dr_jansen", "nobody"), ("dr_jansen", "Dr_Jansen"), ("", "dr_jansen")]
)
def test_columns_that_are_not_two_readings_are_refused(readers) -> None:
    with pytest.raises(HipauditError, match="column"):
        readers_study(read(), readers, None, StudyOptions(), Quiet())


def test_readers_who_share_no_case_are_refused() -> None:
    images = (np.arange(40)[:, None, None] + np.zeros((1, 8, 8))) / 60
    half = ["normal", "fracture"] * 10
    cases = from_arrays(
        images,
        ["normal", "fracture"] * 20,
        readings={"a": half + [""] * 20, "b": [""] * 20 + half},
    )
    with pytest.raises(HipauditError, match="both readers read"):
        readers_study(cases, ("a", "b"), None, StudyOptions(), Quiet())
