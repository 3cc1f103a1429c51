"""The bridge in both directions: ART sees our classifier; ART users see our stresses."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from torch import nn

from audit.errors import HipauditError, StressFailed
from audit.stresses.art_bridge import as_evasion_attack, estimator
from audit.stresses.registry import get_stress, load_stresses
from tests.stresses.promises import SIDE, batch_of, small_classifier
from tests.toys import FooledByShift, balanced_net, centred_dot, classifier_of, decided


@pytest.fixture(scope="module")
def art():
    import art.attacks
    import art.attacks.evasion
    import art.estimators.classification

    return art


def art_classifier(art, module: nn.Module, shape, **changes):
    """What somebody who lives in ART has: their own PyTorchClassifier."""
    settings = {"clip_values": (0.0, 1.0), "nb_classes": 2, **changes}
    return art.estimators.classification.PyTorchClassifier(
        model=module,
        loss=nn.CrossEntropyLoss(),
        input_shape=shape,
        device_type="cpu",
        **settings,
    )


def test_the_estimator_predicts_what_the_classifier_decides_on() -> None:
    classifier, x, _ = small_classifier()
    told = estimator(classifier, x.shape[1:]).predict(x.numpy())
    assert np.array_equal(told, classifier.decision_logits(x).numpy())


def test_the_estimator_obeys_a_threshold() -> None:
    classifier, x, _ = small_classifier()
    positive = torch.softmax(classifier.logits(x), 1)[:, 1].numpy()
    threshold = float(np.sort(positive)[-2:].mean())  # only one case stays positive
    classifier.description = classifier.description.model_copy(update={"threshold": threshold})
    told = estimator(classifier, x.shape[1:]).predict(x.numpy()).argmax(1)
    assert told.tolist() == (positive >= threshold).astype(int).tolist()
    assert told.sum() == 1


def test_the_gradient_points_where_that_of_plain_cross_entropy_points() -> None:
    classifier, x, y = small_classifier()
    mine = estimator(classifier, x.shape[1:]).loss_gradient(x.numpy(), np.eye(2)[y].astype("f4"))
    leaf = x.clone().requires_grad_(True)
    loss = nn.functional.cross_entropy(classifier.decision_logits(leaf), y, reduction="sum")
    plain = torch.autograd.grad(loss, leaf)[0].numpy()
    for a, b in zip(mine, plain, strict=True):
        cosine = (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)
        assert cosine == pytest.approx(1, abs=1e-5)


class Saturated(nn.Module):
    """Right by a margin of about 2,000 logits: float32 cross-entropy has no gradient left."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        m = 1e5 * (x.mean((1, 2, 3)) - 0.48)
        return torch.stack([-m / 2, m / 2], 1)


def test_a_saturated_model_does_not_blind_the_gradient(art) -> None:
    x = torch.full((2, 1, 8, 8), 0.5)
    y = np.eye(2, dtype=np.float32)[[1, 1]]
    plain = art_classifier(art, Saturated(), (1, 8, 8)).loss_gradient(x.numpy(), y)
    ours = estimator(classifier_of(Saturated(), 8, 8), (1, 8, 8)).loss_gradient(x.numpy(), y)
    assert not plain.any()
    assert (ours < 0).all()


