"""Findings under stress: levels, searches, maps, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from audit.evidence import Predictions
from audit.findings import derive
from audit.results import Finding
from tests.tables import attack, evidence, one, rows, says, table

TARGETS = [1] * 20 + [0] * 30
CALLED = [1] * 15 + [0] * 5 + [0] * 24 + [1] * 6
RIGHT = [i for i in range(50) if TARGETS[i] == CALLED[i]]


def counts(found: list[Finding], stress: str, **where: object) -> dict[str, tuple[int | None, int]]:
    return {
        f.metric: (f.events, f.n)
        for f in found
        if f.stress == stress
        and f.contrast is None
        and all(getattr(f, k) == v for k, v in where.items())
    }


def test_under_attack_the_cases_it_left_alone_keep_their_clean_decision() -> None:
    fooled = {*range(6), 40, 41, 42, 43}
    run = attack(TARGETS, CALLED, fooled, epsilon=0.5, eight={0, 1, 40})
    found = derive(table(TARGETS, CALLED, run), None, 0)
    said = counts(found, "fgsm")
    assert said["accuracy"] == said["robust_accuracy"] == (29, 50)
    assert said["sensitivity"] == said["robust_sensitivity"] == (9, 20)
    assert said["specificity"] == said["robust_specificity"] == (20, 30)
    assert said["attack_success"] == (10, 39)
    assert said["attack_success_8bit"] == (3, 39)
    points = {"cutoff", "coverage", "bin"}
    own = [f for f in found if f.stress == "fgsm" and not points & {*f.params}]
    assert own
    assert all(f.params == {"epsilon": 0.5} for f in own)


def test_each_level_is_a_finding_of_its_own_with_the_runs_other_parameters() -> None:
    logits = np.concatenate([says([TARGETS[i] for i in RIGHT]), says([0] * len(RIGHT))])
    flags = [0] * len(RIGHT) + [TARGETS[i] for i in RIGHT]
    variant = [0] * len(RIGHT) + [1] * len(RIGHT)
    levels = ({"epsilon": 1 / 255}, {"epsilon": 8 / 255})
    part = rows(RIGHT * 2, logits, levels, variant, flags, flags)
    params = {"epsilons": [1 / 255, 8 / 255], "steps": 10, "travel": float("inf")}
    run = evidence(part, range(50), "pgd", norm="linf", params=params)
    found = derive(table(TARGETS, CALLED, run), None, 0)
    kept = [f for f in found if f.metric == "robust_sensitivity" and f.stress == "pgd"]
    assert [f.params for f in kept] == [
        {"steps": 10, "travel": "inf", "epsilon": 1 / 255},
        {"steps": 10, "travel": "inf", "epsilon": 8 / 255},
    ]
    assert [f.events for f in kept] == [15, 0]


def test_a_sample_is_its_own_denominator() -> None:
    sample = [*range(10, 20), *range(20, 36)]
    run = attack(TARGETS, CALLED, {10, 11, 20}, sample=sample)
    said = counts(derive(table(TARGETS, CALLED, run), None, 0), "fgsm")
    assert said["robust_accuracy"] == (3 + 15, 26)
    assert said["robust_sensitivity"] == (3, 10)
    assert said["robust_specificity"] == (15, 16)
    assert said["attack_success"] == (3, 21)


def test_a_recorded_success_counts_even_if_the_stored_logits_look_right() -> None:
    flags = [int(i == 0) for i in RIGHT]
    part = rows(RIGHT, says([TARGETS[i] for i in RIGHT]), ({},), None, flags, flags)
    said = counts(derive(table(TARGETS, CALLED, evidence(part, range(50), "x")), None, 0), "x")
    assert said["attack_success"] == (1, 39)
    assert said["robust_accuracy"] == (38, 50)


def test_a_level_with_missing_rows_has_no_value_and_says_how_many() -> None:
    part = rows(RIGHT[:-3], says([TARGETS[i] for i in RIGHT[:-3]]), ({"epsilon": 0.1},))
    run = evidence(part, range(50), "fgsm")
    found = [f for f in derive(table(TARGETS, CALLED, run), None, 0) if f.stress == "fgsm"]
    assert {f.metric for f in found} >= {"robust_accuracy", "attack_success", "auroc"}
    assert all(f.value is None for f in found)
    assert {f.reason for f in found} == {"no result for 3 of 50 cases"}


@pytest.mark.parametrize("state", ["failed", "not applicable", "skipped", "planned"])
def test_a_run_that_was_not_done_keeps_its_place_at_every_planned_level(state: str) -> None:
    params = {"epsilons": [0.1, 0.2], "steps": 5}
    reason = "the classifier gives no gradients" if state == "not applicable" else None
    part = rows([], np.zeros((0, 2)), ())
    run = evidence(part, range(50), "pgd", params=params, state=state, reason=reason)
    found = derive(table(TARGETS, CALLED, run), None, 0)
    kept = [f for f in found if f.metric == "robust_sensitivity"]
    assert [f.params["epsilon"] for f in kept] == [0.1, 0.2]
    assert {f.value for f in kept} == {None}
    assert {f.reason for f in kept} == {reason or f"the run is {state}"}


def test_an_attack_under_a_defence_without_a_clean_run_says_so() -> None:
    run = attack(TARGETS, CALLED, {0}, defence="tta")
    hit = one(derive(table(TARGETS, CALLED, run), None, 0), "robust_accuracy")
    assert (hit.value, hit.defence) == (None, "tta")
    assert hit.reason == "the clean run under this defence is not complete"


def test_a_model_that_is_always_wrong_has_no_robust_case_and_no_attack_success() -> None:
    called = [1 - t for t in TARGETS]
    run = evidence(rows([], np.zeros((0, 2)), ()), range(50), "fgsm", params={"epsilons": [0.1]})
    found = derive(table(TARGETS, called, run), None, 0)
    hit = one(found, "robust_accuracy", stress="fgsm")
    assert (hit.value, hit.n, hit.params) == (0.0, 50, {"epsilon": 0.1})
    success = one(found, "attack_success", stress="fgsm")
    assert success.reason == "fewer than 10 cases decided correctly without stress"


def search(dropping: bool) -> Predictions:
    """Three draws over the correct cases; case 0 falls at draw 1, case 20 at draw 2."""
    case, variant, said, hit, eight = [], [], [], [], []
    for i in RIGHT:
        for draw in range(3):
            fooled = (i, draw) in {(0, 1), (20, 2)}
            case.append(i)
            variant.append(draw)
            said.append(1 - TARGETS[i] if fooled else TARGETS[i])
            hit.append(int(fooled))
            eight.append(int((i, draw) == (20, 2)))
            if fooled and dropping:
                break
    draws = ({"draw": 0}, {"draw": 1}, {"draw": 2})
    part = rows(case, says(said), draws, variant, hit, eight)
    run = evidence(
        part, range(50), "rotation", level_variants=False, search_variants=True, params={"k": 3}
    )
    return table(TARGETS, CALLED, run)


def test_a_search_fools_a_case_when_any_candidate_does() -> None:
    found = derive(search(dropping=True), None, 0)
    said = counts(found, "rotation")
    assert {f.variant for f in found if f.stress == "rotation"} == {"worst"}
    assert said["robust_accuracy"] == (37, 50)
    assert said["attack_success"] == (2, 39)
    assert said["attack_success_8bit"] == (1, 39)


def test_the_average_over_draws_is_given_only_when_no_draw_was_dropped() -> None:
    hit = one(derive(search(dropping=False), None, 0), "accuracy", variant="average")
    assert hit.value == pytest.approx((39 * 3 - 2) / 3 / 50)
    assert (hit.n, hit.events, hit.params) == (50, None, {"k": 3})
    assert hit.low < hit.value < hit.high
    worst = one(derive(search(dropping=False), None, 0), "accuracy", variant="worst")
    assert worst.events == 37


def test_the_worst_score_of_a_search_is_the_one_furthest_on_the_wrong_side() -> None:
    rng = np.random.default_rng(2)
    targets = [1] * 15 + [0] * 15
    margins = rng.normal(0, 2, (3, 30)) + np.where(np.array(targets) == 1, 2.0, -2.0)
    wrong = ((margins > 0) != (np.array(targets) == 1)).astype(int).ravel().tolist()
    logits = np.stack([0 * margins.ravel(), margins.ravel()], axis=1)
    draws = ({"draw": 0}, {"draw": 1}, {"draw": 2})
    part = rows([*range(30)] * 3, logits, draws, np.repeat([0, 1, 2], 30).tolist(), wrong, wrong)
    run = evidence(part, range(30), "r", level_variants=False, search_variants=True)
    worst = np.where(np.array(targets) == 1, margins.min(axis=0), margins.max(axis=0))
    found = derive(table(targets, targets, run), None, 0)
    expected = roc_auc_score(targets, worst)
    assert 0.1 < expected < 0.9
    assert one(found, "auroc", variant="worst").value == pytest.approx(expected)


def test_a_recorded_success_speaks_for_its_case_before_any_worse_score() -> None:
    part = rows(
        RIGHT * 2,
        np.concatenate([says([TARGETS[i] for i in RIGHT]) / 4, says([TARGETS[i] for i in RIGHT])]),
        ({"draw": 0}, {"draw": 1}),
        [0] * len(RIGHT) + [1] * len(RIGHT),
        [0] * len(RIGHT) + [int(i < 3) for i in RIGHT],
        [0] * 2 * len(RIGHT),
    )
    run = evidence(part, range(50), "r", level_variants=False, search_variants=True)
    hit = one(derive(table(TARGETS, CALLED, run), None, 0), "robust_accuracy", stress="r")
    assert hit.events == 36


def test_a_corruption_must_have_a_row_for_cases_that_are_wrong_without_it_too() -> None:
    part = rows(RIGHT, says([TARGETS[i] for i in RIGHT]))
    run = evidence(part, range(50), "noise", kind="corruption")
    hit = one(derive(table(TARGETS, CALLED, run), None, 0), "sensitivity", stress="noise")
    assert (hit.value, hit.reason) == (None, "no result for 11 of 50 cases")


def test_a_map_gives_each_cell_overall_the_worst_cell_per_image_and_the_average() -> None:
    views = [{"view": "ab"[i % 2]} for i in range(50)]
    wrong = {0: {20, 21}, 1: {21, 22, 23}}  # cell -> cases decided wrongly beyond the clean ones
    said = [1 - CALLED[i] if i in wrong[cell] else CALLED[i] for cell in (0, 1) for i in range(50)]
    cells = ({"angle": -5.0, "dx": 0.0}, {"angle": 5.0, "dx": 0.0})
    part = rows([*range(50)] * 2, says(said), cells, [0] * 50 + [1] * 50)
    run = evidence(part, range(50), "map", kind="corruption", level_variants=False)
    found = derive(table(TARGETS, CALLED, run, attributes=views), None, 0)
    each = [f for f in found if f.metric == "accuracy" and f.params and f.contrast is None]
    assert [(f.params["angle"], f.events) for f in each] == [(-5.0, 37), (5.0, 36)]
    assert not any(f.group for f in each)
    assert one(found, "accuracy", variant="worst cell", group={}, contrast=None).events == 35
    average = one(found, "accuracy", variant="average", group={})
    assert average.value == pytest.approx((37 + 36) / 100)
    assert one(found, "specificity", variant="worst cell", group={}, contrast=None).events == 20


def test_a_corruption_is_counted_on_every_case_and_robust_means_right_both_times() -> None:
    called = list(CALLED)
    called[15], called[0] = 1, 0  # one wrong case set right, one right case lost
    run = evidence(
        rows(range(50), says(called), ({"severity": 2},)),
        range(50),
        "noise",
        kind="corruption",
        params={"severities": [2]},
    )
    found = derive(table(TARGETS, CALLED, run), None, 0)
    said = counts(found, "noise")
    assert said["sensitivity"] == (15, 20)
    assert said["robust_sensitivity"] == (14, 20)
    assert "attack_success" not in said
    drop = one(found, "sensitivity", contrast="stress=clean")
    assert (drop.value, drop.n, drop.method) == (0.0, 20, "Bonett-Price")
    assert drop.low < 0 < drop.high


def test_referral_under_attack_is_of_the_attacked_rows_and_clean_for_those_left_alone() -> None:
    run = attack(TARGETS, CALLED, {0})
    run.rows.referred[:4] = True  # four attacked cases
    whole = table(TARGETS, CALLED, run)
    whole.runs[0].rows.referred[[0, 15, 16]] = True  # one attacked case, two left alone
    found = derive(whole, None, 0)
    assert one(found, "referral_rate", stress="clean").events == 3
    assert one(found, "referral_rate", stress="fgsm").events == 4 + 2
