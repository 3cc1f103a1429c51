"""The label from metadata: planted and absent associations, by label, patient and attribute."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import PermutationMethod, chi2_contingency

from audit.decision import Decision
from audit.evidence import Predictions, RunEvidence, Subject, join
from audit.probes.shortcuts.matched import matched_findings
from audit.probes.shortcuts.metadata import attribute_p, label_findings, score_finding
from audit.probes.shortcuts.notes import notes
from audit.probes.shortcuts.table import Table, columns_of, table_of
from audit.results import Finding, Note, PlannedRun

CLASSES = ("normal", "fracture")


def never() -> None:
    """No time limit."""


def table(
    broken: np.ndarray,
    attributes: Mapping[str, np.ndarray],
    patients: np.ndarray | None = None,
    score: np.ndarray | None = None,
) -> Table:
    """The probe's table of cases with these labels, attributes and log-odds."""
    n = len(broken)
    subjects = tuple(
        Subject(
            id=f"{row:08x}",
            target=int(broken[row]),
            patient=None if patients is None else f"P{patients[row]:04d}",
            attributes={name: str(values[row]) for name, values in attributes.items()},
        )
        for row in range(n)
    )
    z = np.zeros(n) if score is None else score
    nothing = join([])
    rows = nothing.__class__(
        case=np.arange(n),
        variant=np.zeros(n, np.int64),
        logits=np.stack([-z / 2, z / 2], axis=1).astype(np.float32),
        referred=np.zeros(n, bool),
        success=np.full(n, -1, np.int8),
        success_8bit=np.full(n, -1, np.int8),
        queries=np.full(n, -1),
        variants=({},),
        found=({},) * n,
    )
    run = PlannedRun(id="clean", stress="clean", kind="clean", sample=n, of=n, state="done")
    evidence = RunEvidence(run, np.arange(n), rows)
    return table_of(Predictions(subjects, CLASSES, Decision(1), (evidence,)), seed=0)


def told(found: Table, permutations: int = 119) -> tuple[list[Finding], list[Note]]:
    findings = [*label_findings(found, 0, permutations, never), *matched_findings(found)]
    return findings, list(notes(found, findings, ("fracture", "normal")))


def like_fracatlas(seed: int = 0) -> Table:
    """87 fractured and 474 normal images; hardware in 11 of the former and none of the latter."""
    draw = np.random.default_rng(seed)
    broken = np.arange(561) < 87
    hardware = (np.arange(561) < 11).astype(int)
    view = np.where(draw.random(561) < np.where(broken, 0.45, 0.6), "frontal", "lateral")
    part = draw.choice(["hand", "leg", "hip", "shoulder"], 561)
    score = draw.normal(0, 1, 561) + 1.5 * broken + 3 * hardware
    return table(broken, {"hardware": hardware, "view": view, "body_part": part}, score=score)


def test_hardware_in_11_of_87_fractured_and_0_of_474_normal_images_is_named():
    findings, said = told(like_fracatlas())
    (note,) = [n for n in said if n.code == "shortcut-metadata"]
    assert note.level == "warning"
    assert "hardware 1 is found in 11 of 87 fracture and 0 of 474 normal images" in note.text
    (alone,) = [
        f for f in findings if f.params == {"attribute": "hardware"} and f.metric[:4] == "meta"
    ]
    assert alone.value == pytest.approx(0.5 + 0.5 * 11 / 87, abs=0.02)  # one value tells it
    assert alone.low > 0.5


def test_matching_on_hardware_leaves_those_without_it():
    found = like_fracatlas()
    (one,) = [
        f
        for f in matched_findings(found)
        if f.params["attribute"] == "hardware" and f.contrast is None
    ]
    assert (one.n, one.events) == (561 - 11, 87 - 11)


def test_the_p_value_of_an_attribute_is_that_of_scipy_on_moved_labels():
    draw = np.random.default_rng(1)
    for strength in (0.0, 0.08, 0.15):
        broken = draw.random(300) < 0.4
        two = draw.random(300) < np.where(broken, 0.4 + strength, 0.4)
        four = np.where(draw.random(300) < 2 * strength, 2 * broken, draw.integers(0, 4, 300))
        found = attribute_p(table(broken, {"a": two, "b": four}), 0, never)
        for place, values in enumerate((two.astype(int), four)):
            levels = np.unique(values)
            counts = [[np.sum((values == v) & (broken == b)) for v in levels] for b in (0, 1)]
            moved = PermutationMethod(n_resamples=4999, rng=np.random.default_rng(place))
            exact = chi2_contingency(counts, correction=False, method=moved).pvalue
            assert found[place] == pytest.approx(exact, abs=0.035)