class NotFinite(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full((len(x), 2), torch.nan) + 0 * x.sum()


@pytest.mark.parametrize("name", ["fgsm", "pgd", "square"])
def test_logits_that_are_not_numbers_are_a_named_failure(name: str) -> None:
    x = torch.full((1, 1, 8, 8), 0.5)
    batch = batch_of(x, torch.tensor([1]), [0], name)
    with pytest.raises(StressFailed, match="not finite"):
        list(get_stress(name).perturb(classifier_of(NotFinite(), 8, 8), batch))


@pytest.mark.parametrize(
    "name", sorted(n for n, s in load_stresses().items() if s.kind == "attack")
)
def test_every_attack_runs_on_a_stock_art_classifier(art, name: str) -> None:
    classifier, x, _ = small_classifier()
    module = nn.Sequential(classifier.module)
    images = x.expand(-1, 3, -1, -1).numpy().copy()
    mine = art_classifier(art, module, (3, SIDE, SIDE))
    few = {"population": 6, "generations": 1}
    small = {"one_pixel": few, "one_pixel_seeded": few, "square": {"queries": 6}}
    small["sparse_rs"] = {"queries": 6}
    attack = as_evasion_attack(name, mine, **small.get(name, {}))
    assert isinstance(attack, art.attacks.EvasionAttack)
    before = images.copy()
    altered = attack.generate(images)
    assert altered.shape == images.shape
    assert altered.dtype == np.float32
    assert altered.min() >= 0
    assert altered.max() <= 1
    assert np.array_equal(images, before)


def test_a_planted_shift_is_found_through_art_and_the_first_that_fools_is_kept(art) -> None:
    x = centred_dot(3, 20, 40)
    mine = art_classifier(art, FooledByShift("up", 2), (1, 20, 40))
    attack = as_evasion_attack("rotation_translation", mine, mode="grid", angles=1)
    for labels in (None, np.array([1, 1, 1]), np.eye(2)[[1, 1, 1]]):
        said = mine.predict(attack.generate(x.numpy(), labels)).argmax(1)
        assert said.tolist() == [0, 0, 0]


def test_a_search_that_finds_nothing_returns_the_image_itself(art) -> None:
    x = centred_dot(2, 20, 40).numpy()
    mine = art_classifier(art, FooledByShift("up", 3), (1, 20, 40))
    attack = as_evasion_attack("rotation_translation", mine, mode="grid", angles=1)
    assert np.array_equal(attack.generate(x), x)


def test_levels_that_do_not_fool_return_the_last_level(art) -> None:
    classifier, x, y = small_classifier()
    mine = estimator(classifier, x.shape[1:])
    levels = (0.1 / 255, 0.2 / 255)
    altered = as_evasion_attack("fgsm", mine, epsilons=levels).generate(x.numpy(), y.numpy())
    still = mine.predict(altered).argmax(1) == y.numpy()
    moved = np.abs(altered - x.numpy()).reshape(6, -1).max(1)
    assert still.any()
    assert moved[still] == pytest.approx(levels[1], abs=1e-6)


def test_an_image_already_decided_wrongly_comes_back_unchanged() -> None:
    classifier, x, y = small_classifier()
    mine = estimator(classifier, x.shape[1:])
    altered = as_evasion_attack("fgsm", mine).generate(x.numpy(), 1 - y.numpy())
    assert np.array_equal(altered, x.numpy())


def test_the_batch_size_does_not_change_what_art_users_get() -> None:
    classifier, x, _ = small_classifier()
    mine = estimator(classifier, x.shape[1:])
    runs = [
        as_evasion_attack("pgd", mine, seed=5, batch_size=size, steps=3).generate(x.numpy())
        for size in (1, 6)
    ]
    other = as_evasion_attack("pgd", mine, seed=6, steps=3).generate(x.numpy())
    # a gradient sign may differ in a pixel whose gradient is all but zero
    assert np.mean(np.abs(runs[0] - runs[1]) > 1e-6) <= 0.005
    assert np.mean(np.abs(runs[0] - other) > 1e-6) > 0.02


@pytest.mark.parametrize("mode", ["worst_of_k", "grid"])
def test_the_batch_size_does_not_change_which_candidate_art_users_get(mode: str) -> None:
    net, x, y = balanced_net(8, 30)
    mine = estimator(classifier_of(net, 30, 30), x.shape[1:])
    how = {"mode": mode, "angles": 5, "shifts": 3, "k": 30}
    one, all_ = (
        as_evasion_attack("rotation_translation", mine, seed=5, batch_size=size, **how).generate(
            x.numpy(), y.numpy()
        )
        for size in (1, 32)
    )
    np.testing.assert_array_equal(one, all_)
    assert 1 < sum(not np.array_equal(a, b) for a, b in zip(one, x.numpy(), strict=True)) < 8


def test_somebody_elses_module_keeps_its_mode_and_its_gradients(art) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 2))
    module.train()
    mine = art_classifier(art, module, (1, 8, 8))
    as_evasion_attack("pgd", mine, steps=2).generate(np.full((2, 1, 8, 8), 0.5, np.float32))
    assert all(part.training for part in module.modules())
    assert all(weight.requires_grad and weight.grad is None for weight in module.parameters())


def test_a_native_image_stress_works_through_art_when_it_keeps_the_size(art) -> None:
    mine = art_classifier(art, FooledByShift("up", 9), (1, 20, 40))
    flat = np.full((2, 1, 20, 40), 0.5, np.float32)
    noisy = as_evasion_attack("quantum_noise", mine, doses=(0.1,), photons=100.0).generate(flat)
    assert noisy.shape == flat.shape
    assert noisy.std() > 0.01


def test_a_one_logit_model_is_attacked_on_both_classes(art) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    with torch.no_grad():
        module[1].weight.fill_(1.0)
        module[1].bias.fill_(-32.0)
    mine = art_classifier(art, module, (1, 8, 8), nb_classes=2)
    x = np.stack([np.full((1, 8, 8), level, np.float32) for level in (0.49, 0.51)])
    altered = as_evasion_attack("fgsm", mine, epsilons=(8 / 255,)).generate(x)
    said = module(torch.from_numpy(altered)).detach().numpy()[:, 0] > 0
    assert said.tolist() == [True, False]


@pytest.mark.parametrize("clip", [None, (0.0, 255.0)])
def test_an_estimator_that_is_not_on_zero_to_one_is_refused_with_the_fix(art, clip) -> None:
    mine = art_classifier(art, FooledByShift("up", 2), (1, 20, 40), clip_values=clip)
    with pytest.raises(HipauditError, match=r"clip_values=\(0, 1\)"):
        as_evasion_attack("fgsm", mine)


def test_an_unknown_stress_or_parameter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(HipauditError, match='Did you mean "fgsm"'):
        as_evasion_attack("fgms", None)
    with pytest.raises(HipauditError, match='Did you mean "epsilons"'):
        as_evasion_attack("fgsm", None, epsilon=0.1)


def test_arts_own_success_rates_reach_no_log_and_nothing_is_printed(caplog, capsys) -> None:
    classifier, x, y = small_classifier()
    with caplog.at_level(logging.INFO):
        for name in ("fgsm", "pgd", "square"):
            small = {"square": {"queries": 6}}.get(name, {})
            list(get_stress(name).perturb(classifier, batch_of(x, y, [0], name), **small))
    assert not [r for r in caplog.records if r.name.startswith("art")]
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_importing_the_stresses_does_not_import_art() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from audit.stresses.registry import load_stresses; load_stresses();"
        "print('art' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_decided_agrees_between_the_wings() -> None:
    classifier, x, y = small_classifier()
    assert decided(classifier, x).tolist() == y.tolist()
