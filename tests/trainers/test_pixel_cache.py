"""Stored pixels: what was decoded, once, privately, whole or made anew, in bounded memory."""

from __future__ import annotations

import errno
import os
import tempfile
import tracemalloc

import cv2
import numpy as np
import pytest
import torch

from audit.cases.case import Case, Cases
from audit.classifier import prepare_pixels
from audit.errors import HipauditError
from audit.results import DataDescription, Preparation
from trainers.pixels.ahead import ahead
from trainers.pixels.batches import Batches, Ready
from trainers.pixels.cache import frame, shrunk, store_pixels
from trainers.pixels.stored import open_images

WAY = Preparation(height=16, width=16)


class Loads:
    """`Case.load` that counts how often it is asked."""

    def __init__(self, pixels):
        self.pixels, self.count = pixels, 0

    def __call__(self):
        self.count += 1
        return self.pixels


def eight_bit(height, width, seed, channels=()):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, *channels))
    return (values / 255).astype(np.float32)


def cases_of(images):
    found = [
        Case(id=f"{n:016x}", label="ab"[n % 2], load=Loads(image), shape=image.shape)
        for n, image in enumerate(images)
    ]
    return Cases(found, DataDescription(layout="toy", cases=len(found)))


def some():
    return cases_of([eight_bit(70, 50, 1), eight_bit(40, 90, 2), eight_bit(20, 24, 3)])


def files(folder):
    return sorted(folder.glob("pixels-*.bin"))


def test_shrinking_by_a_whole_number_is_the_mean_of_blocks():
    found = shrunk(eight_bit(128, 128, 0), WAY)
    theirs = eight_bit(128, 128, 0).reshape(32, 4, 32, 4).mean((1, 3))
    np.testing.assert_allclose(found[0], theirs, atol=1e-6)


