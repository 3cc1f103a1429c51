"""Hardening a given classifier: what it gains, what it leaves alone, how it goes on and ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.cases.read import from_arrays
from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.fingerprint import model_digest
from audit.results import ModelDescription, Preparation
from tests.stresses.art_reference import projected_gradient
from trainers.adversarial.account import YOUDEN
from trainers.adversarial.answer import as_defence
from trainers.adversarial.defend import Hardening, defend
from trainers.adversarial.harden import harden
from trainers.adversarial.settings import Adversarial
from trainers.adversarial.trainable import trainable
from trainers.fitting.loop import train_module
from trainers.recipe import Recipe

SIZE = 8
CLASSES = ("normal", "fracture")
EPSILON = 6 / 255
SETTINGS = Adversarial("fbf", EPSILON, ramp=0.2)
BOARD = (np.indices((SIZE, SIZE)).sum(0) % 2) * 2.0 - 1


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 8, 8) with two traces of their label y: a faint checkerboard that is always
    right and that ±ε turns round, and a bright or dark half that is right 9 times in 10 and
    that ±ε cannot touch (Tsipras et al. 2019, arXiv:1805.12152)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    sign = (2 * y - 1)[:, None, None]
    strong = np.where(rng.random(n) < 0.9, 1, -1)[:, None, None] * sign
    x = 0.5 + 3 / 255 * sign * BOARD + rng.normal(0, 1 / 255, (n, SIZE, SIZE))
    x[:, :, :4] += 0.12 * strong
    return x.clip(0, 1).astype(np.float32), y


def cases_of(n: int, seed: int) -> Cases:
    x, y = drawn(n, seed)
    return from_arrays(x, [CLASSES[label] for label in y])


def described(**changes: object) -> ModelDescription:
    way = Preparation(height=SIZE, width=SIZE, channels=1, mean=(0.5,), std=(0.25,))
    return ModelDescription(
        name="toy",
        architecture="toy",
        classes=CLASSES,
        positive_class="fracture",
        preparation=way,
        training={"recipe": {"augmentation": "none", "flip": False}},
    ).model_copy(update=changes)


def brittle() -> nn.Module:
    """Answers by the checkerboard alone."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 2))
    with torch.no_grad():
        weight = torch.from_numpy(BOARD).float().flatten() * 4
        net[1].weight.copy_(torch.stack([-weight, weight]))
        net[1].bias.zero_()
    return net


@pytest.fixture(scope="module")
def splits() -> tuple[Cases, Cases, Cases]:
    return cases_of(256, 1), cases_of(96, 2), cases_of(200, 3)


def accuracies(classifier: Classifier, cases: Cases) -> tuple[float, float]:
    """(clean, under ART's PGD at ε)."""
    x = torch.stack([classifier.prepare(case) for case in cases])
    y = classifier.targets(cases)
    made = projected_gradient(classifier, x, y, EPSILON, EPSILON / 4, 10)
    told = [classifier.decide(classifier.predict(images).logits) for images in (x, made)]
    return float((told[0] == y.numpy()).mean()), float((told[1] == y.numpy()).mean())


def run(splits, tmp_path=None, **options):
    train, val, _ = splits
    given = options.pop("classifier", None) or Classifier(brittle(), described())
    wanted = {"settings": SETTINGS, "epochs": 6, "lr": 0.05, "folder": tmp_path, **options}
    return given, harden(given, train, val, **wanted)


def test_a_brittle_network_becomes_one_that_resists_and_itself_stays_as_it_was(splits) -> None:
    classifier = Classifier(brittle(), described())
    before = model_digest(classifier)
    clean, robust = accuracies(classifier, splits[2])
    assert clean > 0.98
    assert robust < 0.05
    _, (module, description, log) = run(splits, classifier=classifier)
    assert model_digest(classifier) == before
    assert not any(p.requires_grad for p in classifier.module.parameters())
    hardened = Classifier(module, description)
    clean, robust = accuracies(hardened, splits[2])
    assert robust > 0.75, "the strong trace is right for 90%"
    assert clean > 0.8
    assert len(log.epochs) == 6


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 2))


