"""Preflight names what is wrong and leaves sound models alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import nn

from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.plausibility import alternatives
from audit.preflight import preflight, stratified
from audit.results import DataDescription, ModelDescription, Preparation

SIZE = 16
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def way(mean=(0.0,) * 3, std=(1.0,) * 3, value_range=1.0):
    return Preparation(height=SIZE, width=SIZE, mean=mean, std=std, value_range=value_range)


def cases_of(n=80, signal=0.3, seed=0, labels=("fracture", "normal")):
    """Noise images; those of the first label carry a bright square of strength `signal`."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        pixels = rng.uniform(0.1, 0.6, (SIZE, SIZE)).astype(np.float32)
        label = labels[number % len(labels)]
        if label == labels[0]:
            pixels[4:10, 4:10] += signal
        pixels = pixels.clip(0, 1)
        made.append(
            Case(id=f"{number:04x}", label=label, load=lambda p=pixels: p, shape=pixels.shape)
        )
    description = DataDescription(layout="test", cases=n)
    return Cases(made, description)


def classifier_of(module, preparation=None, **changes):
    description = ModelDescription(
        name="t",
        architecture="t",
        classes=("fracture", "normal"),
        positive_class="fracture",
        preparation=preparation or way(),
    )
    return Classifier(module, description.model_copy(update=changes))


class Square(nn.Module):
    """Mean of the square against that of the rest, as log-odds of class 0."""

    def __init__(self, gain=20.0):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, x):
        z = self.gain * (x[:, 0, 4:10, 4:10].mean((1, 2)) - x[:, 0].mean((1, 2)) - 0.1)
        return torch.stack([z, -z], 1)


class Forward(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def codes(notes):
    return [note.code for note in notes]


def fitted(seed, preparation, signal=0.3, train_seed=100):
    """A random convolutional network whose last layer is fitted to cases prepared this way."""
    torch.manual_seed(seed)
    body = nn.Sequential(
        nn.Conv2d(3, 24, 3),
        nn.ReLU(),
        nn.Conv2d(24, 48, 3),
        nn.ReLU(),
        nn.AvgPool2d(3),
        nn.Flatten(),
    ).eval()
    cases = cases_of(240, signal, train_seed)
    inside = classifier_of(body, preparation)
    with torch.no_grad():
        features = inside.logits(torch.stack([inside.prepare(c) for c in cases])).numpy()
    truth = np.array([c.label == "fracture" for c in cases])
    spread = features.std() + 1e-9
    fit = LogisticRegression(C=1.0, max_iter=2000).fit(features / spread, truth)
    head = nn.Linear(features.shape[1], 2)
    weight = torch.tensor(fit.coef_[0] / spread, dtype=torch.float32)
    head.weight.data = torch.stack([weight, -weight]) / 2
    half = float(fit.intercept_[0]) / 2
    head.bias.data = torch.tensor([half, -half])
    return nn.Sequential(body, head)


@pytest.mark.parametrize("signal", [0.02, 0.05, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_a_sound_model_is_not_flagged_strong_or_weak(seed, signal):
    preparation = way(**IMAGENET)
    classifier = classifier_of(fitted(seed, preparation, signal), preparation)
    assert codes(preflight(classifier, cases_of(80, signal, seed))) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_model_that_knows_nothing_is_not_called_wrongly_normalised(seed):
    preparation = way(**IMAGENET)
    classifier = classifier_of(fitted(seed, preparation, signal=0.0), preparation)
    found = codes(preflight(classifier, cases_of(80, 0.0, seed + 50)))
    assert "normalisation-implausible" not in found


def test_pixels_meant_to_reach_255_are_found_out():
    right = way(value_range=255.0)

    class Steps(nn.Module):
        """Counts pixels of the square above 140 of 255: blind to anything in [0, 1]."""

        def forward(self, x):
            z = (x[:, 0, 4:10, 4:10] - 140).clamp(0, 10).mean((1, 2)) - 3
            return torch.stack([z, -z], 1)

    cases = cases_of(80, 0.3)
    notes = preflight(classifier_of(Steps(), way(**IMAGENET)), cases)
    # Everything it says is the same, which is the first thing to know.
    assert codes(notes) == ["constant-output"]
    assert codes(preflight(classifier_of(Steps(), right), cases)) == []


def test_a_wrong_normalisation_is_named_with_what_fits_better():
    right = way(mean=(0.5,) * 3, std=(0.5,) * 3)

    class Folded(nn.Module):
        """Sees the square only where values lie about 0 as (x - 0.5) / 0.5 puts them."""

        def forward(self, x):
            near = torch.exp(-((x[:, 0, 4:10, 4:10] - 0.3) ** 2) / 0.02).mean((1, 2)) - 0.2
            return torch.stack([near * 9, -near * 9], 1)

    cases = cases_of(80, 0.3)
    assert codes(preflight(classifier_of(Folded(), right), cases)) == []
    notes = preflight(classifier_of(Folded(), way(**IMAGENET)), cases)
    found = [note for note in notes if note.code == "normalisation-implausible"]
    assert len(found) == 1
    assert "mean 0.5, std 0.5" in found[0].text


def test_swapped_classes_are_named_in_both_orders():
    swapped = Forward(lambda x: Square()(x).flip(1))
    notes = [
        n for n in preflight(classifier_of(swapped), cases_of()) if n.code == "classes-swapped"
    ]
    assert "fracture, normal" in notes[0].text
    assert "normal, fracture" in notes[0].text


def test_three_classes_in_another_order_are_named():
    labels = ("a", "b", "c")
    rng = np.random.default_rng(1)
    made = []
    for number in range(60):
        pixels = rng.uniform(0, 0.1, (SIZE, SIZE)).astype(np.float32) + 0.3 * (number % 3)
        made.append(Case(id=f"{number:04x}", label=labels[number % 3], load=lambda p=pixels: p))
    cases = Cases(made, DataDescription(layout="test", cases=60))
    levels = torch.tensor([0.05, 0.35, 0.65])
    net = Forward(lambda x: -20 * (x.mean((1, 2, 3))[:, None] - levels).abs())
    right = classifier_of(net, classes=labels, positive_class="c")
    assert codes(preflight(right, cases)) == []
    wrong = classifier_of(net, classes=("b", "c", "a"), positive_class="c")
    found = [n.text for n in preflight(wrong, cases) if n.code == "classes-swapped"]
    assert len(found) == 1
    assert "a, b, c" in found[0]


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (lambda x: Square()(nn.functional.dropout(x, 0.5, training=True)), "random-model"),
        (lambda x: Square()(x) + torch.nan, "nan-logits"),
        (lambda x: Square()(x) / 0, "nan-logits"),
        (lambda x: torch.tensor([[1.0, 2.0]]).repeat(len(x), 1), "constant-output"),
    ],
)
def test_a_planted_fault_is_named_once(function, code):
    notes = preflight(classifier_of(Forward(function)), cases_of())
    assert [(note.code, note.level) for note in notes] == [(code, "fault")]


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (lambda x: Square()(x).softmax(1), "probabilities-as-logits"),
        (lambda x: Square(9000.0)(x), "saturated"),
        (lambda x: Square()(x) + torch.tensor([50.0, 0.0]), "all-one-class"),
    ],
)
def test_a_planted_weakness_is_a_warning(function, code):
    notes = preflight(classifier_of(Forward(function)), cases_of())
    assert code in codes(notes)
    assert {note.level for note in notes} == {"warning"}


