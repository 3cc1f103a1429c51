"""Several candidates of a search at once: each is tried once, in order, and nothing changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.attempt import Sight, stressed_rows
from audit.cases.case import Case
from audit.stresses.candidates import at_once, up_to_the_first
from audit.stresses.registry import Batch, get_stress
from tests.toys import balanced_net, classifier_of

SIDE = 30


def batch_with(cases: int, room: int) -> Batch:
    x = torch.zeros(cases, 1, 4, 4)
    return Batch(x, torch.zeros(cases), [np.random.default_rng(0)] * cases, room=room)


def test_one_case_is_tried_with_twice_as_many_each_time_until_the_room_is_full() -> None:
    handed = [list(turn) for _, turn in at_once(batch_with(1, 8), range(27))]
    assert [len(turn) for turn in handed] == [1, 2, 4, 8, 8, 4]
    assert [number for turn in handed for number in turn] == list(range(27))


def test_a_stress_by_itself_gives_one_candidate_at_a_time() -> None:
    batch = Batch(torch.zeros(3, 1, 4, 4), torch.zeros(3), [np.random.default_rng(0)] * 3)
    assert [len(turn) for _, turn in at_once(batch, range(4))] == [1, 1, 1, 1]


def test_the_room_is_shared_by_those_still_open() -> None:
    batch, handed = batch_with(6, 8), []
    for rows, turn in at_once(batch, range(40)):
        handed.append((rows, len(turn)))
        batch.open[6 - len(handed) :] = False  # one fewer each time
    assert handed == [
        ([0, 1, 2, 3, 4, 5], 1), ([0, 1, 2, 3, 4], 1), ([0, 1, 2, 3], 2), ([0, 1, 2], 2),
        ([0, 1], 4), ([0], 8),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_what_counts_is_what_one_at_a_time_would_have_tried(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, fooled = rng.integers(0, 4, 30).tolist(), rng.random(30) < 0.2
    open_ = set(range(4))
    by_hand = []
    for place in range(30):
        if rows[place] in open_:
            by_hand.append(place)
            if fooled[place]:
                open_.remove(rows[place])
    assert up_to_the_first(rows, fooled) == by_hand


def tried_alone(net, x, y, params) -> list[tuple[int, tuple[float, ...], bool]]:
    """Case by case and cell by cell, each image by itself: (case, cell, fooled)."""
    stress, rows = get_stress("rotation_translation"), []
    for case, (image, truth) in enumerate(zip(x, y, strict=True)):
        batch = Batch(image[None], truth[None], [np.random.default_rng(0)])
        for altered in stress.perturb(classifier_of(net, SIDE, SIDE), batch, **params):
            with torch.no_grad():
                fooled = bool(net(altered.images).argmax(1)[0] != truth)
            (variant,) = altered.variants
            rows.append((case, tuple(variant.values()), fooled))
            if fooled:
                break
    return rows


@pytest.mark.parametrize("size", [1, 5, 16, 64])
def test_the_engine_records_the_same_cells_however_many_it_looks_at_together(size: int) -> None:
    net, x, y = balanced_net(12, SIDE)
    classifier = classifier_of(net, SIDE, SIDE)
    names = classifier.classes
    cases = [
        Case(id=str(i), label=names[int(label)], load=lambda image=image: image[0].numpy())
        for i, (image, label) in enumerate(zip(x, y, strict=True))
    ]
    stress = get_stress("rotation_translation")
    params = stress.check({"mode": "grid", "angles": 5, "shifts": 3})
    quiet = {"seed": 0, "batch_size": size, "say": lambda _: None}
    rows = stressed_rows(stress, params, Sight.alone(classifier), cases, [True] * 12, **quiet)
    ours = [
        (int(case), tuple(rows.variants[variant].values()), success == 1)
        for case, variant, success in zip(rows.case, rows.variant, rows.success, strict=True)
    ]
    theirs = tried_alone(net, x, y, params)
    assert sorted(ours) == sorted(theirs)
    assert 2 < sum(fooled for *_, fooled in theirs) < 12
    for found, variant in zip(rows.found, rows.variant, strict=True):
        assert found["angle"] == rows.variants[variant]["angle"]
