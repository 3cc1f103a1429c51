"""The phantom: physics, geometry, labels and what its files say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from audit.draws import generator
from trainers.phantom.anatomy import femur_axes
from trainers.phantom.detector import SCANNERS, blurred, expose, poisson
from trainers.phantom.exposure import Exposure, box_of, render
from trainers.phantom.fracture import fracture_box
from trainers.phantom.patient import Fracture, Patient
from trainers.phantom.scene import FAT, MUSCLE, line_integrals
from trainers.phantom.view import View, frame, project

WHOLE = Patient()
BROKEN = replace(WHOLE, fracture=Fracture(kind="neck", form="gap", gap=2.5))
AP, LATERAL = View("AP"), View("LL")


def test_photon_counts_have_the_mean_and_variance_of_poisson():
    counts = poisson(torch.full((200, 200), 50.0), generator(0, "noise"))
    assert float(counts.mean()) == pytest.approx(50, rel=0.01)
    assert float(counts.var()) == pytest.approx(50, rel=0.03)


def test_doubling_the_photons_halves_the_relative_variance_of_the_exposure():
    flat = torch.full((64, 64), 2.0)
    noise = []
    for photons in (20000.0, 40000.0):
        scanner = replace(SCANNERS[0], photons=photons)
        seen = expose(flat, scanner, generator(1, "dose"))
        ideal = expose(flat, scanner, generator(1, "dose"), noise=False)
        noise.append(float((seen / ideal).var()))
    assert noise[0] / noise[1] == pytest.approx(2.0, rel=0.15)


def test_blur_keeps_the_number_of_photons_of_a_point():
    point = torch.zeros(41, 41)
    point[20, 20] = 1000.0
    spread = blurred(point, 2.0)
    assert float(spread.sum()) == pytest.approx(1000.0, rel=1e-4)
    rows = torch.arange(41) - 20.0
    assert float((spread.sum(1) * rows**2).sum() / 1000) == pytest.approx(4.0, rel=0.05)


def test_soft_tissue_alone_attenuates_between_fat_and_muscle_per_millimetre():
    lean = line_integrals(replace(WHOLE, fat=0.0), AP, 32).soft
    fat = line_integrals(replace(WHOLE, fat=25.0), AP, 32).soft
    ratio = (fat / lean)[lean > 0.1]
    assert float(ratio.max()) < 1
    assert float(ratio.min()) >= FAT / MUSCLE - 1e-5
    assert float(ratio.max()) > float(ratio.min()) + 0.02


def test_both_views_look_at_the_same_patient_from_right_angles_along_one_plane():
    ap, lateral = frame(WHOLE, AP), frame(WHOLE, LATERAL)
    for axes in (ap, lateral):
        torch.testing.assert_close(axes @ axes.T, torch.eye(3), atol=1e-5, rtol=0)
    assert abs(float(ap[2] @ lateral[2])) < 1e-5
    head = torch.zeros(3)
    for view in (AP, LATERAL):
        centre = project(head, WHOLE, view, 100)
        expected = (torch.tensor([0.0, 0.0]) - torch.tensor(view.centre) + 105) * 100 / 210
        torch.testing.assert_close(centre, expected, atol=1e-3, rtol=0)


def test_the_projected_head_is_the_densest_where_geometry_says_it_is():
    maps = line_integrals(WHOLE, AP, 105)  # 2 mm pixels
    column, row = project(torch.zeros(3), WHOLE, AP, 105).int().tolist()
    off = project(torch.tensor([60.0, 0.0, 0.0]), WHOLE, AP, 105).int().tolist()
    bone = maps.total - maps.soft
    assert float(bone[row, column]) > 0.5
    assert float(bone[off[1], off[0]]) == pytest.approx(0.0, abs=1e-4)


def test_the_neck_shaft_angle_is_the_angle_between_neck_and_shaft():
    axes = femur_axes(replace(WHOLE, neck_shaft=131.0))
    cosine = float(-axes.neck @ axes.shaft)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(131.0, abs=0.01)


@pytest.mark.parametrize("view", [AP, LATERAL], ids=["AP", "lateral"])
@pytest.mark.parametrize("kind", ["neck", "intertrochanteric"])
def test_a_gap_changes_the_image_inside_its_box_and_nowhere_else(view, kind):
    broken = replace(WHOLE, fracture=Fracture(kind=kind, form="gap", gap=2.5))
    size = 128
    lost = (
        line_integrals(WHOLE, view, size).total - line_integrals(broken, view, size).total
    ).abs()
    xmin, ymin, xmax, ymax = fracture_box(broken, view, size)
    inside = torch.zeros(size, size, dtype=torch.bool)
    inside[int(ymin) : int(ymax) + 1, int(xmin) : int(xmax) + 1] = True
    assert float(lost[inside].max()) > 0.02
    assert float(lost[~inside].max()) < 1e-4


def test_a_displaced_fracture_changes_its_box_more_than_the_rest():
    broken = replace(WHOLE, fracture=Fracture(kind="neck", form="displaced", rise=12.0))
    changed = (line_integrals(WHOLE, AP, 128).total - line_integrals(broken, AP, 128).total).abs()
    xmin, ymin, xmax, ymax = (int(v) for v in fracture_box(broken, AP, 128))
    box = changed[ymin:ymax, xmin:xmax]
    assert float(box.mean()) > 4 * float(changed.mean())


def test_a_fracture_moves_bone_but_neither_makes_nor_loses_much():
    whole, gap = (line_integrals(p, AP, 96) for p in (WHOLE, BROKEN))
    bone = [float((maps.total - maps.soft).sum()) for maps in (whole, gap)]
    assert 0.95 < bone[1] / bone[0] < 1.0


def test_an_image_depends_on_its_exposure_only_and_is_grey_between_0_and_1():
    shot = Exposure(BROKEN, AP, size=64, seed=3)
    first = render(shot)
    np.testing.assert_array_equal(first, render(shot))
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1
    assert not np.array_equal(first, render(replace(shot, seed=4)))


def test_left_and_right_are_mirror_images_with_mirrored_boxes():
    right = fracture_box(BROKEN, AP, 64)
    shown = box_of(Exposure(replace(BROKEN, side="R"), AP, size=64))
    left = box_of(Exposure(replace(BROKEN, side="L"), AP, size=64))
    assert left == right
    assert shown == pytest.approx((64 - right[2], right[1], 64 - right[0], right[3]))
