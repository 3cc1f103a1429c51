"""Patients as the unit, and differences between groups and between defences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from audit.evidence import Predictions
from audit.findings import derive
from audit.results import Finding
from tests.tables import attack, evidence, one, rows, says, table


def pairs_of_images(
    patients: int = 80, seed: int = 0, known: bool = True, alike: float = 1.0
) -> Predictions:
    """Each patient has a frontal and a lateral image; with `alike` both are decided alike."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(patients) % 2, 2)
    right = np.repeat(rng.random(patients) < 0.75, 2)
    right = np.where(rng.random(2 * patients) < alike, right, rng.random(2 * patients) < 0.75)
    called = np.where(right, targets, 1 - targets)
    who = [f"P{i // 2:04d}" if known else None for i in range(2 * patients)]
    views = [{"view": "fl"[i % 2]} for i in range(2 * patients)]
    return table(targets.tolist(), called.tolist(), patients=who, attributes=views)


def width(finding: Finding) -> float:
    assert finding.low is not None
    assert finding.high is not None
    return finding.high - finding.low


def test_without_patient_ids_images_are_treated_as_independent_and_marked() -> None:
    found = derive(pairs_of_images(known=False), None, 0)
    assert all(f.independent for f in found)
    assert one(found, "sensitivity", group={}).method == "Clopper-Pearson"


def test_repeated_patients_widen_the_interval_by_about_root_two_when_their_images_agree() -> None:
    known = one(derive(pairs_of_images(400), None, 0), "sensitivity", group={})
    alone = one(derive(pairs_of_images(400, known=False), None, 0), "sensitivity", group={})
    assert (known.value, known.events, known.n) == (alone.value, alone.events, alone.n)
    assert known.method == "patient bootstrap"
    assert not known.independent
    assert width(known) / width(alone) == pytest.approx(2**0.5, rel=0.1)


def test_known_patients_with_one_image_each_need_no_clustering_and_no_assumption() -> None:
    found = derive(pairs_of_images(), None, 0)
    hit = one(found, "sensitivity", group={"view": "f"}, contrast=None)
    assert (hit.method, hit.independent) == ("Clopper-Pearson", False)


def test_one_unknown_patient_is_enough_to_mark_the_assumption() -> None:
    whole = pairs_of_images()
    first, *others = whole.subjects
    mixed = replace(whole, subjects=(replace(first, patient=None), *others))
    assert one(derive(mixed, None, 0), "accuracy", group={}).independent


def test_no_error_at_all_is_judged_on_the_number_of_patients() -> None:
    targets = [0, 1] * 60
    who = [f"P{i // 4:04d}" for i in range(120)]
    hit = one(derive(table(targets, targets, patients=who), None, 0), "accuracy")
    expected = proportion_confint(30, 30, method="beta")
    assert (hit.value, hit.n, hit.events) == (1.0, 120, 120)
    assert (hit.low, hit.high) == (pytest.approx(expected[0]), 1.0)
    assert hit.method == "Clopper-Pearson on patients"


