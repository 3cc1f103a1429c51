"""Training from the beginning with adversarial examples, as `hipaudit train --adversarial` does."""

from __future__ import annotations

import pytest

from audit.classifier import Classifier
from tests.trainers.test_adversarial_harden import (
    CLASSES,
    EPSILON,
    SIZE,
    accuracies,
    brittle,
    cases_of,
    described,
    fresh,
)
from trainers.adversarial.judge import FILE, Judge
from trainers.adversarial.settings import Adversarial
from trainers.fitting.loop import train_module
from trainers.recipe import Recipe

SETTINGS = Adversarial("fbf", EPSILON, ramp=0.2)
RECIPE = Recipe(
    "toy", size=SIZE, max_epochs=6, lr=0.05, augmentation="none", patience=0, adversarial=SETTINGS
)


def fitted(net, folder=None):
    way = described().preparation
    train, val = cases_of(256, 1), cases_of(96, 2)
    log = train_module(
        net, RECIPE, train, val, classes=CLASSES, positive_class="fracture", way=way, folder=folder
    )
    return net, log


def test_a_recipe_with_adversarial_examples_gives_a_network_that_resists(tmp_path) -> None:
    net, log = fitted(fresh(), tmp_path)
    clean, robust = accuracies(Classifier(net, described()), cases_of(200, 3))
    assert min(clean, robust) > 0.85
    judge = Judge(cases_of(96, 2), described().preparation, CLASSES, SETTINGS, folder=tmp_path)
    assert [found.balanced for found in judge.history] == pytest.approx(
        [epoch.watched for epoch in log.epochs]
    ), FILE


def test_the_epoch_is_chosen_by_clean_and_pgd_accuracy_together_not_by_clean_alone() -> None:
    _, log = fitted(brittle())
    watched = [epoch.watched for epoch in log.epochs]
    assert log.best == 1 + watched.index(max(watched))
    clean = [epoch.val_accuracy for epoch in log.epochs]
    assert log.best != 1 + clean.index(max(clean)), "clean accuracy is best before ε has grown"
