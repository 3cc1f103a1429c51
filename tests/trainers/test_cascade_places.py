"""Where the neck is: native pixels, the frame, and the crop all mean the same place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.cascade.assemble import assemble
from audit.cases.arrays import from_arrays
from audit.cases.case import Case, Cases
from audit.classifier import prepare_pixels
from audit.results import DataDescription, Preparation
from tests.cascade.chains import Says, classifier
from trainers.cascade.localise import moved
from trainers.cascade.places import Necks, in_frame, necks_of, window_for
from trainers.cascade.relabel import cropped, metal_of, view_of
from trainers.fitting.chance import draws
from trainers.phantom.exposure import box_of, exposures_of, neck_of
from trainers.phantom.people import people_of
from trainers.phantom.spec import PhantomSpec


def dot(height, width, x, y):
    image = np.zeros((height, width), np.float32)
    image[y - 4 : y + 4, x - 4 : x + 4] = 1.0
    return image


def brightest(image):
    """Centre of brightness as shares of width and height."""
    light = np.asarray(image, dtype=np.float64)
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    return (
        float((light * columns).sum() / light.sum() / light.shape[1]),
        float((light * rows).sum() / light.sum() / light.shape[0]),
    )


@pytest.mark.parametrize("resize", ["pad", "crop", "squish"])
@pytest.mark.parametrize(("height", "width"), [(120, 90), (80, 200), (64, 64), (75, 111)])
def test_a_point_is_where_preparation_puts_what_it_marks(resize, height, width):
    way = Preparation(height=64, width=64, resize=resize)
    x, y = width // 2 + 7, height // 2 - 5
    seen = prepare_pixels(dot(height, width, x, y), way)[0].numpy()
    assert in_frame((x, y), (height, width), way) == pytest.approx(brightest(seen), abs=0.004)


def case(case_id, place, boxes=(), shape=(50, 50), **attributes):
    return Case(
        id=case_id, label="normal", load=lambda: np.zeros(shape, np.float32), boxes=boxes,
        shape=shape, attributes=attributes,
    )  # fmt: skip


def test_ground_truth_beside_the_images_comes_before_boxes(tmp_path):
    (tmp_path / "ground_truth.csv").write_text(
        "path,neck_x,neck_y,mm_per_pixel\na.png,12.5,30,0.9\nb.png,nan,3,\nc.png,oops,3,1\n"
    )
    cases = Cases(
        [case(name, name, boxes=((1, 1, 5, 9),)) for name in "abc"],
        DataDescription(layout="t", cases=3),
        {name: str(tmp_path / f"{name}.png") for name in "abc"},
    )
    found = necks_of(cases)
    assert (found.points, found.mm, found.origin) == (
        {"a": (12.5, 30.0)},
        {"a": 0.9, "c": 1.0},
        "ground truth",
    )


def test_without_ground_truth_the_middle_of_the_boxes_is_taken_and_normals_have_none():
    cases = Cases(
        [case("a", 0, boxes=((10, 20, 20, 30), (30, 40, 40, 50))), case("b", 0)],
        DataDescription(layout="t", cases=2),
    )
    found = necks_of(cases)
    assert (found.points, found.origin) == ({"a": (25, 35)}, "boxes")


def test_the_window_holds_the_boxes_about_the_neck():
    cases = Cases(
        [case(str(n), 0, boxes=((20, 20, 30, 30),)) for n in range(10)],
        DataDescription(layout="t", cases=10),
    )
    necks = Necks({str(n): (25.0, 28.0) for n in range(10)}, {}, "ground truth")
    # the far edge is 8 of 50 pixels away: 2 * 8 / 50 = 0.32, a tenth more is 0.352
    way = Preparation(height=100, width=100)
    assert window_for(cases, necks, way) == pytest.approx(0.352)


def test_the_neck_of_a_phantom_lies_in_the_box_of_a_fracture_of_the_neck():
    spec = PhantomSpec(train=60, val=12, test=12, off_centre=0.0, intertrochanteric=0.0)
    inside = []
    for person in people_of(spec):
        for shot in exposures_of(person, spec):
            box, (x, y) = box_of(shot), neck_of(shot)
            if box is not None:
                inside.append(box[0] <= x <= box[2] and box[1] <= y <= box[3])
    assert len(inside) > 20
    assert np.mean(inside) > 0.9


def test_points_move_with_their_images():
    x, y = torch.zeros(12, 1, 64, 64), torch.zeros(12, 2)
    for row in range(12):
        column, line = 26 + row, 36 - row // 2
        x[row, 0] = torch.from_numpy(dot(64, 64, column, line))
        y[row] = torch.tensor([column / 64, line / 64])
    seen, points = moved(x, y, draws(3, "test"))
    for image, point in zip(seen, points, strict=True):
        assert brightest(image[0].numpy()) == pytest.approx(tuple(point.tolist()), abs=0.006)
    assert (points - y).abs().max() > 0.05


def noisy(draw, height, width):
    images = [draw.random((height, width)).astype(np.float32) for _ in range(2)]
    return from_arrays(images, ["normal", "fracture"])


def test_a_branch_is_fitted_to_what_it_will_see_in_the_cascade():
    seen = []
    branch = Says(0.0, 1.0)
    branch.register_forward_hook(lambda _m, given, _o: seen.append(given[0][0, 0].numpy()))
    z = [float(np.log(s / (1 - s))) for s in (0.3, 0.6)]
    draw = np.random.default_rng(0)
    cases = noisy(draw, 90, 120)
    for window in (0.4, 0.9):
        model = assemble(
            classifier(branch), localiser=classifier(Says(*z), ("x", "y")), size=64, window=window
        )
        model.predict(model.prepare(cases[0])[None])
        alone = Cases([cases[0]], cases.description)
        place = {cases[0].id: torch.tensor([0.3, 0.6])}
        made = cropped(alone, place, window, 32, model.preparation, "key")[0]
        # as many pixels as are sampled; a block's mean is what the branch gets
        pixels = made.load()
        times = len(pixels) // 32
        wanted = pixels.reshape(32, times, 32, times).mean((1, 3))
        np.testing.assert_allclose(seen[-1], wanted, atol=1e-5)
        assert made.id != cases[0].id


def test_crops_about_other_places_are_other_cases():
    cases = noisy(np.random.default_rng(0), 64, 64)
    way = Preparation(height=64, width=64, channels=1, mean=(0.0,), std=(1.0,))
    place = {one.id: torch.tensor([0.5, 0.5]) for one in cases}
    first, second = (cropped(cases, place, 0.4, 32, way, key)[0].id for key in ("a", "b"))
    assert first != second


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("0", "none"), ("1", "metal"), ("nail", "metal"), ("None", "none"), ("unknown", None)],
)
def test_hardware_is_metal_or_none_or_not_known(said, wanted):
    assert metal_of(case("a", 0, hardware=said)) == wanted
    assert metal_of(case("a", 0)) is None


def test_an_unknown_view_is_no_view():
    assert view_of(case("a", 0, view="lateral")) == "lateral"
    assert view_of(case("a", 0, view="unknown")) is None
