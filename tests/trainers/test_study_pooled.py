"""Networks read as one: each image keeps the answer and the rule of its own network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from audit.classifier import Classifier
from audit.decision import Decision
from audit.evidence import Predictions, Rows, Subject
from tests.doubles import Brightness, classifier_of
from tests.tables import evidence, rows
from trainers.study.pooled import by_argmax, only, pooled

CLASSES = ("normal", "fracture")


def answers(
    ids: str,
    logits: list[list[float]],
    targets: list[int],
    threshold: float | None = None,
    referred: list[bool] | None = None,
    classes: tuple[str, ...] = CLASSES,
) -> Predictions:
    """One network's table: a case per letter of `ids`; the last class is the positive one."""
    subjects = tuple(
        Subject(name, target, None, {}) for name, target in zip(ids, targets, strict=True)
    )
    table: Rows = rows(range(len(ids)), logits)
    if referred is not None:
        table = replace(table, referred=np.array(referred))
    rule = Decision(len(classes) - 1, threshold)
    return Predictions(subjects, classes, rule, (evidence(table, range(len(ids))),))


FRONTAL = answers("db", [[0, 1], [1, 0]], [1, 1], referred=[True, False])
# P(fracture) = sigmoid(z1 - z0): .62 and .88 against a cut-off of .75
LATERAL = answers("ca", [[0, 0.5], [0, 2]], [0, 0], threshold=0.75, referred=[False, True])


def test_each_image_is_answered_by_its_own_network_and_rule_in_the_order_of_ids():
    both = pooled([FRONTAL, LATERAL])
    assert [subject.id for subject in both.subjects] == ["a", "b", "c", "d"]
    # a: .88 >= .75 fracture; b: normal; c: .62 < .75 normal; d: fracture
    assert both.decided(both.clean_logits()).tolist() == [1, 0, 0, 1]
    assert both.targets.tolist() == [0, 1, 0, 1]
    assert both.clean_correct().tolist() == [False, False, True, True]


def test_what_a_network_refers_stays_referred():
    assert pooled([FRONTAL, LATERAL]).clean().rows.referred.tolist() == [True, False, False, True]


def test_log_odds_of_a_network_count_from_its_cut_off():
    found = pooled([FRONTAL, LATERAL]).clean_logits()
    from_the_cut = found[:, 1] - found[:, 0]
    log_three = 1.0986123  # logit of .75, from a table
    assert from_the_cut == pytest.approx([2 - log_three, -1, 0.5 - log_three, 1], abs=1e-6)


def test_the_order_of_the_networks_does_not_matter():
    one, other = pooled([FRONTAL, LATERAL]), pooled([LATERAL, FRONTAL])
    np.testing.assert_array_equal(one.clean_logits(), other.clean_logits())
    assert one.subjects == other.subjects


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("threshold", [None, 0.0, 1e-4, 0.3, 0.5, 0.9999, 1.0])
def test_argmax_of_what_is_pooled_decides_as_the_network_did(count, threshold):
    draw = np.random.default_rng(0)
    logits = draw.normal(0, 3, (400, count)).astype(np.float32)
    share = np.exp(logits.astype(np.float64))
    share /= share.sum(axis=1, keepdims=True)
    expected = logits.argmax(axis=1)
    if threshold is not None:
        rest = logits[:, :-1].argmax(axis=1)
        expected = np.where(share[:, -1] >= threshold, count - 1, rest)
    names = [f"{i:03d}" for i in range(400)]
    part = answers(names, logits, [0] * 400, threshold, classes=("a", "b", "c")[-count:])
    np.testing.assert_array_equal(by_argmax(part).argmax(axis=1), expected)
    np.testing.assert_array_equal(pooled([part]).decided(pooled([part]).clean_logits()), expected)


def test_a_case_that_lies_on_the_cut_off_is_positive_as_the_rule_says():
    odds = np.float32(0.7)
    exactly = float(1 / (1 + np.exp(-np.float64(odds))))
    part = answers("ab", [[0, odds], [0, 0]], [1, 1], threshold=exactly)
    assert part.decided(part.clean_logits()).tolist() == [1, 0]
    assert by_argmax(part).argmax(axis=1).tolist() == [1, 0]


def test_an_answer_that_is_no_number_stays_wrong():
    part = answers("ab", [[0, np.nan], [np.inf, 0]], [1, 0], threshold=0.3)
    both = pooled([part])
    assert both.decided(both.clean_logits()).tolist() == [-1, -1]


def test_the_shift_is_the_one_that_attacks_see():
    module = Brightness()
    described = classifier_of(module).description.model_copy(
        update={"positive_class": "normal", "threshold": 0.3, "threshold_origin": "test"}
    )
    network = Classifier(module, described)
    x = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    logits = network.logits(x).detach().numpy()
    part = answers("abcdefghijklmnop", logits, [0] * 16, 0.3, classes=network.classes)
    seen = network.decision_logits(x).detach().numpy()
    np.testing.assert_allclose(by_argmax(part), seen, atol=1e-5)


def test_only_gives_the_cases_asked_for_in_the_order_asked():
    both = pooled([FRONTAL, LATERAL])
    assert only(both, ["d", "a", "c"]).tolist() == [True, False, True]
    with pytest.raises(KeyError):
        only(both, ["e"])