def test_one_label_cannot_be_judged_and_says_so():
    notes = preflight(classifier_of(Square()), cases_of(20, labels=("fracture",)))
    assert "one-label" in codes(notes)


def test_too_few_cases_say_nothing_about_order():
    swapped = Forward(lambda x: Square()(x).flip(1))
    assert codes(preflight(classifier_of(swapped), cases_of(12))) == []


def test_golden_logits_are_met_missed_or_absent():
    cases = cases_of()
    classifier = classifier_of(Square())
    z = classifier.predict(classifier.prepare(cases[3])[None]).logits[0]
    good = tuple(float(value) for value in z)

    def with_golden(golden):
        return codes(preflight(classifier_of(Square(), golden=golden), cases))

    assert with_golden({cases[3].id: good}) == ["golden-met"]
    assert with_golden({cases[3].id: (good[0] + 0.01, good[1])}) == ["golden-missed"]
    assert with_golden({cases[3].id: good[:1]}) == ["golden-missed"]
    assert with_golden({"elsewhere": good}) == ["golden-absent"]


def test_no_cases_no_notes():
    assert preflight(classifier_of(Square()), []) == []


def test_the_sample_is_balanced_bounded_and_does_not_depend_on_the_order():
    cases = list(cases_of(100, labels=("fracture", "normal", "normal", "normal", "normal")))
    sample = stratified(cases, 30)
    assert [c.label for c in sample].count("fracture") == 15
    assert [c.id for c in stratified(cases[::-1], 30)] == [c.id for c in sample]
    assert len(stratified(cases, 500)) == 100


def test_alternatives_leave_out_the_normalisation_at_hand():
    assert len(alternatives(way(**IMAGENET))) == 3
    assert len(alternatives(way(mean=(0.1,) * 3))) == 4


def test_the_model_fits_as_an_independent_auroc_says():
    """Guards the tests above: the sound models are sound, the ignorant ones ignorant."""
    for signal, low, high in ((0.3, 0.95, 1.0), (0.0, 0.2, 0.8)):
        preparation = way(**IMAGENET)
        classifier = classifier_of(fitted(0, preparation, signal), preparation)
        cases = cases_of(80, signal, 0 if signal else 50)
        z = classifier.predict(torch.stack([classifier.prepare(c) for c in cases])).logits
        truth = [c.label == "fracture" for c in cases]
        assert low <= roc_auc_score(truth, (z[:, 0] - z[:, 1]).numpy()) <= high
