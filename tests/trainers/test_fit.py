"""Fitting: learns what can be learnt and nothing else, records what it did, stops when told."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import nn
from toy_training import CLASSES, Told, run, tiny, toy

from audit.cases.case import Cases
from audit.cases.subset import subset
from audit.decision import margin
from audit.errors import HipauditError
from trainers import fit as fitting
from trainers.adversarial.settings import Adversarial
from trainers.fit import fit
from trainers.fitting import course
from trainers.fitting.scores import Scores, score, youden
from trainers.fitting.steps import Steps
from trainers.recipe import Recipe, make_recipe
from trainers.splits import carve


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch):
    monkeypatch.setattr(fitting, "build", tiny)


def test_a_toy_problem_is_learnt_within_a_few_epochs():
    _, _, log = run()
    assert max(epoch.val_auroc for epoch in log.epochs) > 0.98


def test_shuffled_labels_are_not_learnt():
    _, _, log = run(train=toy(64, 1, shuffled=True), val=toy(60, 2, shuffled=True))
    assert log.epochs[-1].val_auroc < 0.75


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, again, other = (run(seed=seed, max_epochs=2)[0].state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_fitting_leaves_the_global_random_state_alone():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    run(max_epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_the_recipe_and_the_log_are_recorded_as_plain_json():
    _, description, log = run(max_epochs=2, seed=9, class_weights="balanced")
    recorded = json.loads(json.dumps(description.training))
    assert recorded["recipe"]["seed"] == 9
    assert recorded["recipe"]["class_weights"] == "balanced"
    assert recorded["recipe"]["lr"] == 0.02
    assert recorded["log"]["best_epoch"] == log.best
    assert recorded["log"]["train"] == {"fracture": 32, "normal": 32}
    assert "seconds" not in recorded["log"]["epochs"][0]
    rows = list(csv.DictReader(io.StringIO(log.to_csv())))
    assert [int(row["number"]) for row in rows] == [1, 2]
    assert description.positive_class == "fracture"
    assert (description.preparation.height, description.preparation.width) == (16, 16)


def scripted(monkeypatch, values):
    """Validation answers these accuracies, epoch by epoch."""
    left = iter(values)
    monkeypatch.setattr(course, "validate", lambda *a: Scores(0.5, (v := next(left)), v))


def test_training_stops_at_the_nth_epoch_without_a_strictly_better_value(monkeypatch):
    scripted(monkeypatch, [0.5, 0.7, 0.7, 0.6, 0.7, 0.9])
    _, _, log = run(max_epochs=6, patience=3)
    assert len(log.epochs) == 5
    assert log.best == 2
    assert log.ended == "early stop"


def test_the_frozen_epochs_run_in_full_and_staleness_begins_with_the_unfrozen(monkeypatch):
    scripted(monkeypatch, [0.9, 0.1, 0.1, 0.1, 0.2, 0.3, 0.3, 0.2, 0.5])
    _, _, log = run(freeze_epochs=4, max_epochs=5, patience=2)
    assert [epoch.phase for epoch in log.epochs] == ["frozen"] * 4 + ["all"] * 4
    assert log.best == 1  # the best of both phases is what is kept
    assert log.recorded()["used"]["last_stale_epoch"] == 2
    assert log.recorded()["used"]["last_stale_epoch_in_fastai"] == 3


def test_patience_zero_runs_to_the_end(monkeypatch):
    scripted(monkeypatch, [0.9, 0.1, 0.1, 0.1])
    _, _, log = run(max_epochs=4, patience=0)
    assert (len(log.epochs), log.best, log.ended) == (4, 1, "epochs")


def test_the_weights_of_the_best_epoch_are_the_ones_returned(monkeypatch):
    kept = []

    def answers(steps):
        kept.append({name: value.clone() for name, value in steps.module.state_dict().items()})
        return Scores(0.5, [0.6, 0.9, 0.7][len(kept) - 1], 0.5)

    monkeypatch.setattr(course, "validate", answers)
    module, _, log = run(max_epochs=3)
    assert log.best == 2
    assert all(torch.equal(module.state_dict()[name], kept[1][name]) for name in kept[1])
    assert not all(torch.equal(kept[1][name], kept[2][name]) for name in kept[1])
    assert not module.training


def test_a_loss_that_is_not_finite_stops_and_says_the_learning_rate(monkeypatch):
    def explode(*args, **options):
        module = tiny(*args, **options)
        nn.init.constant_(module[6].weight, float("nan"))
        return module

    monkeypatch.setattr(fitting, "build", explode)
    with pytest.raises(HipauditError, match=r"finite training loss.*nan.*learning rate.*smaller"):
        run()


def test_one_bar_moves_by_steps_to_its_end_even_when_training_stops_early(monkeypatch):
    scripted(monkeypatch, [0.5, 0.4, 0.4, 0.4])
    told = Told()
    run(max_epochs=10, patience=2, progress=told)  # four steps an epoch
    moves = told.bars["tiny: training"]
    assert moves == [(step, 40) for step in range(1, 13)] + [(40, 40)]
    lines = [note for note in told.notes if note.startswith("epoch")]
    assert [line.split()[1] for line in lines] == ["1/10", "2/10", "3/10"]


def test_half_of_every_batch_is_adversarial_within_epsilon_and_the_rest_is_clean(monkeypatch):
    clean, seen = [], []
    batch, through = Steps.batch, Steps._through

    def watched(self, *given):
        x, y = batch(self, *given)
        clean.append(x)
        return x, y

    def watch(self, network, x):
        if torch.is_grad_enabled() and self.module.training:
            seen.append(x)
        return through(self, network, x)

    monkeypatch.setattr(Steps, "batch", watched)
    monkeypatch.setattr(Steps, "_through", watch)
    run(max_epochs=1, adversarial=Adversarial(epsilon=0.05, ramp=0.0, share=0.5))
    assert len(clean) == len(seen) == 4
    for x, trained in zip(clean, seen, strict=True):
        moved = (trained - x).abs().amax((1, 2, 3))
        assert (moved[:8] > 0.04).all()
        assert (moved <= 0.05 + 1e-6).all()
        assert (moved[8:] == 0).all()


def test_time_up_ends_after_the_epoch_and_says_so():
    _, _, log = run(max_epochs=50, max_seconds=0.0)
    assert len(log.epochs) == 1
    assert log.ended == "time"


def test_a_youden_threshold_records_that_validation_chose_it():
    _, description, _ = run(max_epochs=1, threshold="youden")
    assert description.threshold_origin == "validation split, Youden"
    assert 0 < description.threshold < 1
    assert run(max_epochs=1)[1].threshold is None


def test_while_frozen_only_head_and_batchnorm_change(monkeypatch):
    def named(name, classes, head="native", channels=3, width=512):
        module = nn.Sequential()
        module.add_module("features", nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
        module.add_module("pool", nn.AdaptiveAvgPool2d(1))
        module.add_module("flat", nn.Flatten())
        module.add_module("classifier", nn.Linear(4, classes))
        return module

    monkeypatch.setattr(fitting, "build", named)
    start = run(max_epochs=0, freeze_epochs=1, lr=1e-9, weight_decay=0.0)[0].state_dict()
    end = run(max_epochs=0, freeze_epochs=1)[0].state_dict()
    changed = {name for name in start if not torch.allclose(start[name], end[name], atol=1e-4)}
    assert "features.0.weight" not in changed
    assert {"classifier.weight", "features.1.weight"} <= changed


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_eopchs": 3}, 'Did you mean "max_epochs"'),
        ({"freeze_epochs": -1}, "freeze_epochs >= 0"),
        ({"lr": -1.0}, "0 < lr"),
    ],
)
def test_impossible_recipes_are_refused_in_one_line(settings, said):
    with pytest.raises(HipauditError, match=said):
        run(**settings)


def test_one_class_or_an_unknown_label_is_refused():
    normal = toy(40, 1)
    only = Cases([c for c in normal if c.label == "normal"], normal.description)
    with pytest.raises(HipauditError, match="two classes"):
        run(train=only)
    with pytest.raises(HipauditError, match="positive class"):
        fit("tiny", normal, normal, classes=CLASSES, positive_class="broken", max_epochs=1)


def test_an_image_or_a_patient_in_both_splits_is_refused():
    with pytest.raises(HipauditError, match="no image in both splits"):
        run(train=toy(40, 1), val=toy(40, 1))
    cases = toy(40, 1, patients=True)
    halves = [Cases(list(cases)[start::2], cases.description) for start in (0, 1)]
    others = list(toy(2, 9))[::-1]  # each half gets one image of the label it lacks
    mixed = [Cases([*half, o], cases.description) for half, o in zip(halves, others, strict=True)]
    with pytest.raises(HipauditError, match="no patient in both splits"):
        run(train=mixed[0], val=mixed[1])


def test_a_patient_in_both_parts_of_one_reading_is_refused_and_a_number_of_another_is_not():
    cases = toy(40, 1, patients=True)
    parts = [subset(cases, list(cases)[:21]), subset(cases, list(cases)[21:])]
    with pytest.raises(HipauditError, match=r"no patient in both splits, but found 1 shared"):
        run(train=parts[0], val=parts[1])
    run(train=cases, val=toy(40, 2, patients=True), max_epochs=1)  # other people, same numbers


def test_less_than_a_batch_of_images_is_refused_with_the_batch_that_fits():
    with pytest.raises(HipauditError, match=r"one batch of 32.*found 20\. Use batch_size 20"):
        run(train=toy(20, 1), batch_size=32)


def test_a_validation_split_without_the_positive_class_is_refused():
    cases = [*toy(20, 2)]
    relabelled = [replace(c, label="other") if c.label == "fracture" else c for c in cases]
    val = Cases(relabelled, toy(1, 9).description)
    with pytest.raises(HipauditError, match='"fracture" in the validation split'):
        run(val=val)


def test_a_recipe_is_frozen():
    with pytest.raises(AttributeError):
        make_recipe("tiny", {"max_epochs": 2}).max_epochs = 3
    assert Recipe("tiny").recorded()["betas"] == [0.9, 0.99]


def test_auroc_and_youden_agree_with_scikit_learn():
    draw = np.random.default_rng(0)
    targets = draw.integers(0, 2, 300)
    logits = draw.normal(0, 1, (300, 2)) + np.eye(2)[targets]
    assert score(logits, targets, 1).auroc == pytest.approx(
        roc_auc_score(targets, logits[:, 1] - logits[:, 0])
    )
    chance = 1 / (1 + np.exp(-margin(logits, 1)))
    false, true, _ = roc_curve(targets, chance)
    says = chance >= youden(logits, targets, 1)
    reached = says[targets == 1].mean() - says[targets == 0].mean()
    assert reached == pytest.approx((true - false).max())


def test_the_loss_is_the_cross_entropy_of_torch():
    draw = np.random.default_rng(1)
    logits, targets = draw.normal(0, 3, (50, 3)), draw.integers(0, 3, 50)
    expected = nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(targets))
    assert score(logits, targets, 1).loss == pytest.approx(float(expected))
    assert math.isfinite(score(logits * 1e4, targets, 1).loss)


def test_carving_keeps_patients_whole_and_the_share_of_each_label():
    cases = toy(80, 3, patients=True)
    rest, part = carve(cases, 0.25, seed=1)
    assert {c.patient for c in rest} & {c.patient for c in part} == set()
    assert sorted(c.id for c in [*rest, *part]) == sorted(c.id for c in cases)
    assert len(part) == 20
    images, _ = carve(toy(80, 3), 0.25, seed=1)
    assert images.description.labels == {"fracture": 30, "normal": 30}


def test_a_carving_depends_on_the_seed_and_not_on_the_order():
    cases = toy(60, 4)
    again = Cases(list(cases)[::-1], cases.description)
    ids = [c.id for c in carve(cases, 0.3, seed=2)[1]]
    assert ids == [c.id for c in carve(again, 0.3, seed=2)[1]]
    assert ids != [c.id for c in carve(cases, 0.3, seed=3)[1]]
