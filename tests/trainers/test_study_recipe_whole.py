"""The study's whole recipe on one of its networks, as small as it goes, to a checkpoint."""

from __future__ import annotations

import pytest
from toy_training import CLASSES, toy

from audit.checkpoints.load import load_classifier
from audit.checkpoints.own import save_checkpoint
from trainers.fit import fit
from trainers.recipe import study_recipe


@pytest.mark.slow
def test_the_whole_recipe_ends_in_a_checkpoint_that_says_how_it_was_made(tmp_path):
    recipe = study_recipe(
        "squeezenet1_1", size=32, batch_size=16, freeze_epochs=1, max_epochs=1, seed=3
    )
    train, val = toy(48, 1), toy(24, 2)
    module, description, log = fit(
        recipe, train, val, classes=CLASSES, positive_class="fracture", folder=tmp_path
    )
    path = save_checkpoint(tmp_path / "model.pt", module, description)
    classifier = load_classifier(path, CLASSES)
    training = classifier.description.training
    assert training["recipe"] == recipe.recorded()
    assert [test["weight_decay"] for test in training["log"]["range_tests"][:3]] == [
        1e-2, 1e-3, 1e-4,
    ]  # fmt: skip
    assert len(training["log"]["used"]["groups"]) == 4
    answers = [
        classifier.decide(classifier.predict(classifier.prepare(c)[None]).logits) for c in val
    ]
    right = [int(a[0]) == CLASSES.index(c.label) for a, c in zip(answers, val, strict=True)]
    # The audit sees the network that validation judged.
    assert sum(right) / len(right) == pytest.approx(log.epochs[log.best - 1].val_accuracy)