def test_what_goes_with_the_patient_and_not_with_the_label_is_no_sign():
    """Ten images per patient, of one label and one scanner: 60 patients, not 600 cases."""
    alarms = 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        patients = np.repeat(np.arange(60), 10)
        broken, scanner = (np.repeat(draw.random(60) < 0.5, 10) for _ in range(2))
        naive = chi2_contingency(
            [[np.sum((scanner == s) & (broken == b)) for s in (0, 1)] for b in (0, 1)]
        ).pvalue
        found = table(broken, {"scanner": scanner}, patients)
        alarms += attribute_p(found, 0, never)[0] < 0.01
        if seed == 0:
            assert naive < 0.05  # what ignoring the patients would have said
    assert alarms <= 1


def sound(seed: int) -> Table:
    """Attributes of several kinds that have nothing to do with the label; a score that has."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(80, 500))
    broken = draw.random(n) < draw.uniform(0.15, 0.5)
    attributes = {
        "view": draw.choice(["frontal", "lateral"], n),
        "sex": draw.choice(["F", "M", "unknown"], n, p=[0.5, 0.4, 0.1]),
        "age_band": draw.choice(["<50", "50-59", "60-69", "70-79", "80-89", "90+"], n),
        "hardware": (draw.random(n) < 0.05).astype(int),
        "scanner": draw.choice(["A", "B", "C"], n),
    }
    score = draw.normal(0, 1, n) + 1.5 * broken + (attributes["scanner"] == "B")
    return table(broken, attributes, score=score)


def alarms(seeds: range) -> dict[str, float]:
    """Share of sound sets with each warning."""
    counted: dict[str, int] = {"shortcut-metadata": 0, "shortcut-matched": 0}
    for seed in seeds:
        for code in {note.code for note in told(sound(seed))[1] if note.level == "warning"}:
            counted[code] += 1
    return {code: count / len(seeds) for code, count in counted.items()}


def test_sound_metadata_raises_no_alarm_in_twelve_sets():
    assert set(alarms(range(1000, 1012)).values()) == {0.0}


@pytest.mark.slow
def test_at_most_2_in_100_sound_sets_raise_an_alarm():
    found = alarms(range(300))
    assert max(found.values()) <= 0.02, found


def test_a_constant_attribute_is_left_out_and_rare_ones_of_many_values_are_one():
    draw = np.random.default_rng(3)
    many = np.where(np.arange(400) < 300, draw.integers(0, 5, 400), draw.integers(5, 30, 400))
    subjects = [
        Subject(str(row), 0, None, {"site": "one", "device": str(many[row])}) for row in range(400)
    ]
    (column,) = columns_of(subjects)
    assert column.name == "device"
    assert len(column.values) == 12
    assert "other values" in column.values
    assert column.one_hot.sum() == 400


def test_a_missing_value_is_a_value_of_its_own():
    subjects = [Subject(str(row), 0, None, {"sex": "F"} if row % 2 else {}) for row in range(10)]
    (column,) = columns_of(subjects)
    assert column.values == ("F", "unknown")


def test_the_share_of_the_score_explained_is_that_of_an_analysis_of_variance():
    draw = np.random.default_rng(4)
    group = draw.integers(0, 3, 3000)
    score = draw.normal(0, 1, 3000) + group
    found = score_finding(table(draw.random(3000) < 0.5, {"site": group}, score=score), 0)
    ranks = score.argsort().argsort().astype(float)
    between = sum((group == g).sum() * (ranks[group == g].mean() - ranks.mean()) ** 2
                  for g in range(3))  # fmt: skip
    assert found.value == pytest.approx(between / ((ranks - ranks.mean()) ** 2).sum(), abs=0.01)
    assert found.low < found.value < found.high


def test_too_few_of_a_label_give_a_reason_and_no_number():
    draw = np.random.default_rng(5)
    found, said = told(table(np.arange(60) < 6, {"sex": draw.choice(["F", "M"], 60)}))
    assert {f.value for f in found} == {None}
    assert {f.reason for f in found} == {"fewer than 10 positives"}
    assert not [n for n in said if n.level == "warning"]
