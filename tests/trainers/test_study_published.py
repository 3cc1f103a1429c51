"""The published table and what is wrong with it: every number against another way to it."""

from __future__ import annotations

import statistics
from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from audit.checkpoints.architectures import shapes_only, torchvision_module
from audit.metrics.multiplicity import holm
from trainers.study.compare import paired_tests
from trainers.study.inconsistencies import (
    VGG16_PARAMETERS,
    VGG19_PARAMETERS,
    accuracy_from,
    epsilon_in_levels,
    exact_percentages,
    f1_from,
    inconsistencies,
)
from trainers.study.published import published_table

# As printed in the thesis, with Wilson intervals computed elsewhere.
PRINTED = {
    "Densenet169": (96.50, 95.49, 97.26),
    "Resnet50": (96.32, 95.29, 97.10),
    "VGG_19": (92.80, 91.44, 93.92),
    "Densenet121": (92.60, 91.25, 93.76),
    "Resnet152": (90.00, 88.45, 91.32),
    "SqueezeNet": (88.12, 86.49, 89.59),
    "Alexnet": (88.00, 86.36, 89.48),
}


def test_the_table_has_the_seven_models_in_the_order_printed():
    assert [row.title for row in published_table()] == list(PRINTED)


@pytest.mark.parametrize("row", published_table(), ids=lambda row: row.title)
def test_every_published_interval_is_that_of_wilson_for_the_nearest_count(row):
    percent, low, high = PRINTED[row.title]
    assert round(100 * row.accuracy, 2) == percent
    assert (round(100 * row.low, 2), round(100 * row.high, 2)) == (low, high)
    nearest = min(range(1677), key=lambda k: abs(Fraction(k, 1676) - Fraction(str(percent)) / 100))
    expected = proportion_confint(nearest, 1676, method="wilson")
    assert (row.low, row.high) == pytest.approx(expected)


def test_one_of_the_seven_accuracies_is_a_count_over_the_images():
    reachable = {f"{100 * k / 1676:.2f}" for k in range(1677)}
    assert [p for p, *_ in PRINTED.values() if f"{p:.2f}" in reachable] == [92.60]
    assert exact_percentages() == [92.60]


def _table(recall, precision, prevalence, n=1_000_000):
    """Labels and calls of n images with (nearly) this recall and precision."""
    positives = round(n * prevalence)
    hits = round(positives * recall)
    alarms = round(hits / precision) - hits
    truth = np.arange(n) < positives
    called = np.zeros(n, bool)
    called[:hits] = True
    called[positives : positives + alarms] = True
    return truth, called


@pytest.mark.parametrize(("prevalence", "expected"), [(0.425, 0.974), (0.575, 0.964)])
def test_recall_and_precision_as_printed_imply_another_accuracy(prevalence, expected):
    truth, called = _table(0.968, 0.970, prevalence)
    assert recall_score(truth, called) == pytest.approx(0.968, abs=1e-5)
    assert precision_score(truth, called) == pytest.approx(0.970, abs=1e-5)
    implied = accuracy_score(truth, called)
    assert round(implied, 3) == expected
    assert accuracy_from(0.968, 0.970, prevalence) == pytest.approx(implied, abs=1e-5)


@pytest.mark.parametrize(
    ("recall", "precision", "f1"), [(0.968, 0.970, 0.969), (0.95, 0.98, 0.965)]
)
def test_f1_as_printed_is_not_that_of_its_precision_and_recall(recall, precision, f1):
    assert round(statistics.harmonic_mean([recall, precision]), 3) == f1
    assert f1_from(recall, precision) == pytest.approx(
        f1_score(*_table(recall, precision, 0.4)), abs=1e-5
    )


@pytest.mark.parametrize(
    ("name", "count"), [("vgg19", VGG19_PARAMETERS), ("vgg16", VGG16_PARAMETERS)]
)
def test_the_parameters_of_vgg_are_those_of_torchvision(name, count):
    module = shapes_only(lambda: torchvision_module(name, 1000))
    assert sum(p.numel() for p in module.parameters()) == count


def test_epsilon_in_normalised_space_is_about_nine_grey_levels():
    low, high = epsilon_in_levels()
    assert (low, high) == pytest.approx((0.153 * 0.224 * 255, 0.153 * 0.229 * 255))
    assert 8.7 < low < high < 8.95


def test_the_list_says_what_the_arithmetic_says():
    said = " ".join(f"{each.claim} {each.finding}" for each in inconsistencies())
    for words in ("8,628", "15 images", "4.15 to 1", "92.60%", "0.974", "0.964", "0.969", "0.965",
                  "143.67 million", "8.7 to 8.9", "it is 39"):  # fmt: skip
        assert words in said
    assert len(inconsistencies()) >= 12


@pytest.mark.parametrize("count", [1, 2, 3, 21])
def test_holms_correction_is_that_of_statsmodels(count):
    draw = np.random.default_rng(count)
    for p_values in (draw.random(count), draw.random(count) ** 4, draw.integers(0, 3, count) / 20):
        expected = multipletests(p_values, method="holm")[1]
        assert holm(p_values.tolist()) == pytest.approx(list(expected))


def test_every_pair_is_compared_by_the_exact_test_on_the_same_images():
    draw = np.random.default_rng(0)
    correct = {
        name: draw.random(200) < share for name, share in (("a", 0.95), ("b", 0.9), ("c", 0.7))
    }
    found = paired_tests(correct)
    assert [(t.first, t.second) for t in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    for test in found:
        one, two = correct[test.first], correct[test.second]
        table = [[np.sum(one & two), np.sum(one & ~two)], [np.sum(~one & two), np.sum(~one & ~two)]]
        assert (test.only_first, test.only_second, test.n) == (table[0][1], table[1][0], 200)
        assert test.p == pytest.approx(mcnemar(table, exact=True).pvalue)
    adjusted = multipletests([test.p for test in found], method="holm")[1]
    assert [test.p_holm for test in found] == pytest.approx(list(adjusted))


def test_one_model_alone_is_compared_with_nobody():
    assert paired_tests({"a": np.ones(3, bool)}) == ()
