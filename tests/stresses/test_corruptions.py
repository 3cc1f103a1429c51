"""What all corruptions of native images have in common, on drawn images and severities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.registry import get_stress, load_stresses
from tests.stresses.native import in_colour, levels_of

# name -> its severities' parameter; the negative has none
SEVERITIES = {
    name: next((p for p, value in one.defaults.items() if isinstance(value, tuple)), None)
    for name, one in sorted(load_stresses().items())
    if one.kind == "corruption" and one.domain == "acquisition"
}
LEVELLED = sorted(name for name, parameter in SEVERITIES.items() if parameter)
every = pytest.mark.parametrize("name", sorted(SEVERITIES))
every_levelled = pytest.mark.parametrize("name", LEVELLED)
few = settings(max_examples=12, deadline=None, derandomize=True)
shapes = st.tuples(st.integers(1, 48), st.integers(1, 48))


def phantom(height: int = 96, width: int = 80) -> np.ndarray:
    """Something like a hip: a dark field, a soft body, two bright bones, fine texture."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    body = 0.3 * np.exp(-((x / 0.8) ** 6) - (y / 0.95) ** 8)
    head = 0.35 * ((x + 0.1) ** 2 + (y + 0.3) ** 2 < 0.12)
    shaft = 0.3 * ((np.abs(x - 0.1) < 0.14) & (y > -0.1))
    grain = 0.03 * generator(9, "grain").standard_normal((height, width))
    return np.clip(0.05 + body + head + shaft + grain * (body > 0.1), 0, 1).astype(np.float32)


def drawn(shape: tuple[int, int], seed: int) -> np.ndarray:
    return generator(seed, "image").random(shape, dtype=np.float32)


def steps(name: str) -> list[object]:
    return list(get_stress(name).defaults[SEVERITIES[name]])


def test_the_corruptions_of_native_images_are_all_here() -> None:
    assert {"quantum_noise", "motion_blur", "metal", "inverted"} <= set(SEVERITIES)
    assert [name for name, parameter in SEVERITIES.items() if not parameter] == ["inverted"]
    assert all(len(steps(name)) == 5 for name in LEVELLED)


@every_levelled
@pytest.mark.parametrize("case", range(3))
def test_from_mild_to_gross_the_mean_change_grows(name, case) -> None:
    image = phantom()
    given_images = [image] * (case + 1)  # case i draws from a generator of its own
    changes = [float(np.abs(f[case] - image).mean()) for _, f in levels_of(name, given_images)]
    assert all(b >= a - 1e-7 for a, b in pairwise(changes)), changes
    assert changes[-1] > 1.5 * changes[0]


@every
@given(shape=shapes, seed=st.integers(0, 10**6))
@few
def test_range_type_and_native_shape_are_kept(name, shape, seed) -> None:
    image = drawn(shape, seed)
    for pixels in (image, in_colour(image)):
        before = pixels.copy()
        for _, [found] in levels_of(name, [pixels]):
            assert found.shape == pixels.shape
            assert found.dtype == np.float32
            assert np.isfinite(found).all()
            assert found.min() >= 0
            assert found.max() <= 1
        assert np.array_equal(pixels, before)


@every
@given(shape=shapes, seed=st.integers(0, 10**6))
@few
def test_a_grey_radiograph_stored_in_colour_stays_grey_and_is_treated_as_the_grey_one(
    name, shape, seed
) -> None:
    image = drawn(shape, seed)
    for (_, [grey]), (_, [colour]) in zip(
        levels_of(name, [image]), levels_of(name, [in_colour(image)]), strict=True
    ):
        assert np.ptp(colour, axis=2).max() <= 1e-6
        if name != "quantum_noise":  # the mean of three equal floats may round: another draw
            assert np.abs(colour[:, :, 0] - grey).max() <= 1e-5


@every_levelled
@given(seed=st.integers(0, 10**6), place=st.integers(0, 4))
@few
def test_a_severity_is_the_same_alone_as_among_the_others(name, seed, place) -> None:
    if name == "quantum_noise":
        pytest.skip("its page says that every dose is an exposure, and a draw, of its own")
    image = drawn((30, 24), seed)
    among = levels_of(name, [image])[place]
    alone = levels_of(name, [image], **{SEVERITIES[name]: [steps(name)[place]]})[0]
    assert among[0] == alone[0]
    assert np.array_equal(among[1][0], alone[1][0])


@every
def test_a_case_is_the_same_whoever_is_in_its_batch(name) -> None:
    images = [drawn((20, 30), i) for i in range(3)]
    for (_, together), (_, alone) in zip(
        levels_of(name, images), levels_of(name, images[:1]), strict=True
    ):
        assert np.array_equal(together[0], alone[0])


@every
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (2, 300), (3000, 16), (300, 2)])
@pytest.mark.parametrize("colour", [False, True])
def test_images_of_odd_sizes_come_through(name, shape, colour) -> None:
    image = drawn(shape, 5)
    pixels = in_colour(image) if colour else image
    for _, [found] in levels_of(name, [pixels]):
        assert found.shape == pixels.shape
        assert np.isfinite(found).all()
        assert found.min() >= 0
        assert found.max() <= 1


@every
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_and_white_images_stay_in_range(name, level) -> None:
    for _, [found] in levels_of(name, [np.full((24, 20), level, np.float32)]):
        assert np.isfinite(found).all()
        assert found.min() >= 0
        assert found.max() <= 1


BAD = {
    "empty": lambda _: [],
    "not ordered": lambda given: [given[1], given[0], *given[2:]],
    "backwards": lambda given: given[::-1],
    "twice": lambda given: [given[0], given[0]],
    "not a number": lambda given: [given[0], float("nan")],
    "infinite": lambda given: [given[0], float("inf")],
    "text in a list": lambda given: [given[0], "gross"],
    "text": lambda _: "gross",
    "nothing": lambda _: None,
    "true": lambda _: [True],
    "negative": lambda _: [-1],
    "nested": lambda given: [given],
    "a table": lambda given: {"level": given[0]},
}


@every_levelled
@pytest.mark.parametrize("slip", sorted(BAD))
def test_severities_that_make_no_sense_are_one_line_of_what_was_expected(name, slip) -> None:
    parameter = SEVERITIES[name]
    values = BAD[slip](steps(name))
    with pytest.raises(HipauditError) as caught:
        levels_of(name, [drawn((4, 4), 1)], **{parameter: values})
    assert f"`{parameter}`" in caught.value.expected
    assert "\n" not in str(caught.value)
    chosen = get_stress(name)
    with pytest.raises(HipauditError):  # and already when the plan asks for the price
        chosen.cost(chosen.check({parameter: values}))


@every_levelled
def test_one_severity_may_stand_without_a_list(name) -> None:
    value = steps(name)[2]
    image = drawn((12, 10), 2)
    [(told, [found])] = levels_of(name, [image], **{SEVERITIES[name]: value})
    assert told == value
    if name != "quantum_noise":
        assert np.array_equal(found, levels_of(name, [image])[2][1][0])
