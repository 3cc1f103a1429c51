"""NEW − BASE, case by case: against statsmodels, counts made by hand, and planted regressions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from audit.compare.compare import compare
from audit.compare.compare import compared as compare_sides
from audit.compare.results import Comparison, Difference, read_comparison
from audit.compare.side import Side, levels_of
from audit.decision import Decision
from audit.errors import HipauditError
from audit.evidence import Predictions
from tests.compare.audits import logits, predictions, results_of, subjects, written
from tests.tables import attack, evidence, rows

N = 120
TARGETS = [i % 2 for i in range(N)]
VIEWS = ["lateral" if i % 4 < 2 else "frontal" for i in range(N)]
PATIENTS = [f"P{i:04d}" for i in range(N)]


def flipped(cases: set[int], called: list[int] | None = None) -> list[int]:
    return [1 - c if i in cases else c for i, c in enumerate(called or TARGETS)]


def compared(tmp_path: Path, base: Predictions, new: Predictions, **asked: object) -> Comparison:
    return compare(written(tmp_path / "base", base), written(tmp_path / "new", new), **asked)


def only(found: Comparison, metric: str, stress: str = "clean", **group: str) -> Difference:
    hits = [
        d for d in found.differences if (d.metric, d.stress, d.group) == (metric, stress, group)
    ]
    assert len(hits) == 1
    return hits[0]


def models(base: set[int], new: set[int], **changes: object) -> tuple[Predictions, Predictions]:
    """Two models that are wrong on these cases."""
    known = subjects(TARGETS, PATIENTS, VIEWS)
    return predictions(known, flipped(base)), predictions(known, flipped(new))


def test_the_same_audit_twice_differs_nowhere(tmp_path):
    run = attack(TARGETS, flipped({1, 2}), {5, 6, 7})
    table = predictions(subjects(TARGETS, PATIENTS, VIEWS), flipped({1, 2}), run)
    found = compared(tmp_path, table, table)
    values = {d.value for d in found.differences}
    assert values == {0.0}
    assert {d.verdict for d in found.differences} == {"no difference shown"}
    assert {d.p for d in found.differences} == {1.0}
    assert found.flips == ()
    assert found.regressions == []


def test_accuracy_sensitivity_and_specificity_have_mcnemars_exact_p(tmp_path):
    found = compared(tmp_path, *models({0, 1, 3}, {1, 2, 5, 7, 9, 11, 13, 15}))
    wrong = (np.isin(range(N), [0, 1, 3]), np.isin(range(N), [1, 2, 5, 7, 9, 11, 13, 15]))
    for metric, label in (("accuracy", None), ("sensitivity", 1), ("specificity", 0)):
        inside = np.array([label is None or t == label for t in TARGETS])
        both = [
            [int((inside & (wrong[0] == a) & (wrong[1] == b)).sum()) for b in (False, True)]
            for a in (False, True)
        ]
        one = only(found, metric)
        assert one.p == pytest.approx(mcnemar(both, exact=True).pvalue, abs=1e-12)
        assert (one.lost, one.gained) == (both[0][1], both[1][0])
        assert one.value == pytest.approx((both[1][0] - both[0][1]) / inside.sum())
        assert one.n == inside.sum()
        assert one.base == pytest.approx(1 - wrong[0][inside].mean())
        assert one.new == pytest.approx(1 - wrong[1][inside].mean())


def test_auroc_is_sklearns_on_both_sides(tmp_path):
    rng = np.random.default_rng(3)
    known = subjects(TARGETS, PATIENTS, VIEWS)
    sides = []
    for _ in range(2):
        z = np.stack([np.zeros(N), rng.normal(np.array(TARGETS) * 1.5, 1)], axis=1)
        clean = evidence(rows(range(N), z.astype(np.float32)), range(N))
        sides.append(Predictions(known, ("normal", "fracture"), Decision(1), (clean,)))
    found = only(compared(tmp_path, *sides), "auroc")
    areas = [roc_auc_score(TARGETS, side.clean_logits()[:, 1]) for side in sides]
    assert (found.base, found.new) == pytest.approx(areas)
    assert found.value == pytest.approx(areas[1] - areas[0])
    assert found.low <= found.value <= found.high


def test_a_regression_in_lateral_views_only_is_shown_there_and_nowhere_else(tmp_path):
    lateral = [i for i, view in enumerate(VIEWS) if view == "lateral"]
    found = compared(tmp_path, *models({0, 50}, {0, 50, *lateral[5:35]}))
    assert only(found, "accuracy", view="lateral").verdict == "worse"
    assert only(found, "accuracy", view="frontal").verdict == "no difference shown"
    shown = {(d.metric, d.group.get("view")) for d in found.regressions}
    assert ("accuracy", "lateral") in shown
    assert not {view for _, view in shown} & {"frontal"}
    flipped_views = {flip.group["view"] for flip in found.flips}
    assert flipped_views == {"lateral"}
    assert {flip.case for flip in found.flips} == {f"c{i:04d}" for i in lateral[5:35]} - {
        "c0000", "c0050"
    }  # fmt: skip


def test_a_gain_is_better_and_no_regression(tmp_path):
    found = compared(tmp_path, *models(set(range(0, 60, 2)), set()))
    assert only(found, "specificity").verdict == "better"
    assert only(found, "sensitivity").verdict == "no difference shown"
    assert found.regressions == []
    assert {flip.change for flip in found.flips} == {"gained"}


def test_fewer_than_ten_cases_are_too_few_and_say_so(tmp_path):
    views = ["lateral" if i < 12 else "frontal" for i in range(N)]
    known = subjects(TARGETS, PATIENTS, views)
    pair = predictions(known, TARGETS), predictions(known, flipped({1}))
    one = only(compared(tmp_path, *pair), "sensitivity", view="lateral")
    assert (one.verdict, one.value, one.n) == ("too few", None, 6)
    assert one.reason == "fewer than 10 positives"


def test_holm_is_statsmodels_within_each_family(tmp_path):
    run, other = (attack(TARGETS, flipped({1}), hit) for hit in ({5, 6}, set(range(5, 40))))
    known = subjects(TARGETS, PATIENTS, VIEWS)
    found = compared(
        tmp_path, predictions(known, flipped({1}), run), predictions(known, flipped({1}), other)
    )
    families = {d.family for d in found.differences if d.p is not None}
    assert len(families) == 4
    for family in families:
        mine = [d for d in found.differences if d.family == family]
        expected = multipletests([d.p for d in mine], method="holm")[1]
        assert [d.p_holm for d in mine] == pytest.approx(expected.tolist())
        assert len({(bool(d.group), d.stress == "clean") for d in mine}) == 1


def test_under_an_attack_robust_rates_and_success_are_compared_and_more_success_is_worse(tmp_path):
    hits = set(range(2, 10)), set(range(2, 60))
    known = subjects(TARGETS, PATIENTS, VIEWS)
    found = compared(
        tmp_path, *(predictions(known, TARGETS, attack(TARGETS, TARGETS, hit)) for hit in hits)
    )
    success = only(found, "attack_success", "fgsm")
    assert (success.base, success.new) == pytest.approx((8 / N, 58 / N))
    assert success.verdict == "worse"
    robust = only(found, "robust_accuracy", "fgsm")
    assert robust.value == pytest.approx(-50 / N)
    assert robust.verdict == "worse"
    assert {d.metric for d in found.differences if d.stress == "fgsm"} == {
        "robust_accuracy", "robust_sensitivity", "robust_specificity", "attack_success", "auroc"
    }  # fmt: skip


def test_attack_success_is_counted_over_cases_both_models_had_right(tmp_path):
    known = subjects(TARGETS, PATIENTS, VIEWS)
    base = predictions(known, TARGETS, attack(TARGETS, TARGETS, set(range(20))))
    called = flipped(set(range(10)))
    new = predictions(known, called, attack(TARGETS, called, set(range(10, 20))))
    one = only(compared(tmp_path, base, new), "attack_success", "fgsm")
    assert (one.n, one.value) == (N - 10, 0.0)


def test_what_only_one_audit_did_is_listed_and_not_compared(tmp_path):
    known = subjects(TARGETS, PATIENTS, VIEWS)
    one, two = (attack(TARGETS, TARGETS, {1}, epsilon=e / 255) for e in (1, 2))
    found = compared(tmp_path, predictions(known, TARGETS, one), predictions(known, TARGETS, two))
    why = {
        (level.params["epsilon"], level.reason) for level in found.levels if level.stress == "fgsm"
    }
    assert why == {(1 / 255, "only in BASE"), (2 / 255, "only in NEW")}
    assert {d.stress for d in found.differences} == {"clean"}
    assert any(note.code == "not-compared" for note in found.notes)


def test_the_same_attack_with_other_steps_is_another_attack(tmp_path):
    known = subjects(TARGETS, PATIENTS, VIEWS)
    sides = [
        predictions(
            known,
            TARGETS,
            attack(TARGETS, TARGETS, {1}, params={"epsilons": [2 / 255], "steps": n}),
        )
        for n in (10, 40)
    ]
    found = compared(tmp_path, *sides)
    assert not [d for d in found.differences if d.stress in ("fgsm", "worst_case")]


def test_a_run_that_failed_is_named_with_its_reason(tmp_path):
    known = subjects(TARGETS, PATIENTS, VIEWS)
    good = attack(TARGETS, TARGETS, {1})
    failed = good.run.model_copy(update={"state": "failed", "reason": "out of memory"})
    bad = evidence(rows([], np.zeros((0, 2)), ({},)), range(N), "fgsm")
    bad = replace(bad, run=failed)
    found = compared(tmp_path, predictions(known, TARGETS, good), predictions(known, TARGETS, bad))
    (level,) = [level for level in found.levels if level.stress == "fgsm"]
    assert level.reason == "in NEW: out of memory"


def test_flips_are_sorted_by_how_sure_the_wrong_model_was(tmp_path):
    known = subjects(TARGETS, PATIENTS, VIEWS)
    lost = [3, 9, 20]
    sure = np.full(N, 1.0)
    sure[lost] = [0.5, 3.0, 1.5]
    found = compared(
        tmp_path, predictions(known, TARGETS), predictions(known, flipped({*lost}), sure=sure)
    )
    assert [flip.case for flip in found.flips] == ["c0009", "c0020", "c0003"]
    first = found.flips[0]
    assert (first.label, first.change) == ("fracture", "lost")
    assert (first.base, first.new) == pytest.approx((4.0, -6.0))
    assert first.group == {"view": VIEWS[9]}


def test_an_output_that_is_not_finite_is_a_flip_without_log_odds(tmp_path):
    known = subjects(TARGETS, PATIENTS, VIEWS)
    z = logits(TARGETS)
    z[4] = np.nan
    broken = evidence(rows(range(N), z), range(N))
    new = Predictions(known, ("normal", "fracture"), Decision(1), (broken,))
    found = compared(tmp_path, predictions(known, TARGETS), new)
    (flip,) = found.flips
    assert (flip.case, flip.change, flip.new) == ("c0004", "lost", None)


def test_patients_with_many_images_widen_the_interval(tmp_path):
    """Four images a patient, all lost together: 15 patients flip, not 60 images."""
    grouped = [f"P{i // 8:04d}" for i in range(N)]
    lost = {i for i in range(N) if i // 8 < 5}
    apart, together = (
        only(
            compared(
                tmp_path / name,
                predictions(subjects(TARGETS, who, VIEWS), TARGETS),
                predictions(subjects(TARGETS, who, VIEWS), flipped(lost)),
            ),
            "accuracy",
        )
        for name, who in (("apart", PATIENTS), ("together", grouped))
    )
    assert apart.value == together.value
    assert together.high - together.low > 2 * (apart.high - apart.low)
    assert together.p > apart.p


def test_the_written_comparison_is_read_back_and_fits_its_schema(tmp_path):
    import json

    import jsonschema

    from audit.json_schema import COMPARE_FILE, comparison_text

    found = compared(tmp_path, *models({1}, {2, 3}))
    path = tmp_path / "compare.json"
    path.write_text(found.to_json())
    assert read_comparison(path) == found
    schema = json.loads(COMPARE_FILE.read_text(encoding="utf-8"))
    assert COMPARE_FILE.read_text(encoding="utf-8") == comparison_text(), (
        "run: python -m audit.json_schema"
    )
    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text()))
    path.write_text(found.to_json().replace('"lost"', '"gone"', 1))
    with pytest.raises(HipauditError, match=r"valid compare\.json"):
        read_comparison(path)


@pytest.mark.slow
def test_two_models_that_err_alike_show_a_regression_in_at_most_one_comparison_in_twenty():
    """300 pairs of models with equal error rates: `--fail-on worse` must leave them alone."""
    rng = np.random.default_rng(11)
    known = subjects(TARGETS, PATIENTS, VIEWS)

    def side() -> Side:
        z = np.stack([np.zeros(N), rng.normal(np.array(TARGETS) * 3 - 1.5, 1)], axis=1)
        clean = evidence(rows(range(N), z.astype(np.float32)), range(N))
        table = Predictions(known, ("normal", "fracture"), Decision(1), (clean,))
        return Side(results_of(table, findings=()), "", table, dict(levels_of(table)))

    found = [compare_sides(side(), side()) for _ in range(300)]
    assert sum(bool(one.regressions) for one in found) <= 300 * 0.05
    worse = [d.verdict == "worse" for one in found for d in one.differences]
    assert 0.005 < np.mean(worse) < 0.035  # 2.5% of intervals lie below 0 by chance
