"""Every registered stress keeps the contract; a new one is tested here unasked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from audit.stresses.registry import (
    STRESSES,
    Altered,
    Attackable,
    Batch,
    Stress,
    load_stresses,
    stress,
)
from tests.stresses.promises import batch_of, in_parts, rows_of, run, small_classifier, stacked

# Budgets small enough for a test. A stress without an entry runs with its defaults.
SMALL: dict[str, dict[str, Any]] = {
    "fgsm": {"epsilons": (2 / 255, 16 / 255)},
    "pgd": {"epsilons": (4 / 255,), "steps": 3, "restarts": 2},
    "apgd": {"epsilons": (4 / 255,), "steps": 5, "restarts": 2},
    "square": {"epsilons": (16 / 255,), "queries": 12},
    "smallest_epsilon": {"sweep": 3, "resolution": 1 / 255},
    "rotation_translation": {"k": 3},
    "rotation_translation_map": {"angles": 3, "shifts": 3},
    "one_pixel": {"population": 8, "generations": 3, "queries": 32},
    "one_pixel_seeded": {"population": 8, "generations": 3, "queries": 32, "seeds": 2},
    "sparse_rs": {"pixels": (1, 3), "queries": 20},
    "quantum_noise": {"doses": (0.5, 0.05), "photons": 500.0},
    "low_resolution": {"sides": (12, 6)},  # the images here have 24 pixels
}
every_stress = pytest.mark.parametrize("name", sorted(load_stresses()))


def small(name: str) -> tuple[Stress, dict[str, Any]]:
    chosen = STRESSES[name]
    return chosen, chosen.check(SMALL.get(name, {}))


def once(name: str, channels: int = 1) -> tuple[Batch, list[Altered]]:
    chosen, params = small(name)
    classifier, x, y = small_classifier()
    batch = batch_of(x.expand(-1, channels, -1, -1), y, range(len(x)), name)
    altered = run(chosen, params, classifier, batch)
    assert altered, f"{name} yielded nothing"
    return batch, altered


def distances(images: torch.Tensor, originals: torch.Tensor, norm: str) -> np.ndarray:
    """By NumPy, apart from the engine's own check."""
    difference = np.abs(images.numpy().astype(np.float64) - originals.numpy())
    flat = difference.reshape(len(difference), -1)
    if norm == "l0":
        return (difference.max(axis=1) > 0).sum(axis=(1, 2))
    return flat.max(axis=1) if norm == "linf" else np.sqrt((flat**2).sum(axis=1))


def numpy_state() -> tuple[Any, ...]:
    return np.random.get_state()  # noqa: NPY002 - the global generator is what is watched


@every_stress
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_type_and_channels_are_kept(name: str, channels: int) -> None:
    batch, found = once(name, channels)
    for altered in found:
        images = stacked(altered)
        assert images.dtype == torch.float32
        assert images.shape == (len(rows_of(altered, batch)), *batch.x.shape[1:])


@every_stress
def test_every_pixel_is_finite_and_between_zero_and_one(name: str) -> None:
    for altered in once(name)[1]:
        images = stacked(altered)
        assert torch.isfinite(images).all()
        assert images.min() >= 0
        assert images.max() <= 1


@every_stress
def test_the_budget_is_kept_around_the_original(name: str) -> None:
    chosen, params = small(name)
    batch, found = once(name)
    for altered in found:
        limit = chosen.budget(params, altered.variant) if chosen.budget else None
        if limit is None:
            continue
        spent = distances(stacked(altered), batch.x[rows_of(altered, batch)], str(chosen.norm))
        assert spent.max() <= limit + 1e-6


@every_stress
def test_something_is_altered(name: str) -> None:
    batch, found = once(name)
    most = max(
        float((stacked(a) - batch.x[rows_of(a, batch)]).abs().max())
        for a in found
        if rows_of(a, batch)
    )
    assert most > 1e-3


@every_stress
def test_what_is_told_of_an_image_is_told_of_every_image(name: str) -> None:
    for altered in once(name)[1]:
        size = len(stacked(altered))
        assert len(altered.found) in (0, size)
        assert altered.queries is None or len(altered.queries) == size


@every_stress
def test_the_batch_the_weights_and_the_mode_are_untouched(name: str) -> None:
    chosen, params = small(name)
    classifier, x, y = small_classifier()
    module = classifier.module
    batch = batch_of(x, y, range(len(x)), name)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    native = [pixels.copy() for pixels in batch.pixels]
    run(chosen, params, classifier, batch)
    assert torch.equal(batch.x, x)
    assert torch.equal(batch.y, y)
    assert all(np.array_equal(a, b) for a, b in zip(batch.pixels, native, strict=True))
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in module.parameters())


@every_stress
def test_the_global_random_generators_are_left_alone(name: str) -> None:
    before = numpy_state()
    torch_before = torch.random.get_rng_state()
    once(name)
    assert np.array_equal(numpy_state()[1], before[1])
    assert numpy_state()[2] == before[2]
    assert torch.equal(torch.random.get_rng_state(), torch_before)


@every_stress
def test_the_same_seed_gives_the_same_images_whatever_the_batch_size(name: str) -> None:
    chosen, params = small(name)
    together = in_parts(chosen, params, 6)
    for size in (6, 3, 1):
        parts = in_parts(chosen, params, size)
        assert parts.keys() == together.keys()
        for key, (image, told) in parts.items():
            other, other_told = together[key]
            assert told == other_told
            # a gradient sign may differ in a pixel whose gradient is all but zero
            assert np.mean(np.abs(image - other) > 1e-6) <= 0.005, key


@every_stress
def test_the_plan_can_price_it(name: str) -> None:
    chosen, params = small(name)
    assert chosen.cost(params) > 0
    assert chosen.cost(chosen.defaults) >= chosen.cost(params)


@pytest.fixture
def shared_draws() -> Iterator[str]:
    """A planted fault: one draw for the whole batch, from NumPy's global generator."""

    @stress("faulty", kind="corruption")
    def faulty(model: Attackable, batch: Batch) -> Iterator[Altered]:
        shared = np.random.rand()  # noqa: NPY002 - the fault that is planted
        yield Altered({}, batch.x * float(shared))

    yield "faulty"
    del STRESSES["faulty"]


@pytest.mark.parametrize(
    "broken",
    [
        test_the_global_random_generators_are_left_alone,
        test_the_same_seed_gives_the_same_images_whatever_the_batch_size,
    ],
)
def test_a_stress_that_draws_from_elsewhere_fails_the_contract(shared_draws, broken) -> None:
    with pytest.raises(AssertionError):
        broken(shared_draws)
