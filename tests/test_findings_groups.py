"""Differences between groups and between readings: their tests, families and crossings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from audit.errors import HipauditError
from audit.evidence import Predictions
from audit.findings import derive
from audit.findings.families import family_of, with_families
from audit.findings.groups import check_subgroups
from audit.results import Finding
from tests.tables import attack, evidence, one, rows, says, table

TARGETS = [1] * 60 + [0] * 60
CALLED = [1] * 45 + [0] * 15 + [0] * 50 + [1] * 10
ATTRIBUTES = [{"view": "fl"[i % 3 == 0], "sex": "FM"[i % 4 == 0]} for i in range(120)]


def defended(plain: list[int], guarded: list[int], who: list[str] | None = None) -> Predictions:
    clean = evidence(rows(range(120), says(guarded)), range(120), defence="tta")
    return table(TARGETS, plain, clean, patients=who, attributes=ATTRIBUTES)


def test_a_difference_between_groups_of_images_has_fishers_p() -> None:
    found = derive(table(TARGETS, CALLED, attributes=ATTRIBUTES), ["view"], 0)
    hit = one(found, "sensitivity", group={"view": "l"}, contrast="view=f")
    lateral = [i for i in range(60) if i % 3 == 0]
    frontal = [i for i in range(60) if i % 3]
    counts = [[sum(CALLED[i] == c for i in side) for c in (1, 0)] for side in (lateral, frontal)]
    assert hit.p == pytest.approx(fisher_exact(counts)[1])


@pytest.mark.parametrize("metric", ["accuracy", "sensitivity", "specificity"])
def test_what_a_defence_changes_has_mcnemars_exact_p_for_each_rate_apart(metric: str) -> None:
    guarded = [1 - c if i % 7 == 0 else c for i, c in enumerate(CALLED)]
    hit = one(derive(defended(CALLED, guarded), [], 0), metric, contrast="defence=none")
    side = {"accuracy": (0, 1), "sensitivity": (1,), "specificity": (0,)}[metric]
    those = [i for i in range(120) if TARGETS[i] in side]
    cells = np.zeros((2, 2))
    for i in those:
        cells[int(guarded[i] == TARGETS[i]), int(CALLED[i] == TARGETS[i])] += 1
    assert hit.p == pytest.approx(mcnemar(cells, exact=True).pvalue)


def test_patients_of_several_images_make_a_difference_less_sure() -> None:
    guarded = [1 - c if i < 12 else c for i, c in enumerate(CALLED)]
    who = [f"P{i // 4:04d}" for i in range(120)]
    alone, known = (
        one(derive(defended(CALLED, guarded, w), [], 0), "accuracy", contrast="defence=none")
        for w in (None, who)
    )
    assert alone.p == pytest.approx(2 * 0.5**12)
    assert known.p == pytest.approx(2 * 0.5**3)  # three patients, all one way


def test_an_auroc_is_tested_between_groups_and_under_a_defence() -> None:
    guarded = [1 - c if i % 7 == 0 else c for i, c in enumerate(CALLED)]
    found = derive(defended(CALLED, guarded), ["view"], 0)
    told = [f for f in found if f.metric == "auroc" and f.contrast]
    assert {f.contrast for f in told} == {"view=f", "defence=none"}
    assert all(f.p is not None and 0 <= f.p <= 1 for f in told)


def test_only_a_difference_with_a_value_is_tested_and_every_test_has_a_family() -> None:
    whole = table(TARGETS, CALLED, attack(TARGETS, CALLED, set(range(20))), attributes=ATTRIBUTES)
    found = derive(whole, None, 0)
    chosen = ("first_loss", "change_per_step", "weak_slice")
    compared = [f for f in found if f.contrast and f.metric not in chosen]
    assert compared
    assert all((f.p is None) == (f.value is None) for f in compared)
    assert all((f.p is None) == (f.p_holm is None) == (f.family is None) for f in compared)
    assert not [f for f in found if f.contrast is None and f.p is not None]


def test_a_family_is_adjusted_by_holm_over_all_its_members_and_nothing_else() -> None:
    whole = table(TARGETS, CALLED, attack(TARGETS, CALLED, set(range(20))), attributes=ATTRIBUTES)
    found = derive(whole, None, 0)
    family = [f for f in found if f.family == "any metric between groups, without stress"]
    members = {(f.metric, f.contrast) for f in family}
    assert members >= {(m, c) for m in ("sensitivity", "auroc") for c in ("view=f", "sex=F")}
    assert {f.stress for f in family} == {"clean"}
    expected = multipletests([f.p for f in family], method="holm")[1]
    assert [f.p_holm for f in family] == pytest.approx(expected)
    assert {f.stress for f in found if (f.family or "").endswith("under stress")} > {"fgsm"}


def test_under_stress_every_metric_is_a_family_of_its_own() -> None:
    whole = table(TARGETS, CALLED, attack(TARGETS, CALLED, set(range(20))), attributes=ATTRIBUTES)
    found = [f for f in derive(whole, None, 0) if f.stress == "fgsm" and f.family]
    assert {f.family for f in found} == {f"{f.metric} between groups, under stress" for f in found}


def test_tests_under_stress_do_not_weaken_those_without() -> None:
    few = derive(table(TARGETS, CALLED, attributes=ATTRIBUTES), None, 0)
    more = [attack(TARGETS, CALLED, set(range(20)), epsilon=k / 255) for k in (1, 2, 4)]
    many = derive(table(TARGETS, CALLED, *more, attributes=ATTRIBUTES), None, 0)
    where = {"group": {"sex": "M"}, "contrast": "sex=F", "stress": "clean"}
    assert one(few, "accuracy", **where).p_holm == one(many, "accuracy", **where).p_holm


def test_thousands_of_findings_are_put_into_families() -> None:
    p = np.random.default_rng(0).random(5000)
    told = with_families(
        [
            Finding(metric="accuracy", group={"g": str(i)}, contrast="g=x", p=x)
            for i, x in enumerate(p)
        ]
    )
    assert [f.p_holm for f in told] == pytest.approx(multipletests(p, method="holm")[1].tolist())
    assert len({f.family for f in told}) == 1


def test_an_adjusted_p_is_not_adjusted_again() -> None:
    found = Finding(metric="weak_slice", contrast="rest", p=0.001, p_holm=0.04, family="a search")
    assert with_families([found]) == [found]


@pytest.mark.parametrize(
    ("contrast", "words"),
    [("defence=none", "with a defence against none"), ("model=resnet18", "against another model")],
)
def test_a_family_says_what_was_asked(contrast: str, words: str) -> None:
    clean = Finding(metric="f", contrast=contrast)
    assert family_of(clean) == f"any metric {words}, without stress"
    assert family_of(clean.model_copy(update={"stress": "pgd"})) == f"f {words}, under stress"


def test_a_crossing_counts_every_combination_that_occurs() -> None:
    found = derive(table(TARGETS, CALLED, attributes=ATTRIBUTES), ["view*sex"], 0)
    sizes = {
        (f.group["view"], f.group["sex"]): f.n
        for f in found
        if f.metric == "accuracy" and f.group and not f.contrast
    }
    expected: dict[tuple[str, str], int] = {}
    for a in ATTRIBUTES:
        expected[a["view"], a["sex"]] = expected.get((a["view"], a["sex"]), 0) + 1
    assert sizes == expected


def test_a_crossing_of_few_cases_is_counted_and_not_rated() -> None:
    attributes = [{"view": "l" if i < 9 else "f", "sex": "F"} for i in range(120)]
    found = derive(table(TARGETS, CALLED, attributes=attributes), ["view*sex"], 0)
    hit = one(found, "sensitivity", group={"view": "l", "sex": "F"}, contrast=None)
    assert (hit.n, hit.value, hit.reason) == (9, None, "fewer than 10 positives")


def test_up_to_four_cells_of_a_crossing_are_compared_in_pairs_against_the_larger() -> None:
    found = derive(table(TARGETS, CALLED, attributes=ATTRIBUTES), ["view*sex"], 0)
    gaps = [f for f in found if f.metric == "accuracy" and f.contrast]
    assert len(gaps) == 6
    hit = one(gaps, "accuracy", group={"view": "l", "sex": "F"}, contrast="view=f, sex=F")
    here = [i for i in range(120) if ATTRIBUTES[i] == {"view": "l", "sex": "F"}]
    there = [i for i in range(120) if ATTRIBUTES[i] == {"view": "f", "sex": "F"}]
    right = [np.mean([CALLED[i] == TARGETS[i] for i in side]) for side in (here, there)]
    assert hit.value == pytest.approx(right[0] - right[1])


@pytest.mark.parametrize(
    ("asked", "words"),
    [("vew*sex", 'Did you mean "view"'), ("view*sx", 'Did you mean "sex"'),
     ("view*view", "two of them crossed"), ("a*b*c", "two of them crossed"), ("view*", "view")],
)  # fmt: skip
def test_a_crossing_that_cannot_be_is_an_error_that_says_what_to_type(
    asked: str, words: str
) -> None:
    with pytest.raises(HipauditError) as error:
        check_subgroups(["view", "sex"], [asked])
    assert words in str(error.value)
