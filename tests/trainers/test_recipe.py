"""The recipe: the study's numbers, what is refused, and that all of it is recorded."""

from __future__ import annotations

import json

import pytest

from audit.errors import HipauditError
from trainers.adversarial.settings import Adversarial
from trainers.architectures import STUDY
from trainers.recipe import Recipe, changed, study_recipe


@pytest.mark.parametrize("row", STUDY, ids=lambda row: row.name)
def test_the_studys_recipe_is_that_of_the_thesis(row):
    recipe = study_recipe(row.name)
    assert (recipe.size, recipe.batch_size) == (224, 32)
    assert (recipe.freeze_epochs, recipe.patience, recipe.metric) == (8, 7, "accuracy")
    assert (recipe.lr, recipe.weight_decay) == ("auto", "auto")  # by the range test
    assert (recipe.head, recipe.augmentation) == ("concat-pool", "study")
    assert (recipe.betas, recipe.spread, recipe.body_divisor) == ((0.9, 0.99), "slice", 10)
    assert recipe.threshold == "argmax"
    assert recipe.epochs == 48  # 8 frozen, 40 at most after them


def test_a_recipe_is_recorded_whole_as_plain_json():
    recipe = study_recipe("alexnet", adversarial=Adversarial(epsilon=0.01), size=64)
    plain = recipe.recorded()
    assert json.loads(json.dumps(plain)) == plain
    assert set(plain) == set(Recipe.__dataclass_fields__)
    assert plain["adversarial"]["epsilon"] == 0.01
    assert Recipe("alexnet").recorded()["adversarial"] is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lr": 0}, "0 < lr < 100"),
        ({"lr": "fast"}, 'or "auto"'),
        ({"lr": float("nan")}, "0 < lr"),
        ({"weight_decay": -1}, "weight_decay < 1"),
        ({"weight_decay": True}, "weight_decay < 1"),
        ({"size": 4}, "size >= 8"),
        ({"size": "big"}, "a number for size"),
        ({"size": 224.0}, "a number for size"),
        ({"batch_size": 1}, "batch_size >= 2"),
        ({"patience": -1}, "patience >= 0"),
        ({"max_epochs": 0}, "at least one epoch"),
        ({"freeze_epochs": -1}, "freeze_epochs >= 0"),
        ({"body_divisor": 0.5}, "body_divisor >= 1"),
        ({"schedule": "one-cycle"}, r"a schedule.*Did you mean \"one_cycle\""),
        ({"resize": "squash"}, r"a resize.*Did you mean \"squish\""),
        ({"spread": "flat"}, "a spread"),
        ({"mixed_precision": "fp8"}, "a mixed_precision"),
        ({"epochs": 3}, "a setting of a recipe"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(settings, said):
    with pytest.raises(HipauditError, match=said) as error:
        changed(Recipe("alexnet"), settings)
    assert "\n" not in str(error.value)
