"""Cases from arrays, as a notebook makes them."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from audit.cases.private import private_csv
from audit.cases.read import from_arrays
from audit.errors import HipauditError
from tests.cases.test_folders import notes


def noise(*shape: int, dtype: str = "uint8") -> np.ndarray:
    values = np.random.default_rng(0).random(shape)
    return (values * {"uint8": 255, "uint16": 65535}.get(dtype, 1)).astype(dtype)


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 255), ("uint16", 65535), ("float64", 1)])
def test_integers_are_scaled_by_their_full_range(dtype: str, scale: int) -> None:
    images = noise(2, 5, 4, dtype=dtype)
    cases = from_arrays(images, ["a", "b"])
    by_label = {case.label: case for case in cases}
    expected = images[0].astype(np.float32) / np.float32(scale)
    np.testing.assert_array_equal(by_label["a"].load(), expected)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (1, 5, 4)])
def test_grey_images_of_any_layout_are_height_by_width(shape: tuple[int, ...]) -> None:
    assert {case.shape for case in from_arrays(noise(2, *shape), ["a", "b"])} == {(5, 4)}


@pytest.mark.parametrize("shape", [(5, 4, 3), (3, 5, 4)])
def test_colour_images_end_with_channels(shape: tuple[int, ...]) -> None:
    assert {case.shape for case in from_arrays(noise(2, *shape), ["a", "b"])} == {(5, 4, 3)}


def test_tensors_and_lists_of_different_sizes_are_taken() -> None:
    cases = from_arrays([torch.rand(1, 5, 4), noise(7, 6)], [1, 0])
    assert cases.labels == ("0", "1")


def test_attributes_patients_and_boxes_reach_the_cases() -> None:
    cases = from_arrays(
        noise(3, 5, 4),
        ["a", "b", "b"],
        patients=[7, 7, None],
        attributes={"View": ["AP", "LL", None], "age": [51, 97, math.nan]},
        boxes=[[(0, 0, 2, 2)], [], []],
        name="toy",
    )
    assert cases.description.attributes == {
        "age_band": {"50-59": 1, "90+": 1, "unknown": 1},
        "view": {"frontal": 1, "lateral": 1, "unknown": 1},
    }
    assert cases.description.patients == 2
    assert sorted(len(case.boxes) for case in cases) == [0, 0, 1]
    assert cases.description.name == "toy"
    assert private_csv(cases) == "case,path\n"


def test_a_case_cannot_be_changed_through_what_it_loads() -> None:
    case = from_arrays(noise(2, 5, 4), ["a", "b"])[0]
    case.load()[:] = 0
    assert case.load().any()
    assert (pickle.loads(pickle.dumps(case)).load() == case.load()).all()  # noqa: S301 our own


def test_exact_duplicates_are_counted_and_torn_labels_named() -> None:
    image = noise(5, 4)
    cases = from_arrays([image, image, image, noise(6, 4)], ["a", "b", "a", "b"])
    ids = sorted(case.id for case in cases)
    digest = next(case_id for case_id in ids if case_id.endswith("-2")).removesuffix("-2")
    assert {digest, f"{digest}-2", f"{digest}-3"} <= set(ids)
    assert notes(cases)["duplicates"].startswith("2 images")
    assert digest in notes(cases)["duplicate-labels"]


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 5, 4)), ["a"], "labels for 2 images"),
        (np.zeros((0, 5, 4)), [], "at least one image"),
        (np.zeros((2, 5, 4)), ["a", "a"], "two or more classes"),
        (np.full((2, 5, 4), 255.0), ["a", "b"], "values in \\[0, 1\\]"),
        (np.full((2, 5, 4), np.nan), ["a", "b"], "values in \\[0, 1\\]"),
        (np.zeros((2, 5, 4), dtype=np.int64), ["a", "b"], "uint8, uint16 or float"),
        (np.zeros((2, 5)), ["a", "b"], "shape \\(H, W\\)"),
        (np.zeros((2, 5, 4, 2)), ["a", "b"], "shape \\(H, W\\)"),
        (np.zeros((2, 0, 4)), ["a", "b"], "shape \\(H, W\\)"),
        (np.zeros((2, 5, 4)), ["a", None], "a label for every image"),
    ],
)
def test_arrays_that_are_no_labelled_images_are_refused(
    images: np.ndarray, labels: list[str], message: str
) -> None:
    with pytest.raises(HipauditError, match=message):
        from_arrays(images, labels)
