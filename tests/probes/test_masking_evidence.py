"""Which attack must not find what another missed: counted by hand on tables made up for it."""

from __future__ import annotations

import numpy as np
import pytest

from audit.decision import Decision
from audit.evidence import Predictions, Rows, RunEvidence, Subject
from audit.probes.masking.evidence import signs
from audit.probes.masking.flags import enough
from audit.results import PlannedRun

N = 40


def rows(fooled: dict[float, set[int]], attacked: range) -> Rows:
    """One row per case and ε; logits say 0 ("right") or 1 ("fooled"); truth is 0."""
    pairs = [(case, variant) for variant in range(len(fooled)) for case in attacked]
    hit = np.array([case in list(fooled.values())[variant] for case, variant in pairs], dtype=bool)
    logits = np.where(hit[:, None], [[-1.0, 1.0]], [[1.0, -1.0]]).astype(np.float32)
    return Rows(
        case=np.array([case for case, _ in pairs]),
        variant=np.array([variant for _, variant in pairs]),
        logits=logits,
        referred=np.zeros(len(pairs), dtype=bool),
        success=hit.astype(np.int8),
        success_8bit=hit.astype(np.int8),
        queries=np.ones(len(pairs), dtype=np.int64),
        variants=tuple({"epsilon": epsilon} for epsilon in fooled),
        found=({},) * len(pairs),
    )


def run(
    stress: str, fooled: dict[float, set[int]], attacked: range = range(N), made_on: str = ""
) -> RunEvidence:
    planned = PlannedRun(
        id=stress, stress=stress, kind="attack", norm="linf", params={"epsilons": list(fooled)},
        sample=len(attacked), of=N, state="done", surrogate=made_on,
    )  # fmt: skip
    return RunEvidence(planned, np.array(attacked), rows(fooled, attacked))


def table(*runs: RunEvidence) -> Predictions:
    subjects = tuple(Subject(f"{i:04x}", 0, None, {}) for i in range(N))
    planned = PlannedRun(id="clean", stress="clean", kind="clean", sample=N, of=N, state="done")
    nothing = rows({0.0: set()}, range(N))
    right = np.full(N, -1, dtype=np.int8)
    clean = Rows(**{**vars(nothing), "variants": ({},), "success": right, "success_8bit": right})
    whole = RunEvidence(planned, np.arange(N), clean)
    return Predictions(subjects, ("right", "wrong"), Decision(0), (whole, *runs))


def found(*runs: RunEvidence) -> dict[str, tuple[int, int]]:
    return {flag.code: (flag.count, flag.of) for flag in signs(table(*runs))}


def first(n: int) -> set[int]:
    return set(range(n))


def test_square_that_finds_what_pgd_misses_is_counted_on_the_common_cases() -> None:
    pgd = run("pgd", {0.1: first(10)}, range(30))
    square = run("square", {0.1: first(20)}, range(15))
    assert found(pgd, square) == {"masking-black-box": (5, 15)}


def test_square_at_a_larger_radius_than_pgd_is_not_held_against_it() -> None:
    pgd, square = run("pgd", {0.1: first(10)}), run("square", {0.2: first(30)})
    assert found(pgd, square) == {}


def test_square_is_held_against_the_next_larger_radius_of_pgd() -> None:
    pgd = run("pgd", {0.05: first(1), 0.2: first(10), 0.3: first(N)})
    assert found(pgd, run("square", {0.1: first(14)})) == {"masking-black-box": (4, N)}


@pytest.mark.parametrize(("extra", "flagged"), [(0, False), (1, False), (2, True)])
def test_one_case_is_no_sign_and_two_of_forty_are(extra: int, flagged: bool) -> None:
    pgd, square = run("pgd", {0.1: first(10)}), run("square", {0.1: first(10 + extra)})
    assert bool(found(pgd, square)) is flagged


def test_square_is_not_held_against_a_single_step_which_is_known_to_be_weak() -> None:
    assert found(run("fgsm", {0.1: first(1)}), run("square", {0.1: first(30)})) == {}


def test_a_search_for_the_smallest_radius_is_no_attack_at_a_radius() -> None:
    pgd = run("pgd", {0.1: first(1)})
    assert found(pgd, run("smallest_epsilon", {0.1: first(20)})) == {}
    assert found(run("smallest_epsilon", {0.1: set()}), run("square", {0.1: first(20)})) == {}


def test_a_single_step_that_finds_what_many_steps_miss_is_a_sign() -> None:
    fgsm, pgd = run("fgsm", {0.1: first(9)}), run("pgd", {0.1: first(4)})
    assert found(fgsm, pgd) == {"masking-single-step": (5, N)}


def test_a_larger_radius_that_fools_fewer_is_a_sign_and_one_that_fools_more_is_not() -> None:
    assert found(run("pgd", {0.1: first(9), 0.2: first(6)})) == {"masking-not-monotone": (3, N)}
    assert found(run("pgd", {0.1: first(6), 0.2: first(9)})) == {}


def test_a_transferred_attack_that_finds_what_the_white_box_misses_is_a_sign() -> None:
    pgd, borrowed = run("pgd", {0.1: first(4)}), run("pgd", {0.1: first(10)}, made_on="resnet")
    assert found(pgd, borrowed) == {"masking-transfer": (6, N)}
    (flag,) = signs(table(pgd, borrowed))
    assert flag.text.startswith("pgd at 25.50/255, made on resnet, fooled 6 of 40 cases")


def test_a_transferred_single_step_is_held_against_the_same_step_made_here_too() -> None:
    fgsm, borrowed = run("fgsm", {0.1: first(4)}), run("fgsm", {0.1: first(10)}, made_on="resnet")
    assert found(fgsm, borrowed) == {"masking-transfer": (6, N)}


def test_a_transferred_attack_is_not_taken_for_a_white_box_one() -> None:
    borrowed, square = run("pgd", {0.1: first(4)}, made_on="resnet"), run("square", {0.1: first(9)})
    assert found(borrowed, square) == {}
    assert found(run("pgd", {0.1: first(9)}), run("pgd", {0.1: first(9)}, made_on="resnet")) == {}


def test_zero_gradients_that_an_attack_reports_are_counted_by_case() -> None:
    fgsm = run("fgsm", {0.1: set(), 0.2: set()})
    blind = tuple({"zero_gradient": True} if case < 7 else {} for case in fgsm.rows.case)
    fgsm = RunEvidence(fgsm.run, fgsm.sample, Rows(**{**vars(fgsm.rows), "found": blind}))
    assert found(fgsm) == {"masking-zero-gradient": (7, N)}


def test_the_rule_is_two_cases_and_five_percent() -> None:
    assert [enough(k, n) for k, n in ((1, 5), (2, 5), (4, 100), (5, 100))] == [
        False, True, False, True,
    ]  # fmt: skip
