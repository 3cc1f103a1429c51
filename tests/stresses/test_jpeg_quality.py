"""JPEG against the formulas of the standard and against OpenCV, with a libjpeg of its own."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.jpeg_quality import through_jpeg
from tests.jpeg_by_hand import jpeg_by_hand
from tests.stresses.native import in_colour, levels_of


def textured(height: int = 72, width: int = 90) -> np.ndarray:
    noise = gaussian_filter(generator(1, "texture").random((height, width)), 1.5)
    return ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)


@pytest.mark.parametrize("quality", [90, 50, 10])
def test_a_grey_image_loses_what_the_standards_formulas_say(quality) -> None:
    image = textured(64, 96)
    found = through_jpeg(image, quality, 0)
    expected = jpeg_by_hand(np.floor(image.astype(np.float64) * 255 + 0.5), quality)
    levels = np.rint(255 * found - expected)
    # libjpeg's transform is in integers: a coefficient on a rounding edge may go the other way
    assert np.median(np.abs(levels)) == 0
    assert np.mean(np.abs(levels) > 1) < 0.05
    assert np.sqrt(np.mean(levels**2)) < 0.4 * 255 * np.sqrt(np.mean((found - image) ** 2))


@pytest.mark.parametrize("quality", [90, 50, 10])
def test_opencv_gives_the_same_grey_image_within_two_levels(quality) -> None:
    image = textured()
    eight = (image * 255).round().astype(np.uint8)
    _, file = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, quality])
    opencv = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
    assert np.abs(through_jpeg(image, quality, 0) * 255 - opencv).max() <= 2


def test_the_file_is_eight_bit_baseline_with_one_component_for_grey(monkeypatch) -> None:
    kept: list[bytes] = []
    save = Image.Image.save

    def keep(self, file: BytesIO, *args: object, **named: object) -> None:
        save(self, file, *args, **named)
        kept.append(file.getvalue())

    monkeypatch.setattr(Image.Image, "save", keep)
    for _ in levels_of("jpeg_quality", [textured(), in_colour(textured())], qualities=[50]):
        pass
    grey, colour = kept
    assert header(grey) == (8, 1, (1, 1))
    assert header(colour) == (8, 3, (2, 2))  # luminance at twice the resolution of the colour


def header(file: bytes) -> tuple[int, int, tuple[int, int]]:
    """(bits, components, sampling of the first) from the baseline frame, marker FFC0."""
    at = file.index(b"\xff\xc0")
    sampling = file[at + 11]
    return file[at + 4], file[at + 9], (sampling >> 4, sampling & 15)


def test_a_grey_radiograph_stored_in_colour_is_coded_as_the_grey_one() -> None:
    image = textured()
    for chroma in (0, 1, 2):
        found = through_jpeg(in_colour(image), 30, chroma)
        assert np.array_equal(found, in_colour(through_jpeg(image, 30, 0)))


def test_colour_detail_survives_only_without_subsampling() -> None:
    stripes = np.zeros((32, 32, 3), np.float32)
    stripes[:, ::2, 0] = 1.0  # red and blue, a pixel each
    stripes[:, 1::2, 2] = 1.0
    full, half = through_jpeg(stripes, 100, 0), through_jpeg(stripes, 100, 2)
    assert np.abs(full - stripes).max() <= 4 / 255
    assert np.abs(half - stripes).max() > 0.3


def test_a_lower_quality_gives_a_larger_error() -> None:
    image = textured()
    errors = [float(((f - image) ** 2).mean()) for _, [f] in levels_of("jpeg_quality", [image])]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1] / 4


@pytest.mark.parametrize(
    "params", [{"qualities": (0,)}, {"qualities": (10, 90)}, {"chroma": "4:1:1"}]
)
def test_what_libjpeg_does_not_know_is_refused(params) -> None:
    with pytest.raises(HipauditError, match=next(iter(params))):
        levels_of("jpeg_quality", [textured()], **params)
