"""Quantum noise against the Poisson formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.quantum_noise import thinned
from audit.stresses.registry import Batch, get_stress

PHOTONS, DEPTH = 20_000.0, 4.0


def counts(pixels: np.ndarray) -> np.ndarray:
    """Back from displayed pixels to quanta (Beer–Lambert)."""
    return PHOTONS * np.exp(-DEPTH * pixels.astype(np.float64))


def exposed(value: float, rng: np.random.Generator, side: int = 300) -> np.ndarray:
    """A flat field as a detector at the reference dose would give it: Poisson counts."""
    drawn = rng.poisson(PHOTONS * np.exp(-DEPTH * value), (side, side))
    return (-np.log(drawn / PHOTONS) / DEPTH).astype(np.float32)


@pytest.mark.parametrize("dose", [0.5, 0.1])
@pytest.mark.parametrize("value", [0.2, 0.5, 0.8])
def test_mean_and_variance_of_the_quanta_are_those_of_poisson_at_that_dose(value, dose) -> None:
    image = exposed(value, generator(1, "field", str(value)))
    low = thinned(image, dose, PHOTONS, DEPTH, generator(1, "thin", str(value)))
    kept = counts(low) * dose
    expected = dose * PHOTONS * np.exp(-DEPTH * value)
    n = kept.size
    assert kept.mean() == pytest.approx(expected, abs=5 * np.sqrt(expected / n))
    # the sample variance of Poisson counts has a relative standard error of about sqrt(2 / n)
    assert kept.var() / expected == pytest.approx(1, abs=5 * np.sqrt(2 / n))


def test_the_quanta_follow_a_poisson_distribution() -> None:
    image = exposed(0.9, generator(2, "field"), side=100)
    kept = np.round(counts(thinned(image, 0.05, PHOTONS, DEPTH, generator(2, "thin"))) * 0.05)
    expected = 0.05 * PHOTONS * np.exp(-DEPTH * 0.9)  # about 27 quanta
    edges = stats.poisson.ppf(np.linspace(0.1, 0.9, 9), expected)
    seen = np.bincount(np.searchsorted(edges, kept.ravel()), minlength=10)
    shares = np.diff(np.concatenate([[0], stats.poisson.cdf(edges, expected), [1]]))
    assert stats.chisquare(seen, shares * kept.size).pvalue > 1e-3


def test_displayed_noise_grows_with_density_and_as_the_dose_falls() -> None:
    def spread(value: float, dose: float) -> float:
        flat = np.full((200, 200), value, np.float32)
        return float(thinned(flat, dose, PHOTONS, DEPTH, generator(3, "x")).std())

    for value, dose in ((0.2, 0.5), (0.8, 0.5), (0.2, 0.1), (0.8, 0.1)):
        n = PHOTONS * np.exp(-DEPTH * value)
        by_formula = np.sqrt((1 / dose - 1) / n) / DEPTH  # added to what the image has
        assert spread(value, dose) == pytest.approx(by_formula, rel=0.05)


def test_the_full_dose_gives_the_image_itself() -> None:
    image = generator(4, "x").random((20, 30), dtype=np.float32)
    assert np.abs(thinned(image, 1.0, PHOTONS, DEPTH, generator(4, "y")) - image).max() <= 1e-6


def test_a_grey_radiograph_stored_in_colour_stays_grey_and_sizes_are_kept() -> None:
    grey = generator(5, "x").random((20, 30), dtype=np.float32)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    noisy = thinned(colour, 0.1, 500.0, DEPTH, generator(5, "y"))
    assert noisy.shape == (20, 30, 3)
    assert np.ptp(noisy, axis=2).max() <= 1e-6
    assert noisy.dtype == np.float32


def test_levels_differ_in_size_between_cases_and_are_named_by_dose() -> None:
    pixels = [np.full((10, 12), 0.5, np.float32), np.full((7, 5), 0.5, np.float32)]
    rngs = [generator(6, str(i)) for i in range(2)]
    batch = Batch(torch.zeros(2, 1, 8, 8), torch.tensor([0, 1]), rngs, pixels)
    found = list(get_stress("quantum_noise").perturb(None, batch, doses=(0.5, 0.1)))
    assert [a.variant for a in found] == [{"dose": 0.5}, {"dose": 0.1}]
    assert [i.shape for a in found for i in a.images] == [(10, 12), (7, 5)] * 2


@pytest.mark.parametrize("dose", [0.0, 1.5, -1.0, float("nan")])
def test_a_dose_that_is_no_fraction_is_refused(dose: float) -> None:
    batch = Batch(
        torch.zeros(1, 1, 8, 8), torch.tensor([0]), [generator(0, "a")], [np.zeros((2, 2))]
    )
    with pytest.raises(HipauditError, match="doses"):
        list(get_stress("quantum_noise").perturb(None, batch, doses=(dose,)))
