"""The phantom: physics, geometry, labels and what its files say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainers.phantom.anatomy import femur_axes
from trainers.phantom.exposure import Exposure, box_of, neck_of, render
from trainers.phantom.fracture import displacement, fracture_box, fracture_centre, plane
from trainers.phantom.patient import Fracture, Patient
from trainers.phantom.pelvis import socket
from trainers.phantom.scene import FAT, MUSCLE, PLASTER, line_integrals
from trainers.phantom.view import View, frame, project

WHOLE = Patient()
BROKEN = replace(WHOLE, fracture=Fracture(kind="neck", form="gap", gap=2.5))
AP, LATERAL = View("AP"), View("LL")


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
    head = torch.zeros(3)  # in the plane that `field` is measured in
    for view in (AP, LATERAL):
        centre = project(head, WHOLE, view, 100)
        expected = (torch.tensor([0.0, 0.0]) - torch.tensor(view.centre) + 105) * 100 / 210
        torch.testing.assert_close(centre, expected, atol=1e-3, rtol=0)


def test_what_is_nearer_to_the_source_is_magnified_by_similar_triangles():
    axes = frame(WHOLE, AP)
    middle = torch.tensor(AP.centre) @ axes[:2]
    for height in (-80.0, 0.0, 120.0):
        point = middle + 10 * axes[0] + height * axes[2]
        column, row = project(point, WHOLE, AP, 210).tolist()  # 1 mm pixels
        assert column - 105 == pytest.approx(10 * AP.source / (AP.source - height), abs=1e-3)
        assert row == pytest.approx(105, abs=1e-3)


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


def test_where_the_neck_is_in_the_image_is_mirrored_with_the_side():
    left, right = (neck_of(Exposure(replace(WHOLE, side=side), AP, size=64)) for side in "LR")
    assert left[0] == pytest.approx(64 - right[0])
    assert left[1] == right[1]


@pytest.mark.parametrize(
    ("form", "severity", "kind", "garden"),
    [
        ("impacted", "slight", "neck", "I"),
        ("gap", "occult", "neck", "II"),
        ("displaced", "moderate", "neck", "III"),
        ("displaced", "gross", "neck", "IV"),
        ("displaced", "gross", "intertrochanteric", ""),
    ],
)
def test_gardens_class_follows_from_form_and_severity(form, severity, kind, garden):
    assert Fracture(kind=kind, form=form, severity=severity).garden == garden


@pytest.mark.parametrize("kind", ["neck", "intertrochanteric"])
def test_the_fracture_plane_leaves_the_frontal_plane_by_its_slant(kind):
    _, flat, _ = plane(WHOLE, Fracture(kind=kind))
    _, normal, _ = plane(WHOLE, Fracture(kind=kind, slant=30.0))
    flat_out, out = (np.degrees(np.arcsin(float(n[2]))) for n in (flat, normal))
    assert float(normal.norm()) == pytest.approx(1.0, abs=1e-5)
    assert 20 < out - flat_out < 35  # 30 if the unslanted normal lay in the frontal plane


def test_a_slanted_crack_loses_more_bone_and_is_yet_a_fainter_line():
    whole = line_integrals(WHOLE, AP, 128).total
    lost = {}
    for slant in (0.0, 30.0):
        crack = Fracture(form="gap", gap=0.6, slant=slant)
        lost[slant] = whole - line_integrals(replace(WHOLE, fracture=crack), AP, 128).total
    assert float(lost[30.0].sum()) > float(lost[0.0].sum())  # a slanted cut is longer
    assert float(lost[30.0].max()) < 0.7 * float(lost[0.0].max())


def changed(broken, view=AP):
    """Mean change of ∫μ ds by a fracture."""
    whole = replace(broken, fracture=None)
    return float(
        (line_integrals(whole, view, 96).total - line_integrals(broken, view, 96).total)
        .abs()
        .mean()
    )


def test_the_severer_the_fracture_the_more_of_the_image_changes():
    occult = Fracture(form="gap", severity="occult", gap=0.5)
    slight = Fracture(form="gap", severity="slight", gap=2.5)
    moderate = Fracture(severity="moderate", rise=8.0, turn=15.0, varus=8.0)
    gross = Fracture(severity="gross", rise=24.0, turn=40.0, varus=20.0)
    amounts = [changed(replace(WHOLE, fracture=f)) for f in (occult, slight, moderate, gross)]
    assert amounts == sorted(amounts)
    assert amounts[0] < amounts[3] / 20


WIDE = replace(AP, field=480.0)  # all of a nail


def metal_of(patient):
    plain = line_integrals(replace(patient, hardware="none"), WIDE, 160).total
    return line_integrals(patient, WIDE, 160).total - plain > 0.5


@pytest.mark.parametrize("hardware", ["screws", "plate", "nail"])
def test_an_implant_moves_with_the_fragment_of_the_shaft(hardware):
    fixed = replace(WHOLE, hardware=hardware)
    rise = 20.0
    broken = replace(fixed, fracture=Fracture(form="displaced", rise=rise, turn=0.0, varus=0.0))
    still, shifted = (torch.nonzero(metal_of(p)).float().mean(0) for p in (fixed, broken))
    axes = femur_axes(WHOLE)
    shift = -axes.shaft * rise + axes.lateral * 0.15 * rise
    expected = project(shift, WHOLE, WIDE, 160) - project(torch.zeros(3), WHOLE, WIDE, 160)
    found = (shifted - still).flip(0)  # column, row
    torch.testing.assert_close(found, expected, atol=0.5, rtol=0)


def test_a_prosthesis_stands_for_head_and_neck():
    bare = line_integrals(replace(WHOLE, hardware="prosthesis"), AP, 105)
    whole = line_integrals(WHOLE, AP, 105)
    column, row = project(torch.zeros(3), WHOLE, AP, 105).int().tolist()
    assert float(bare.total[row, column]) > float(whole.total[row, column]) + 2  # a metal ball
    edge = project(torch.tensor([0.0, 19.0, 0.0]), WHOLE, AP, 105).int().tolist()
    assert float(bare.cancellous[edge[1], edge[0]]) < 0.6 * float(
        whole.cancellous[edge[1], edge[0]]
    )


def joint_space(patient, direction):
    """mm of socket between head and roof or floor, along a line through the head's centre."""
    cavity, _ = socket(patient)
    own = cavity.frame @ (torch.tensor(direction) * patient.head_radius - cavity.centre)
    return float((1 - own.norm()) / cavity.frame[0, 0])


