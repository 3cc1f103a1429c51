"""Where a pixel reaches, against what changes when it is changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from audit.speed.local_boxes import Window, pixel, through, union

WINDOWS = [
    Window(3, 1, 1),
    Window(3, 2, 1),
    Window(11, 4, 2),
    Window(2, 2, 0),
    Window(3, 3, 0),
    Window(1, 2, 0),
    Window(1, 1, 1),
    Window(2, 3, 0),
]


def changed(windows, size, place):
    """Positions that differ behind the windows when a pixel does; kernels of ones never cancel."""
    line = torch.zeros(1, 1, size)
    line[..., place] = 1.0
    for w in windows:
        line = F.conv1d(line, torch.ones(1, 1, w.kernel), None, w.stride, w.padding, w.dilation)
    return np.flatnonzero(line[0, 0].numpy())


def followed(windows, size):
    axis = pixel(size)
    for w in windows:
        size = (size + 2 * w.padding - w.reach - 1) // w.stride + 1
        axis = through(axis, w, size)
    return axis


@pytest.mark.parametrize("size", [23, 24, 31])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_one_layer_reaches_from_the_first_to_the_last_changed_position(window, size):
    axis = followed([window], size)
    for place in range(size):
        positions = changed([window], size, place)
        if len(positions):
            assert (axis.low[place], axis.high[place]) == (positions[0], positions[-1])


@pytest.mark.parametrize("size", [40, 47])
def test_what_changes_behind_many_layers_lies_in_the_kept_stretch(size):
    windows = [Window(7, 2, 3), Window(3, 2, 1), Window(3, 1, 2, 2), Window(2, 2, 0)]
    axis = followed(windows, size)
    assert axis.width < axis.size
    for place in range(size):
        positions = changed(windows, size, place)
        assert axis.start[place] >= 0
        assert axis.start[place] + axis.width <= axis.size
        assert axis.start[place] <= positions[0]
        assert positions[-1] < axis.start[place] + axis.width


def test_a_union_covers_every_branch():
    branches = [followed([Window(1)], 20), followed([Window(3, 1, 1)], 20)]
    both = union(branches)
    assert both.low.tolist() == branches[1].low.tolist()
    assert both.high.tolist() == branches[1].high.tolist()
