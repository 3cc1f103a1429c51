"""The detector of the phantom: photon statistics, scatter, transfer functions, look-up tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from audit.draws import generator
from trainers.phantom.detector import blurred, expose, moved, poisson, scattered
from trainers.phantom.display import display, marker, shown, shutter
from trainers.phantom.patient import Patient
from trainers.phantom.scanner import SCANNERS
from trainers.phantom.technique import FAULTS, Technique

PLAIN = Technique()


def test_photon_counts_have_the_mean_and_variance_of_poisson():
    counts = poisson(torch.full((200, 200), 50.0), generator(0, "noise"))
    assert float(counts.mean()) == pytest.approx(50, rel=0.01)
    assert float(counts.var()) == pytest.approx(50, rel=0.03)


def test_doubling_the_dose_halves_the_relative_variance_of_the_exposure():
    flat = torch.full((64, 64), 2.0)
    noise = []
    for dose in (2.0, 4.0):
        technique = replace(PLAIN, dose=dose)
        seen = expose(flat, SCANNERS[0], technique, generator(1, "dose"))
        ideal = expose(flat, SCANNERS[0], technique, generator(1, "dose"), noise=False)
        noise.append(float((seen / ideal).var()))
    assert noise[0] / noise[1] == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("fraction", [0.12, 0.35])
def test_behind_even_tissue_scatter_has_the_fraction_asked_for(fraction):
    primary = torch.full((96, 96), 700.0)
    scatter = scattered(primary, fraction)
    assert float((scatter / (scatter + primary)).mean()) == pytest.approx(fraction, rel=1e-4)
    seen = {
        part: expose(
            torch.full((96, 96), 3.0), SCANNERS[0], replace(PLAIN, scatter=part),
            generator(0), noise=False,
        ).mean()
        for part in (0.0, fraction)
    }  # fmt: skip
    assert float(1 - seen[0.0] / seen[fraction]) == pytest.approx(fraction, rel=1e-3)


@pytest.mark.parametrize("sigma", [0.75, 2.0])
def test_the_detectors_modulation_transfer_is_that_of_a_gaussian(sigma):
    point = torch.zeros(129, 129)
    point[64, 64] = 1.0
    transfer = np.abs(np.fft.rfft(blurred(point, sigma).sum(0).numpy()))
    cycles = np.fft.rfftfreq(129)
    low = cycles < 0.3
    expected = np.exp(-2 * np.pi**2 * sigma**2 * cycles**2)
    np.testing.assert_allclose(transfer[low], expected[low], atol=0.02)


@pytest.mark.parametrize("sigma", [6.0, 12.8, 25.6])
def test_a_broad_blur_agrees_with_scipys_gaussian_filter(sigma):
    image = torch.from_numpy(generator(2).random((256, 256)).astype(np.float32))
    image[100:140, 60:200] += 5
    expected = ndimage.gaussian_filter(image.numpy(), sigma, mode="nearest")
    inner = slice(40, -40)
    np.testing.assert_allclose(
        blurred(image, sigma)[inner, inner], expected[inner, inner], atol=0.03
    )


def test_motion_spreads_a_point_along_its_path_and_keeps_its_photons():
    point = torch.zeros(101, 101)
    point[50, 50] = 1.0
    path = moved(point, replace(PLAIN, motion=0.12, angle=30.0)).numpy()
    assert path.sum() == pytest.approx(1.0, abs=1e-5)
    rows, columns = np.mgrid[-50:51, -50:51]
    angle = np.radians(30.0)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = -columns * np.sin(angle) + rows * np.cos(angle)
    length = 0.12 * 101  # a uniform path has the variance length² / 12
    assert (path * along**2).sum() == pytest.approx(length**2 / 12, rel=0.1)
    assert (path * across**2).sum() < 0.5
    assert torch.equal(moved(point, PLAIN), point)


def wedge():
    """∫μ ds of a ramp beside an open field."""
    return torch.cat([torch.zeros(64, 16), torch.linspace(1.5, 4.0, 48).expand(64, 48)], dim=1)


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda s: s.model)
def test_thicker_parts_are_shown_brighter_whatever_the_maker(scanner):
    grey = display(expose(wedge(), scanner, PLAIN, generator(0), noise=False), scanner, PLAIN)
    assert float(grey.min()) >= 0
    assert float(grey.max()) <= 1
    columns = grey[:, 20:60].mean(0)
    assert (columns[8:] > columns[:-8]).all()


def test_makers_differ_in_how_they_show_the_same_photons():
    photons = expose(wedge(), SCANNERS[0], PLAIN, generator(0), noise=False)
    one, two, three = (display(photons, scanner, PLAIN) for scanner in SCANNERS)
    assert min(float((a - b).abs().mean()) for a, b in ((one, two), (two, three))) > 0.02


def test_edge_enhancement_overshoots_on_both_sides_of_an_edge():
    step = torch.cat([torch.full((64, 32), 1.5), torch.full((64, 32), 2.5)], dim=1)
    photons = 1e4 * torch.exp(-step)
    sharp, plain = (
        display(photons, replace(SCANNERS[0], edge=edge), PLAIN)[32] for edge in (0.9, 0.0)
    )
    for values, steeper in ((plain, False), (sharp, True)):
        assert bool(values[32:36].mean() > values[50:60].mean() + 0.02) is steeper


def test_exposure_faults_are_noisy_burnt_dark_or_bright():
    from trainers.phantom.technique import DOSE

    shown_by, variance, burnt = {}, {}, {}
    for fault in ("none", *FAULTS):
        technique = replace(PLAIN, fault=fault, dose=DOSE.get(fault, 1.0))
        photons = expose(wedge(), SCANNERS[1], technique, generator(0))
        ideal = expose(wedge(), SCANNERS[1], technique, generator(0), noise=False)
        variance[fault] = float((photons / ideal)[:, 20:].var())
        burnt[fault] = float((photons == photons.max())[:, 20:].float().mean())
        shown_by[fault] = display(photons, SCANNERS[1], technique)[:, 16:]
    assert variance["underexposed"] > 8 * variance["none"]
    assert float(shown_by["dark"].mean()) < float(shown_by["none"].mean()) - 0.1
    assert float(shown_by["washed"].mean()) > float(shown_by["none"].mean()) + 0.1
    assert burnt["overexposed"] > 0.3
    assert burnt["none"] < 0.01


def test_the_shutter_covers_the_shares_asked_for():
    covered = shutter(torch.ones(100, 100), replace(PLAIN, shutter=(0.05, 0.02, 0.0, 0.1)))
    assert torch.equal(torch.nonzero(covered).amin(0), torch.tensor([5, 0]))
    assert torch.equal(torch.nonzero(covered).amax(0), torch.tensor([97, 89]))


@pytest.mark.parametrize("side", ["R", "L"])
def test_the_letter_stands_upright_on_the_lateral_side_and_only_when_asked(side):
    black = torch.zeros(180, 180)
    image = marker(black, side, replace(PLAIN, marker=(0.1, 0.1)))
    rows, columns = torch.nonzero(image).unbind(1)
    assert int(rows.min()) == 18
    assert int(rows.max()) - int(rows.min()) == 13
    assert bool(columns.float().mean() < 90) is (side == "R")
    foot = image[int(rows.max()), int(columns.min()) : int(columns.max()) + 1]
    assert float((foot > 0).float().mean()) == (1.0 if side == "L" else pytest.approx(0.4))
    assert torch.equal(marker(black, side, PLAIN), black)


def test_a_right_hip_is_shown_as_the_mirror_image_of_a_left_one():
    photons = expose(wedge(), SCANNERS[0], PLAIN, generator(0), noise=False)
    left, right = (shown(photons, Patient(side=side), SCANNERS[0], PLAIN) for side in "LR")
    assert torch.equal(left, right.flip(1))