def test_arthritis_narrows_the_joint_under_the_roof_and_not_below():
    worn_hip = replace(WHOLE, narrowing=3.0)
    assert joint_space(worn_hip, (0.0, -1.0, 0.0)) == pytest.approx(WHOLE.joint_space - 3, abs=1e-3)
    assert joint_space(worn_hip, (0.0, 1.0, 0.0)) == pytest.approx(WHOLE.joint_space, abs=1e-3)


def test_a_cast_adds_plaster_around_the_thigh_and_nowhere_inside_thinner_than_its_wall():
    maps = line_integrals(replace(WHOLE, cast=True), AP, 64)
    assert float(line_integrals(WHOLE, AP, 64).plaster.max()) == 0
    walls = maps.plaster[maps.plaster > 0] / PLASTER
    assert float(walls.median()) == pytest.approx(18, rel=0.3)  # through two walls of 9 mm


def test_the_fragments_part_by_the_length_of_their_motions():
    assert displacement(WHOLE) == 0
    gap = replace(WHOLE, fracture=Fracture(form="gap"))
    assert displacement(gap) == 0
    impacted = replace(WHOLE, fracture=Fracture(form="impacted", gap=4.0, varus=0.0))
    assert displacement(impacted) == pytest.approx(4.0, abs=1e-4)
    risen = Fracture(form="displaced", rise=10.0, turn=0.0, varus=0.0)
    # up by the rise and out by 15% of it, nearly at right angles
    assert displacement(replace(WHOLE, fracture=risen)) == pytest.approx(10.1, abs=0.1)


@pytest.mark.parametrize("view", [AP, LATERAL], ids=["AP", "lateral"])
def test_the_middle_of_a_fracture_is_in_the_middle_of_its_box(view):
    broken = replace(WHOLE, fracture=Fracture(form="gap"))
    xmin, ymin, xmax, ymax = fracture_box(broken, view, 200)
    column, row = fracture_centre(broken, view, 200)
    assert column == pytest.approx((xmin + xmax) / 2, abs=3)
    assert row == pytest.approx((ymin + ymax) / 2, abs=3)