def test_a_model_that_always_says_positive_is_not_certain_of_its_accuracy() -> None:
    targets = [int(i < 60) for i in range(200) for _ in range(2)]
    who = [f"P{i // 2:04d}" for i in range(400)]
    found = derive(table(targets, [1] * 400, patients=who), None, 0)
    hit = one(found, "accuracy")
    low, high = proportion_confint(60, 200, method="beta")
    assert (hit.value, hit.method) == (0.3, "patient bootstrap")
    assert (hit.low, hit.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_resamples_keep_the_number_of_positives_where_a_rate_is_among_the_positives() -> None:
    whole = pairs_of_images(100)  # every patient has two images: 100 positive images
    found = derive(whole, None, 0, resamples=2001)  # limits are drawn values, not between two
    hit = one(found, "sensitivity", group={})
    assert (hit.n, hit.method) == (100, "patient bootstrap")
    assert hit.low is not None
    assert hit.high is not None
    assert (hit.low * 50, hit.high * 50) == (
        pytest.approx(round(hit.low * 50)),
        pytest.approx(round(hit.high * 50)),
    )


def test_the_same_seed_gives_the_same_limits_and_more_resamples_move_them_little() -> None:
    whole = pairs_of_images(200)
    one_, again = derive(whole, None, 7), derive(whole, None, 7)
    assert one_ == again
    finer = one(derive(whole, None, 8, resamples=8000), "accuracy", group={})
    assert one(one_, "accuracy", group={}).low == pytest.approx(finer.low, abs=0.01)


def test_auroc_of_repeated_patients_is_clustered() -> None:
    hit = one(derive(pairs_of_images(200, alike=0.5), None, 0), "auroc", group={})
    assert hit.method == "clustered DeLong"


def test_a_gap_between_unrelated_groups_is_newcombes() -> None:
    targets = [1] * 40 + [0] * 30
    called = [1] * 30 + [0] * 10 + [0] * 30
    views = (
        [{"view": "f"}] * 25 + [{"view": "l"}] * 15 + [{"view": "f"}] * 15 + [{"view": "l"}] * 15
    )
    found = derive(table(targets, called, attributes=views), None, 0)
    hit = one(found, "sensitivity", group={"view": "l"}, contrast="view=f")
    low, high = confint_proportions_2indep(5, 15, 25, 25, compare="diff", method="newcomb")
    assert hit.value == pytest.approx(5 / 15 - 1)
    assert (hit.low, hit.high) == (pytest.approx(low), pytest.approx(high))
    assert (hit.method, hit.n, hit.events) == ("Newcombe", 15, None)


def test_a_gap_between_views_of_the_same_patients_is_resampled_by_patient() -> None:
    alike = derive(pairs_of_images(300, alike=0.95), None, 0)
    hit = one(alike, "accuracy", group={"view": "l"}, contrast="view=f")
    apart = derive(pairs_of_images(300, alike=0.95, known=False), None, 0)
    wide = one(apart, "accuracy", group={"view": "l"}, contrast="view=f")
    assert (hit.method, wide.method) == ("patient bootstrap", "Newcombe")
    assert hit.value == wide.value
    assert width(hit) < 0.6 * width(wide)
    area = one(alike, "auroc", group={"view": "l"}, contrast="view=f")
    area_wide = one(apart, "auroc", group={"view": "l"}, contrast="view=f")
    assert width(area) < 0.6 * width(area_wide)


def test_a_gap_with_too_few_on_one_side_has_a_reason() -> None:
    views = [{"view": "f"}] * 45 + [{"view": "l"}] * 5
    found = derive(table([1] * 25 + [0] * 25, [1] * 50, attributes=views), None, 0)
    hit = one(found, "specificity", group={"view": "l"}, contrast="view=f")
    assert (hit.value, hit.reason, hit.n) == (None, "fewer than 10 negatives", 5)


def test_many_values_are_compared_with_the_largest_group_only() -> None:
    sites = [{"site": name} for name in "aaaaaabbbbcccdddee" * 10]
    targets = [0, 1] * 90
    found = derive(table(targets, targets, attributes=sites), None, 0)
    gaps = [f for f in found if f.metric == "accuracy" and f.contrast]
    assert [(f.group["site"], f.contrast) for f in gaps] == [
        (name, "site=a") for name in ("b", "c", "d", "e")
    ]


def defended(
    targets: list[int], plain: list[int], guarded: list[int], who: list[str] | None = None
) -> Predictions:
    clean = evidence(rows(range(len(targets)), says(guarded)), range(len(targets)), defence="tta")
    return table(targets, plain, clean, patients=who)


def test_what_a_defence_costs_without_stress_is_paired_case_by_case() -> None:
    targets = [0, 1] * 50
    plain = [1 - t if i < 10 else t for i, t in enumerate(targets)]
    guarded = [1 - t if 4 <= i < 24 else t for i, t in enumerate(targets)]
    hit = one(
        derive(defended(targets, plain, guarded), None, 0), "accuracy", contrast="defence=none"
    )
    assert (hit.defence, hit.stress, hit.n) == ("tta", "clean", 100)
    assert hit.value == pytest.approx((4 - 14) / 100)
    p, q = 5 / 102, 15 / 102  # Bonett and Price add one to each discordant count
    half = 1.959964 * ((p + q - (p - q) ** 2) / 102) ** 0.5
    assert (hit.low, hit.high) == (pytest.approx(p - q - half), pytest.approx(p - q + half))


def test_repeated_patients_widen_the_paired_difference_too() -> None:
    targets = [0, 1] * 100
    targets = [t for t in targets for _ in range(3)]
    rng = np.random.default_rng(1)
    lost = np.repeat(rng.random(200) < 0.2, 3)
    guarded = [1 - t if miss else t for t, miss in zip(targets, lost, strict=True)]
    who = [f"P{i // 3:04d}" for i in range(600)]
    alone = one(
        derive(defended(targets, targets, guarded), None, 0), "accuracy", contrast="defence=none"
    )
    found = one(
        derive(defended(targets, targets, guarded, who), None, 0),
        "accuracy",
        contrast="defence=none",
    )
    assert (found.method, alone.method) == ("patient bootstrap", "Bonett-Price")
    assert width(found) / width(alone) == pytest.approx(3**0.5, rel=0.12)


def test_a_paired_difference_of_few_patients_is_judged_on_patients() -> None:
    targets = [int(i >= 20) for i in range(40) for _ in range(3)]
    guarded = [1 - t if i < 6 else t for i, t in enumerate(targets)]  # all images of two patients
    who = [f"P{i // 3:04d}" for i in range(120)]
    whole = defended(targets, targets, guarded, who)
    hit = one(derive(whole, None, 0), "accuracy", contrast="defence=none")
    p, q = 1 / 42, 3 / 42
    half = 1.959964 * ((p + q - (p - q) ** 2) / 42) ** 0.5
    assert (hit.value, hit.method) == (-0.05, "Bonett-Price on patients")
    assert (hit.low, hit.high) == (pytest.approx(p - q - half), pytest.approx(p - q + half))


def test_robust_accuracy_under_a_defence_is_compared_at_the_same_attack_only() -> None:
    targets = [0, 1] * 30
    clean = evidence(rows(range(60), says(targets)), range(60), defence="tta")
    whole = table(
        targets,
        targets,
        clean,
        attack(targets, targets, set(range(20)), "fgsm", 0.1),
        attack(targets, targets, set(range(5)), "fgsm", 0.1, defence="tta"),
        attack(targets, targets, set(range(9)), "fgsm", 0.2, defence="tta"),
    )
    gaps = [
        f
        for f in derive(whole, None, 0)
        if f.metric == "robust_accuracy" and f.contrast == "defence=none" and f.stress == "fgsm"
    ]
    assert [(f.params["epsilon"], f.value) for f in gaps] == [(0.1, pytest.approx(15 / 60))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("patients", "images", "p", "spread"),
    [(60, 3, 0.8, 0.5), (60, 3, 0.95, 0.5), (20, 4, 0.7, 0.6)],
)
def test_clustered_limits_cover_the_truth_where_images_alone_would_not(
    patients: int, images: int, p: float, spread: float
) -> None:
    rng = np.random.default_rng(3)
    hits = naive = 0
    who = [f"P{i // images:04d}" for i in range(patients * images)]
    targets = [1] * len(who)
    for _ in range(300):
        scale = (1 - spread) / spread
        chance = np.repeat(rng.beta(p * scale, (1 - p) * scale, patients), images)
        called = (rng.random(len(who)) < chance).astype(int).tolist()
        hit = one(derive(table(targets, called, patients=who), None, 0, 1000), "sensitivity")
        assert hit.low is not None
        assert hit.high is not None
        hits += hit.low <= p <= hit.high
        low, high = proportion_confint(sum(called), len(called), method="beta")
        naive += low <= p <= high
    assert hits / 300 >= 0.92
    assert naive / 300 < hits / 300