@pytest.mark.parametrize("size", [(140, 101), (70, 211), (99, 99)])
def test_shrinking_is_near_opencvs_area_average(size):
    image = cv2.GaussianBlur(eight_bit(*size, 0), (0, 0), 2)
    found = shrunk(image, WAY)[0]
    theirs = cv2.resize(image, found.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(found - theirs).mean() < 0.01


@pytest.mark.parametrize(
    ("resize", "size"),
    [("crop", (32, 64)), ("squish", (32, 64)), ("pad", (16, 32))],
)
def test_the_room_left_is_twice_the_input_at_the_images_own_aspect(resize, size):
    way = WAY.model_copy(update={"resize": resize})
    assert shrunk(eight_bit(160, 320, 0), way).shape == (1, *size)


def test_an_image_smaller_than_the_room_is_not_enlarged():
    image = eight_bit(20, 24, 3)
    np.testing.assert_array_equal(shrunk(image, WAY)[0], image)


def test_an_eight_bit_image_that_fits_is_stored_without_loss_in_eight_bits(tmp_path):
    cases = cases_of([eight_bit(20, 24, 3)])
    stored = store_pixels(cases, WAY, "roomy", folder=tmp_path)
    assert stored.image(0).dtype == np.uint8
    np.testing.assert_array_equal(stored.image(0)[0], np.rint(cases[0].load() * 255))


def test_a_deeper_image_keeps_its_grey_levels_to_a_65535th():
    deep = (np.arange(30 * 30).reshape(30, 30) / 4095).astype(np.float32)  # 12 bits
    stored = store_pixels(cases_of([deep, eight_bit(30, 30, 1)]), WAY, "roomy")
    assert stored.image(0).dtype == np.uint16
    batch = stored.batch([0, 1])
    np.testing.assert_allclose(batch[0, 0], deep, atol=1 / 65535)
    np.testing.assert_allclose(batch[1, 0], eight_bit(30, 30, 1), atol=1e-6)


@pytest.mark.parametrize("resize", ["crop", "squish", "pad"])
def test_validation_reads_exactly_what_the_audit_prepares(tmp_path, resize):
    way = WAY.model_copy(update={"resize": resize})
    cases = some()
    stored = store_pixels(cases, way, "prepared", folder=tmp_path)
    for row, case in enumerate(cases):
        assert torch.equal(stored.batch([row])[0], prepare_pixels(case.load(), way))


def test_grey_stays_one_channel_and_joins_colour_as_three():
    grey, colour = eight_bit(32, 32, 1), eight_bit(32, 32, 2, (3,))
    assert store_pixels(cases_of([grey, grey]), WAY, "roomy").batch([0, 1]).shape[1] == 1
    mixed = store_pixels(cases_of([grey, colour]), WAY, "roomy").batch([0, 1])
    for channel in range(3):
        np.testing.assert_array_equal(mixed[0, channel], np.rint(grey * 255))
        np.testing.assert_array_equal(mixed[1, channel], np.rint(colour[..., channel] * 255))


def test_every_case_is_decoded_once_and_never_again(tmp_path):
    cases = some()
    store_pixels(cases, WAY, "roomy", folder=tmp_path)
    again = store_pixels(cases, WAY, "roomy", folder=tmp_path)
    assert [case.load.count for case in cases] == [1, 1, 1]
    assert len(again) == 3


def test_other_cases_or_another_preparation_are_other_files(tmp_path):
    cases = some()
    store_pixels(cases, WAY, "roomy", folder=tmp_path)
    store_pixels(cases, WAY, "prepared", folder=tmp_path)
    store_pixels(cases, WAY.model_copy(update={"height": 20}), "roomy", folder=tmp_path)
    store_pixels(Cases(list(cases)[:2], cases.description), WAY, "roomy", folder=tmp_path)
    assert len(files(tmp_path)) == 4


def test_the_file_is_private_in_a_private_folder_and_names_no_case(tmp_path):
    folder = tmp_path / "private"
    folder.mkdir(mode=0o755)
    cases = some()
    store_pixels(cases, WAY, "roomy", folder=folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in files(folder)] == [0o600]
    content = files(folder)[0].read_bytes()
    assert not any(case.id.encode() in content for case in cases)


def spoilt(path, how):
    content = bytearray(path.read_bytes())
    if how == "truncated":
        del content[-40:]
    elif how == "a pixel changed":
        content[40] ^= 1
    elif how == "index changed":
        content[-60] ^= 1
    elif how == "another file":
        content = bytearray(b"something else" * 20)
    else:
        content = bytearray()
    path.write_bytes(content)


@pytest.mark.parametrize(
    "how", ["truncated", "a pixel changed", "index changed", "another file", "empty"]
)
def test_a_damaged_file_is_noticed_made_anew_and_said(tmp_path, how):
    cases, said = some(), []
    before = store_pixels(cases, WAY, "roomy", folder=tmp_path).image(1).copy()
    spoilt(files(tmp_path)[0], how)

    class Listens:
        def run(self, *args): ...
        def note(self, text):
            said.append(text)

    again = store_pixels(cases, WAY, "roomy", folder=tmp_path, progress=Listens())
    np.testing.assert_array_equal(again.image(1), before)
    assert [case.load.count for case in cases] == [2, 2, 2]
    assert said == ["Stored pixels of the data were damaged; they are decoded again."]


def test_a_file_of_other_images_under_this_name_is_not_taken(tmp_path):
    cases = some()
    store_pixels(cases, WAY, "roomy", folder=tmp_path)
    assert open_images(files(tmp_path)[0], "another key") is None


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HipauditError, match=r"No space left.*free space") as caught:
        store_pixels(some(), WAY, "roomy", folder=tmp_path / "private")
    assert str(tmp_path) not in str(caught.value)
    assert list((tmp_path / "private").iterdir()) == []