class Normalised(nn.Module):
    """The network with the preparation's normalisation inside, as ART wants it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net((x - 0.5) / 0.25)


def by_art(trainer: str, train: Cases, epochs: int) -> nn.Module:
    """`fresh()` after ART's own trainer at the radius of SETTINGS."""
    from art.defences.trainer import AdversarialTrainerFBFPyTorch, AdversarialTrainerMadryPGD
    from art.estimators.classification import PyTorchClassifier

    classifier = Classifier(brittle(), described())
    x = torch.stack([classifier.prepare(case) for case in train]).numpy()
    y = np.eye(2, dtype=np.float32)[classifier.targets(train)]
    net = fresh()
    wrapped = Normalised(net)
    np.random.seed(0)  # noqa: NPY002 the generator that ART draws from
    stock = PyTorchClassifier(
        wrapped,
        nn.CrossEntropyLoss(),
        (1, SIZE, SIZE),
        2,
        optimizer=torch.optim.Adam(wrapped.parameters(), lr=0.01),
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    if trainer == "fbf":
        AdversarialTrainerFBFPyTorch(stock, eps=EPSILON).fit(x, y, batch_size=32, nb_epochs=epochs)
        return net
    madry = AdversarialTrainerMadryPGD(stock, epochs, 32, EPSILON, EPSILON / 2, max_iter=4)
    madry.attack._attack.verbose = False
    madry.fit(x, y)
    return net


@pytest.mark.parametrize("method", ["fbf", "pgd"])
def test_robust_accuracy_is_that_of_arts_trainer_after_as_many_epochs(splits, method) -> None:
    train, val, test = splits
    stock = accuracies(Classifier(by_art(method, train, 6), described()), test)
    settings = Adversarial(method, EPSILON, steps=4, ramp=0.2)
    given = Classifier(fresh(), described())
    _, (module, description, _) = run(splits, classifier=given, settings=settings)
    ours = accuracies(Classifier(module, description), test)
    plain, recipe = fresh(), Recipe("toy", size=SIZE, max_epochs=6, lr=0.05, augmentation="none")
    way = described().preparation
    train_module(plain, recipe, train, val, classes=CLASSES, positive_class="fracture", way=way)
    without = accuracies(Classifier(plain, described()), test)
    assert without[1] < 0.5 < stock[1], "the problem needs adversarial training"
    assert ours[1] >= stock[1] - 0.03
    assert ours[0] >= stock[0] - 0.03


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_the_other_methods_harden_too(splits, method: str) -> None:
    settings = Adversarial(method, EPSILON, steps=4, ramp=0.2)
    _, (module, description, _) = run(splits, settings=settings)
    assert accuracies(Classifier(module, description), splits[2])[1] > 0.7


def test_the_epoch_kept_is_the_first_with_the_best_mean_of_clean_and_pgd(splits) -> None:
    _, (_, description, log) = run(splits)
    record = description.training["hardening"]
    means = [(e["clean"] + e["pgd"]) / 2 for e in record["epochs"]]
    assert len(means) == len(log.epochs)
    assert log.best == 1 + means.index(max(means))
    assert [e.watched for e in log.epochs] == pytest.approx(means)
    assert record["before"]["pgd"] < 0.05
    assert record["recipe"]["adversarial"]["method"] == "fbf"


class Stops(Exception):
    """Planted."""


class StopsAt:
    """Progress that ends the training when an epoch is told."""

    def __init__(self, epoch: int) -> None:
        self.word = f"epoch {epoch}/"

    def run(self, run_id: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None:
        if text.startswith(self.word):
            raise Stops


def test_an_interrupted_hardening_goes_on_to_the_same_weights(splits, tmp_path) -> None:
    _, (straight, whole, _) = run(splits, tmp_path / "a")
    with pytest.raises(Stops):
        run(splits, tmp_path / "b", progress=StopsAt(3))
    _, (resumed, again, _) = run(splits, tmp_path / "b")
    for one, other in zip(straight.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    assert again.training["hardening"] == whole.training["hardening"]


def test_a_finished_hardening_trains_nothing_again(splits, tmp_path, monkeypatch) -> None:
    _, (first, _, _) = run(splits, tmp_path)
    monkeypatch.setattr("trainers.fitting.steps.Steps.step", None)  # any step would fail
    _, (second, _, _) = run(splits, tmp_path)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_threshold_chosen_on_validation_images_is_chosen_anew_and_others_are_kept(splits) -> None:
    own = Classifier(brittle(), described(threshold=0.9, threshold_origin=YOUDEN))
    _, (module, description, _) = run(splits, classifier=own)
    val = splits[1]
    plain = Classifier(module, description)
    x = torch.stack([plain.prepare(case) for case in val])
    truth = plain.targets(val).numpy()
    p = torch.softmax(plain.predict(x).logits, 1)[:, 1].numpy()

    def gain(threshold: float) -> float:
        said = p >= threshold
        return float(said[truth == 1].mean() - said[truth == 0].mean())

    assert gain(description.threshold) == pytest.approx(max(gain(t) for t in p))
    assert "chosen anew" in description.notes[0].text
    site = Classifier(brittle(), described(threshold=0.9, threshold_origin="--threshold"))
    _, (_, kept, _) = run(splits, classifier=site, epochs=1)
    assert (kept.threshold, kept.threshold_origin) == (0.9, "--threshold")
    assert "stays 0.9" in kept.notes[0].text


@pytest.mark.parametrize(("ours", "theirs"), [(0.9, 0.2), (0.3, 0.7), (None, None), (0.4, 0.4)])
def test_under_the_given_rule_the_hardened_network_decides_as_by_its_own(ours, theirs) -> None:
    given = Classifier(brittle(), described(threshold=ours, threshold_origin=YOUDEN))
    own = Classifier(brittle(), described(threshold=theirs, threshold_origin=YOUDEN))
    x = torch.from_numpy(drawn(64, 5)[0])[:, None]
    x = 0.5 + (x - 0.5) * torch.linspace(0, 1, 64).view(-1, 1, 1, 1)
    bridged = as_defence(given, brittle(), own.description)
    assert bridged.description.threshold == ours
    by_own = own.decide(own.predict(x).logits)
    assert (bridged.decide(bridged.predict(x).logits) == by_own).all()
    assert 0 < by_own.sum() < 64


class Frozen(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)).expand(-1, 2)


class NoTraining(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = brittle()

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            raise RuntimeError("planted")
        return self.inner(x)


def frozen_script() -> nn.Module:
    return torch.jit.freeze(torch.jit.trace(brittle().eval(), torch.rand(1, 1, SIZE, SIZE)))


@pytest.mark.parametrize(
    ("classifier", "words"),
    [
        (lambda: Classifier(Frozen(), described()), "fails in training mode"),
        (lambda: Classifier(NoTraining(), described()), "planted"),
        (lambda: Classifier(brittle(), described(gradients=False)), "without gradients"),
        (lambda: Classifier(brittle(), described(architecture="cascade")), "chain"),
        (lambda: Classifier(brittle(), described()).derived(lambda x: x), "defence around it"),
        (
            lambda: Classifier(brittle(), described(), refer=lambda _, z: z[:, 0] > 0),
            "defence around it",
        ),
    ],
    ids=["no parameters", "fails", "no gradients", "cascade", "derived", "refers"],
)
def test_what_cannot_be_trained_is_refused_in_one_line(classifier, words: str) -> None:
    with pytest.raises(HipauditError, match=words) as caught:
        trainable(classifier())
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:`torch.jit")  # how a script is made is the user's affair
def test_a_frozen_script_is_refused_in_one_line() -> None:
    with pytest.raises(HipauditError, match="a network that can be trained"):
        trainable(Classifier(frozen_script(), described()))


class Auxiliary(nn.Module):
    """In training mode the logits and those of an auxiliary head, as GoogLeNet's."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = brittle()

    def forward(self, x: Tensor):
        return (self.inner(x), self.inner(x) * 0) if self.training else self.inner(x)


def test_a_network_with_auxiliary_heads_is_trained_by_its_logits_and_given_back_bare(splits):
    given = Classifier(Auxiliary(), described())
    _, (module, description, _) = run(splits, classifier=given, epochs=2)
    assert isinstance(module, Auxiliary)
    assert Classifier(module, description).predict(torch.rand(3, 1, SIZE, SIZE)).logits.shape == (
        3,
        2,
    )


def test_trying_a_network_out_leaves_its_statistics_and_the_random_numbers_alone() -> None:
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(0.5), nn.Flatten(), nn.Linear(64, 2))
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    copy = trainable(Classifier(net, described()))
    assert torch.equal(torch.rand(1), expected)
    for name, value in net.state_dict().items():
        assert torch.equal(copy.state_dict()[name], value)
    assert all(p.requires_grad for p in copy.parameters())


def test_an_image_that_is_audited_may_not_be_trained_on(splits, tmp_path) -> None:
    given = Classifier(brittle(), described())
    with pytest.raises(HipauditError, match="256 in both"):
        defend(given, splits[0], splits[0], tmp_path, Hardening(SETTINGS))
    assert not list(tmp_path.iterdir())


def with_patients(n: int, seed: int, split: list[str], patients: list[str]) -> Cases:
    x, y = drawn(n, seed)
    labels = [CLASSES[label] for label in y]
    return from_arrays(x, labels, patients=patients, attributes={"split": split})


def test_a_patient_of_the_same_reading_may_not_be_on_both_sides(tmp_path) -> None:
    n = 80
    split = ["train"] * 60 + ["val"] * 20
    patients = [f"p{number // 2}" for number in range(n)]
    apart = with_patients(n, 4, split, patients)
    held = [case for case in apart if case.attributes["split"] == "val"]
    audited = Cases(held, apart.description)
    given = Classifier(brittle(), described())
    asked = Hardening(SETTINGS, epochs=1)
    defend(given, apart, audited, tmp_path / "a", asked)
    mixed = with_patients(n, 4, split, [*patients[:60], "p0", *patients[61:]])
    with pytest.raises(HipauditError, match="no patient both trained on and audited"):
        defend(given, mixed, audited, tmp_path / "b", asked)


def test_data_with_other_splits_only_is_no_training_data(tmp_path) -> None:
    given = Classifier(brittle(), described())
    cases = with_patients(40, 4, ["val"] * 40, [f"p{n}" for n in range(40)])
    with pytest.raises(HipauditError, match='only "val"'):
        defend(given, cases, cases_of(8, 9), tmp_path, Hardening(SETTINGS))


def test_other_settings_are_another_hardening_and_neither_is_lost(splits, tmp_path) -> None:
    given = Classifier(brittle(), described())
    audited = splits[2]
    one = defend(given, splits[0], audited, tmp_path, Hardening(SETTINGS, epochs=1, lr=0.02))
    two = defend(given, splits[0], audited, tmp_path, Hardening(SETTINGS, epochs=2, lr=0.02))
    assert model_digest(one) != model_digest(two)
    assert len(list((tmp_path / "hardening").iterdir())) == 2
    again = defend(given, splits[0], audited, tmp_path, Hardening(SETTINGS, epochs=1, lr=0.02))
    assert model_digest(again) == model_digest(one)


def test_a_network_of_somebody_elses_is_kept_as_a_state_dict_and_says_so(splits, tmp_path) -> None:
    given = Classifier(brittle(), described())
    made = defend(given, splits[0], splits[2], tmp_path, Hardening(SETTINGS, epochs=1))
    assert "state_dict" in made.description.notes[-1].text
    kept = torch.load(tmp_path / "hardened.pt", weights_only=True)
    for name, value in made.module.state_dict().items():
        assert torch.equal(kept[name], value)


@pytest.mark.slow
def test_the_hardened_checkpoint_of_one_of_our_networks_reads_back(tmp_path) -> None:
    from audit.checkpoints.architectures import build

    way = Preparation(height=32, width=32)
    torch.manual_seed(0)
    net = build("squeezenet1_1", 2)
    given = Classifier(net, described(architecture="squeezenet1_1", preparation=way))
    asked = Hardening(SETTINGS, epochs=1)
    made = defend(given, cases_of(80, 1), cases_of(8, 3), tmp_path, asked)
    read = load_classifier(tmp_path / "hardened.pt", CLASSES, ModelOptions())
    assert read.description.architecture == "squeezenet1_1"
    assert read.description.training["hardening"]["recipe"]["adversarial"]["epsilon"] == EPSILON
    x = torch.rand(4, 1, 32, 32)
    assert torch.allclose(read.predict(x).logits, made.predict(x).logits, atol=1e-4)
