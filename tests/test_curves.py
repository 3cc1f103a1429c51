"""Lines of audit.json against scikit-learn's of the same scores, and stairs counted on paper."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score, roc_curve

from audit.curves import curves_of
from audit.curves.thin import APART, MOST, thinned
from audit.decision import Decision
from audit.evidence import Predictions
from audit.json_schema import SCHEMA_FILE
from audit.results import Curve, Results
from tests.sample_results import sample_results
from tests.tables import attack, evidence, rows, says, table

EDGE = APART + 2e-6  # coordinates are rounded to six digits


def scored(score: np.ndarray, positive: np.ndarray, **more: object) -> Predictions:
    """A clean run with these log-odds of the positive class, decided at 0."""
    made = table(positive.astype(int).tolist(), (score > 0).astype(int).tolist(), **more)  # type: ignore[arg-type]
    logits = np.stack([0 * score, score], axis=1)
    count = range(len(score))
    return replace(made, runs=(evidence(rows(count, logits), count), *made.runs[1:]))


def drawn(n: int, share: float, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two normal classes `apart`, in float32 as an audit stores them."""
    rng = np.random.default_rng(seed)
    positive = np.arange(n) < round(share * n)
    return (rng.normal(size=n) + apart * positive).astype(np.float32), positive


def off(points: np.ndarray, line: np.ndarray) -> float:
    """The largest distance of a point (P, 2) from a line of points (M, 2)."""
    start, run = line[:-1], np.diff(line, axis=0)
    square = np.maximum((run**2).sum(1), 1e-30)
    furthest = 0.0
    for some in np.array_split(points, max(1, len(points) // 500)):
        gap = some[:, None] - start
        part = np.clip((gap * run).sum(2) / square, 0, 1)
        furthest = max(furthest, float(np.hypot(*(gap - part[..., None] * run).T).min(0).max()))
    return furthest


def line_of(found: Curve) -> np.ndarray:
    return np.stack([found.x, found.y], axis=1)


def clean(found: list[Curve], kind: str) -> Curve:
    (one,) = (c for c in found if c.kind == kind and c.stress == "clean" and not c.group)
    return one


SETS = [(60, 0.4, 1.5), (561, 0.155, 1.3), (561, 0.155, 0.0), (2000, 0.5, 0.0), (10_000, 0.2, 2.0)]


@pytest.mark.parametrize(("n", "share", "apart"), SETS)
def test_the_roc_line_is_scikit_learns_within_a_five_hundredth(n, share, apart) -> None:
    score, positive = drawn(n, share, apart)
    found = clean(curves_of(scored(score, positive)), "roc")
    out, up, _ = roc_curve(positive, score, drop_intermediate=False)
    whole = np.stack([out, up], axis=1)
    assert len(found.x) <= MOST
    assert off(whole, line_of(found)) <= EDGE
    assert off(line_of(found), whole) <= 2e-6  # every point kept is one of the curve
    assert auc(found.x, found.y) == pytest.approx(roc_auc_score(positive, score), abs=2 * APART)
    assert (found.n, found.events) == (n, positive.sum())


@pytest.mark.parametrize(("n", "share", "apart"), SETS)
def test_the_precision_recall_line_is_scikit_learns_within_a_five_hundredth(
    n, share, apart
) -> None:
    score, positive = drawn(n, share, apart)
    found = clean(curves_of(scored(score, positive)), "precision-recall")
    precision, recall, _ = precision_recall_curve(positive, score)
    whole = np.stack([recall, precision], axis=1)[:-1]  # its last point has no threshold
    assert len(found.x) <= MOST
    assert off(whole, line_of(found)) <= EDGE
    assert off(line_of(found), whole) <= 2e-6


def test_equal_scores_are_called_together() -> None:
    score = np.repeat([-1.0, 1.0, 2.0], 10)
    positive = np.arange(30) % 2 == 0
    found = clean(curves_of(scored(score, positive)), "roc")
    # a straight line, on which the deployed rule has its own point
    assert list(zip(found.x, found.y, strict=True)) == [(0, 0), (0.666667, 0.666667), (1, 1)]


@pytest.mark.parametrize("threshold", [None, 0.8])
def test_the_point_of_the_deployed_rule_is_counted_from_its_decisions(threshold) -> None:
    score, positive = drawn(400, 0.3, 1.0)
    plain = replace(scored(score, positive), decision=Decision(1, threshold))
    called = score >= (0 if threshold is None else np.log(threshold / (1 - threshold)))
    hits, alarms = (called & positive).sum(), (called & ~positive).sum()
    found = curves_of(plain)
    roc, pr = clean(found, "roc"), clean(found, "precision-recall")
    assert roc.at == pytest.approx((alarms / 280, hits / 120), abs=1e-6)
    assert pr.at == pytest.approx((hits / 120, hits / (hits + alarms)), abs=1e-6)
    assert roc.at in set(zip(roc.x, roc.y, strict=True))
    assert pr.at in set(zip(pr.x, pr.y, strict=True))


def test_a_rule_that_calls_nobody_stands_at_the_start_and_on_no_line_of_precision() -> None:
    score, positive = drawn(100, 0.5, 1.0)
    found = curves_of(scored(score - 100, positive))
    assert clean(found, "roc").at == (0, 0)
    assert clean(found, "precision-recall").at is None


def test_a_case_without_a_finite_output_ranks_as_badly_as_its_label_allows() -> None:
    score, positive = drawn(100, 0.5, 3.0)
    broken = score.copy()
    broken[[0, 99]] = np.nan  # a positive and a negative
    found = clean(curves_of(scored(broken, positive)), "roc")
    bounded = np.where(np.isnan(broken), np.where(positive, -1e9, 1e9), broken)
    out, up, _ = roc_curve(positive, bounded, drop_intermediate=False)
    assert off(np.stack([out, up], axis=1), line_of(found)) <= EDGE
    called = np.nan_to_num(broken, nan=-1) > 0
    assert found.at == pytest.approx(
        ((called & ~positive).sum() / 50 + 1 / 50, (called & positive).sum() / 50)
    )


TARGETS = [1] * 20 + [0] * 30
CALLED = [1] * 18 + [0] * 2 + [0] * 27 + [1] * 3


def test_a_run_has_its_line_at_the_level_that_fooled_most() -> None:
    weak = attack(TARGETS, CALLED, {0, 1}, epsilon=1 / 255)
    hard = attack(TARGETS, CALLED, set(range(10)), epsilon=2 / 255)
    both = replace(
        weak,
        rows=replace(
            weak.rows,
            **{
                name: np.concatenate([getattr(weak.rows, name), getattr(hard.rows, name)])
                for name in ("case", "logits", "referred", "success", "success_8bit", "queries")
            },
            variant=np.repeat([0, 1], 45),
            variants=({"epsilon": 1 / 255}, {"epsilon": 2 / 255}),
            found=weak.rows.found * 2,
        ),
    )
    found = [c for c in curves_of(table(TARGETS, CALLED, both)) if c.stress == "fgsm"]
    assert [(c.kind, c.params["epsilon"]) for c in found] == [
        ("roc", 2 / 255),
        ("precision-recall", 2 / 255),
    ]
    # 8 of 20 positives are still called, and the 3 false alarms of before
    assert found[0].at == (pytest.approx(0.1), pytest.approx(0.4))
    assert found[1].at == (pytest.approx(0.4), pytest.approx(8 / 11))


def test_of_several_images_of_one_search_the_worst_speaks_for_a_case() -> None:
    right = [i for i in range(50) if TARGETS[i] == CALLED[i]]
    plain = says([TARGETS[i] for i in right])
    fooled = says([1 - TARGETS[i] if i < 5 else TARGETS[i] for i in right])
    run = evidence(
        rows(
            right * 2, np.concatenate([plain, fooled]), ({"draw": 0}, {"draw": 1}),
            [0] * 45 + [1] * 45, [0] * 45 + [int(i < 5) for i in right],
        ),
        range(50), "rotation_translation", search_variants=True, level_variants=False,
    )  # fmt: skip
    (roc,) = (
        c for c in curves_of(table(TARGETS, CALLED, run)) if c.stress != "clean" and c.kind == "roc"
    )
    assert roc.variant == "worst"
    assert roc.at == (pytest.approx(0.1), pytest.approx(13 / 20))


def test_lines_of_groups_are_of_the_first_attribute_and_of_ten_of_each_outcome() -> None:
    score, positive = drawn(300, 0.5, 1.0)
    views = np.where(np.arange(300) % 3 == 0, "lateral", "frontal")
    views[:5], views[-5:] = "oblique", "oblique"
    known = [{"view": str(v), "sex": "FM"[i % 2]} for i, v in enumerate(views)]
    found = curves_of(scored(score, positive, attributes=known))
    grouped = [c for c in found if c.group]
    assert {c.kind for c in grouped} == {"roc"}
    assert [c.group for c in grouped] == [{"view": "frontal"}, {"view": "lateral"}]
    inside = views == "lateral"
    assert auc(grouped[1].x, grouped[1].y) == pytest.approx(
        roc_auc_score(positive[inside], score[inside]), abs=2 * APART
    )
    by_sex = curves_of(scored(score, positive, attributes=known), ["sex", "view"])
    assert [c.group for c in by_sex if c.group] == [{"sex": "F"}, {"sex": "M"}]


def test_few_positives_and_images_of_another_model_and_mere_referral_have_no_line() -> None:
    assert curves_of(table([1] * 9 + [0] * 50, [1] * 9 + [0] * 50)) == []
    other = attack(TARGETS, CALLED, {0}, surrogate="resnet18")
    hidden = evidence(rows(range(50), says(CALLED)), range(50), defence="quality-filter")
    changed = evidence(rows(range(50), says(TARGETS)), range(50), defence="tta")
    found = curves_of(table(TARGETS, CALLED, hidden, changed, other))
    assert {(c.stress, c.defence) for c in found} == {("clean", "none"), ("clean", "tta")}


def searched(fooled: dict[int, int], budget: int = 100, **more: object) -> Predictions:
    """A search that fooled these cases after so many queries, and spent its budget on others."""
    run = attack(
        TARGETS,
        CALLED,
        set(fooled),
        "one_pixel",
        None,
        params={"queries": budget},
        **more,  # type: ignore[arg-type]
    )
    spent = np.array([fooled.get(int(case), budget) for case in run.rows.case])
    return table(TARGETS, CALLED, replace(run, rows=replace(run.rows, queries=spent)))


def stairs(found: list[Curve]) -> list[Curve]:
    return [c for c in found if c.kind == "success by queries"]


def test_success_by_queries_climbs_by_one_image_at_each_success() -> None:
    (one,) = stairs(curves_of(searched({3: 40, 20: 7, 21: 7, 4: 100})))
    # 45 of 50 are decided correctly and attacked
    assert (one.n, one.events, one.at) == (45, 4, None)
    assert one.x == (0, 7, 7, 40, 40, 100, 100)
    assert one.y == pytest.approx([0, 0, 2 / 45, 2 / 45, 3 / 45, 3 / 45, 4 / 45], abs=1e-6)


def test_a_search_that_fooled_nobody_has_a_flat_line_to_its_budget() -> None:
    (one,) = stairs(curves_of(searched({})))
    assert (one.x, one.y, one.events) == ((0, 100), (0, 0), 0)


def test_without_a_record_of_queries_or_with_nine_images_there_are_no_stairs() -> None:
    made = searched({3: 40})
    unknown = replace(made.runs[1].rows, queries=np.full(45, -1))
    assert not stairs(
        curves_of(replace(made, runs=(made.runs[0], replace(made.runs[1], rows=unknown))))
    )
    assert not stairs(curves_of(searched({3: 40}, sample=range(9))))
    assert stairs(curves_of(searched({3: 40}, sample=range(10))))


def test_a_staircase_of_ten_thousand_steps_keeps_its_shape_in_two_hundred_points() -> None:
    across = np.sort(np.random.default_rng(0).exponential(0.2, 10_000))
    across = np.minimum(across, 1.0)
    line = np.stack([np.repeat(across, 2), np.repeat(np.arange(10_001), 2)[1:-1] / 10_000], axis=1)
    kept = line[thinned(line)]
    assert len(kept) <= MOST
    assert off(line, kept) <= EDGE


def test_lines_travel_through_audit_json_and_files_without_them_still_read() -> None:
    score, positive = drawn(100, 0.5, 1.0)
    lines = tuple(curves_of(scored(score, positive)))
    results = sample_results().model_copy(update={"curves": lines})
    document = json.loads(results.to_json())
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert Results.model_validate(document).curves == lines
    del document["curves"]
    jsonschema.Draft202012Validator(schema).validate(document)
    assert Results.model_validate(document).curves == ()