def test_without_a_folder_a_full_disk_says_where_to_find_room(monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(HipauditError, match=r"No space left.*TMPDIR"):
        store_pixels(some(), WAY, "roomy")


def test_an_interrupt_leaves_no_half_file(tmp_path):
    cases = some()
    list(cases)[1].load.__class__ = Stops
    with pytest.raises(KeyboardInterrupt):
        store_pixels(cases, WAY, "roomy", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


class Stops(Loads):
    def __call__(self):
        raise KeyboardInterrupt


def test_storing_and_reading_hold_a_few_images_and_not_the_data(tmp_path, monkeypatch):
    """60 images of 1 MB as float32 and 256 KB stored: 60 and 15 MB in all."""

    class Makes:
        def __init__(self, seed):
            self.seed = seed

        def __call__(self):
            return eight_bit(512, 512, self.seed)

    monkeypatch.setattr("trainers.pixels.cache.DECODERS", 2)  # each holds an image or two
    way = Preparation(height=256, width=256)
    found = [
        Case(id=f"{n:016x}", label="ab"[n % 2], load=Makes(n), shape=(512, 512)) for n in range(60)
    ]
    cases = Cases(found, DataDescription(layout="toy", cases=60))
    store_pixels(Cases(found[:2], cases.description), way, "roomy")  # imports are not counted
    tracemalloc.start()
    stored = store_pixels(cases, way, "roomy", folder=tmp_path)
    for start in range(0, 60, 4):
        assert stored.batch(range(start, start + 4)).shape == (4, 1, 512, 512)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert files(tmp_path)[0].stat().st_size > 15e6
    assert peak < 60e6 / 3


def test_frames_are_those_the_audit_resizes_to():
    """`prepare_pixels` crops a window of the frame: a ramp shows how large that frame was."""
    for height, width in [(100, 160), (333, 210), (64, 64)]:
        tall, wide = frame(height, width, WAY)
        assert min(tall, wide) == 16
        ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
        step = np.diff(prepare_pixels(ramp, WAY)[0].numpy(), axis=1)[:, 4:-4].mean()
        assert step == pytest.approx(1 / wide, rel=0.1)


def test_training_batches_show_the_image_where_nothing_is_drawn(tmp_path):
    """With a look that only crops, a batch is the image shrunk to the input's size."""
    from trainers.pixels.looks import Looks

    image = cv2.GaussianBlur(eight_bit(64, 64, 1), (0, 0), 4)
    cases = cases_of([np.rint(image * 255).astype(np.float32) / np.float32(255)])
    stored = store_pixels(cases, WAY, "roomy")
    batches = Batches(stored, WAY, "study", True, torch.device("cpu"))
    rows = torch.tensor([0])
    eye = torch.eye(3)[None]
    seen = batches.see(Ready(rows, stored.batch([0]), stored.sizes, Looks(eye, eye)))
    assert seen.shape == (1, 1, 16, 16)
    np.testing.assert_allclose(seen[0, 0], prepare_pixels(image, WAY)[0], atol=0.02)


def test_batches_repeat_with_their_draws():
    cases = some()
    stored = store_pixels(cases, WAY, "roomy")
    batches = Batches(stored, WAY, "study", True, torch.device("cpu"))
    rows = torch.tensor([2, 0, 1, 0])

    def seen(seed):
        return batches.see(batches.ready(rows, torch.Generator().manual_seed(seed)))

    assert torch.equal(seen(1), seen(1))
    assert not torch.equal(seen(1), seen(2))
    assert seen(1).shape == (4, 1, 16, 16)


def test_reading_ahead_keeps_the_order_and_never_runs_further_than_told():
    begun, taken = [], []

    def work(item):
        begun.append(item)
        return item * 10

    for result in ahead(work, range(20), workers=3, waiting=4):
        assert len(begun) <= len(taken) + 5
        taken.append(result)
    assert taken == [item * 10 for item in range(20)]


def test_what_goes_wrong_ahead_is_raised_in_its_turn():
    def work(item):
        return 1 // (2 - item)

    found = ahead(work, range(5))
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(found)
