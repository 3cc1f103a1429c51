"""Weak slices among the findings of an audit."""

from __future__ import annotations

import numpy as np
import pytest

from audit.evidence import Predictions
from audit.findings import derive
from audit.metrics.proportion import newcombe
from audit.results import Finding
from tests.tables import evidence, one, rows, says, table


def audited(blind: float, seed: int = 0, patients: int = 240, images: int = 1) -> Predictions:
    """A model wrong in 8%, and in `blind` of the lateral images of women."""
    rng = np.random.default_rng(seed)
    count = patients * images
    who = np.arange(count) // images
    ill = (rng.random(patients) < 0.4)[who]
    sex, site = rng.integers(0, 2, patients)[who], rng.integers(0, 3, patients)[who]
    lateral = rng.random(count) < 0.45
    wrong = rng.random(count) < np.where(lateral & (sex == 0), max(blind, 0.08), 0.08)
    attributes = [
        {"view": "lateral" if v else "frontal", "sex": "FM"[s], "site": "abc"[k]}
        for v, s, k in zip(lateral, sex, site, strict=True)
    ]
    names = [f"P{p:04d}" for p in who]
    return table(
        ill.astype(int).tolist(), (ill ^ wrong).astype(int).tolist(),
        patients=names, attributes=attributes,
    )  # fmt: skip


def slices(whole: Predictions, seed: int = 0) -> list[Finding]:
    return [f for f in derive(whole, [], seed, 500) if f.metric == "weak_slice"]


@pytest.mark.parametrize("images", [1, 2])
def test_a_model_blind_to_lateral_views_of_women_is_named_so_first(images: int) -> None:
    found = slices(audited(0.6, images=images))
    worst = found[0]
    assert worst.group == {"view": "lateral", "sex": "F"}
    assert worst.params["of"] in {"accuracy", "sensitivity", "specificity"}
    assert worst.value is not None
    assert worst.value < -0.3
    assert worst.p_holm is not None
    assert worst.p_holm < 0.01
    assert worst.contrast == "rest"
    assert len(found) <= 5


def test_a_slices_value_and_interval_are_its_difference_from_all_other_cases() -> None:
    whole = audited(0.6)
    worst = slices(whole)[0]
    assert worst.params["of"] == "accuracy"
    right = whole.clean_correct()
    inside = np.array([dict(s.attributes) | worst.group == s.attributes for s in whole.subjects])
    assert worst.value == pytest.approx(right[inside].mean() - right[~inside].mean())
    low, high = newcombe(right[inside].sum(), inside.sum(), right[~inside].sum(), (~inside).sum())
    assert (worst.low, worst.high) == (pytest.approx(float(low)), pytest.approx(float(high)))


def test_each_slice_is_named_once_and_all_that_are_told_survive_the_search() -> None:
    found = slices(audited(0.6))
    names = [tuple(sorted(f.group.items())) for f in found]
    assert len(set(names)) == len(names)
    assert all(f.p_holm is not None and f.p_holm < 0.05 for f in found)
    assert all(f.p is not None and f.p_holm is not None and f.p <= f.p_holm for f in found)
    assert len({f.family for f in found}) == 1


def test_where_nothing_stands_out_one_finding_says_what_was_searched() -> None:
    (found,) = slices(audited(0.0, seed=2))
    assert (found.value, found.p, found.group) == (None, None, {})
    assert found.reason is not None
    assert found.reason.startswith("no slice stands out (smallest adjusted p = ")
    assert "slices searched)" in found.reason


def test_without_attributes_there_is_nothing_to_search() -> None:
    (found,) = slices(table([0, 1] * 20, [0, 1] * 20))
    assert found.reason == "no slice of 10 cases or more to search"


def test_slices_are_searched_without_a_defence_only() -> None:
    whole = audited(0.6)
    count = len(whole.subjects)
    called = [1 - s.target for s in whole.subjects]
    other = evidence(rows(range(count), says(called)), range(count), defence="tta")
    both = Predictions(whole.subjects, whole.classes, whole.decision, (*whole.runs, other))
    assert {f.defence for f in slices(both)} == {"none"}


def test_the_same_seed_finds_the_same_slices() -> None:
    assert slices(audited(0.4), seed=3) == slices(audited(0.4), seed=3)


def test_with_three_classes_a_slice_of_one_class_is_not_weak_for_that_class_alone() -> None:
    # Half of the implants are called normal, wherever they are: most are at site b.
    targets = [0] * 80 + [1] * 60 + [2] * 60
    called = [0] * 80 + [1, 0] * 30 + [2] * 60
    sites = ["a", "b"] * 40 + ["a"] * 12 + ["b"] * 48 + ["a", "b"] * 30
    whole = table([min(t, 1) for t in targets], [0] * 200)
    clean = evidence(rows(range(200), np.eye(3)[called] * 5), range(200))
    subjects = tuple(
        type(s)(s.id, t, None, {"site": site})
        for s, t, site in zip(whole.subjects, targets, sites, strict=True)
    )
    three = Predictions(
        subjects, ("normal", "implant", "fracture"), type(whole.decision)(2), (clean,)
    )
    (found,) = slices(three)
    assert found.value is None
    gap = one(derive(three, None, 0), "accuracy", group={"site": "b"}, contrast=None)
    rest = one(derive(three, None, 0), "accuracy", group={"site": "a"}, contrast=None)
    assert gap.value is not None
    assert rest.value is not None
    assert gap.value < rest.value - 0.1
