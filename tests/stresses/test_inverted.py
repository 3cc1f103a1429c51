"""The negative, against PIL and against a DICOM file read both ways."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from audit.cases.decoding import load_pixels
from tests.cases.dicoms import dataset, write
from tests.stresses.native import in_colour, levels_of


def test_an_eight_bit_image_becomes_the_negative_that_pil_makes() -> None:
    eight = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    negative = np.asarray(ImageOps.invert(Image.fromarray(eight)))
    [(told, [found])] = levels_of("inverted", [(eight / 255).astype(np.float32)])
    assert told is None
    assert np.array_equal((found * 255).round(), negative)


def test_it_is_what_a_reader_blind_to_the_polarity_of_a_dicom_file_shows(tmp_path) -> None:
    stored = np.random.default_rng(2).integers(0, 4096, (20, 30), dtype=np.uint16)
    window = {"WindowCenter": "2000", "WindowWidth": "1500"}
    inverse = {"PhotometricInterpretation": "MONOCHROME1"}
    right = load_pixels(write(tmp_path / "a.dcm", dataset(stored, **window, **inverse)))
    blind = load_pixels(write(tmp_path / "b.dcm", dataset(stored, **window)))
    [(_, [found])] = levels_of("inverted", [right])
    assert np.allclose(found, blind, atol=1e-6)


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = np.random.default_rng(1).random((5, 7), dtype=np.float32)
    [(_, [found])] = levels_of("inverted", [in_colour(grey)])
    assert np.array_equal(found, in_colour(1 - grey))
