"""What is measured of a map, against other implementations and planted answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from explained_models import SIDE, cases, classifier_of, scenes
from scipy.stats import spearmanr, ttest_1samp
from torch import nn
from torch.nn import functional as F

from audit.cases.case import Case
from audit.probes.explanations.means import mean_finding, mean_interval
from audit.probes.explanations.pointing import pointed
from audit.probes.explanations.removal import REMOVED, _kept, imputed, moved, removal
from audit.probes.explanations.similarity import rank_similarity
from audit.probes.gradcam.gallery import enlarged


def test_similarity_is_spearmans_over_the_cells_where_there_is_something() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 7, 7)).astype("f4")
    one[:3], two[:3] = 0, 0  # what both leave out
    expected = spearmanr(one[3:].ravel(), two[3:].ravel()).statistic
    assert rank_similarity(one, two) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("other", [np.ones((7, 7), "f4"), np.zeros((7, 7), "f4")])
def test_a_flat_map_is_like_no_other(other: np.ndarray) -> None:
    assert rank_similarity(np.arange(49, dtype="f4").reshape(7, 7), other) is None


def test_a_mean_without_repeats_has_the_t_interval_of_scipy() -> None:
    values = np.random.default_rng(1).normal(0.3, 0.2, 15)
    low, high, _ = mean_interval(values, np.arange(15))
    theirs = ttest_1samp(values, 0).confidence_interval()
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_a_mean_with_repeats_has_the_clustered_error_of_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(2)
    patients = rng.integers(0, 9, 40)
    patients = np.unique(patients, return_inverse=True)[1]
    values = rng.normal(size=9)[patients] + rng.normal(0, 0.3, 40)
    fit = api.OLS(values, np.ones(40)).fit(
        cov_type="cluster", cov_kwds={"groups": patients, "df_correction": True}, use_t=True
    )
    low, high, _ = mean_interval(values, patients)
    assert (low, high) == pytest.approx(tuple(fit.conf_int()[0]), abs=1e-9)


def test_the_clustered_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(20), 2)
    inside = 0
    for _ in range(1000):
        values = rng.normal(0, 1, 20)[patients] + rng.normal(0, 0.5, 40)
        low, high, _ = mean_interval(values, patients)
        inside += low <= 0 <= high
    assert 930 <= inside <= 970


def test_fewer_than_ten_cases_have_no_mean() -> None:
    listed = cases(12).by_id()
    found = mean_finding("faithfulness", dict.fromkeys(list(listed)[:9], 0.5), listed, {})
    assert found.value is None
    assert "fewer than 10" in str(found.reason)


def solved(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """ROAD's equations, one per missing pixel, solved all at once."""
    weights = {(a, b): 1 / 6 if 0 in (a, b) else 1 / 12 for a in (-1, 0, 1) for b in (-1, 0, 1)}
    del weights[0, 0]
    places = {tuple(place): i for i, place in enumerate(np.argwhere(~known).tolist())}
    left, right = np.eye(len(places)), np.zeros(len(places))
    for (row, column), i in places.items():
        inside = {
            (row + a, column + b): w
            for (a, b), w in weights.items()
            if 0 <= row + a < len(image) and 0 <= column + b < len(image)
        }
        for place, w in inside.items():
            share = w / sum(inside.values())
            if place in places:
                left[i, places[place]] -= share
            else:
                right[i] += share * image[place]
    out = image.copy()
    out[~known] = np.linalg.solve(left, right)
    return out


def test_imputation_is_near_the_solution_of_the_equations_of_the_paper() -> None:
    image = scenes(2, 0)[0][1]
    known = np.ones((SIDE, SIDE), bool)
    known[6:20, 8:27] = False
    known[np.random.default_rng(0).random((SIDE, SIDE)) < 0.2] = False
    found = imputed(torch.from_numpy(image)[None], torch.from_numpy(known)[None, None])
    mine, theirs = found[0, 0].numpy(), solved(image, known)
    assert np.array_equal(mine[known], image[known])
    gap = np.abs(mine - theirs)[~known]
    assert gap.mean() < 0.01
    assert gap.max() < 0.05


def relaxed(values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """The imputation written out for one image (1, 1, H, W) and its mask, bool."""
    if bool(known.all()):
        return values
    share = F.avg_pool2d(known.float(), 2, ceil_mode=True)
    coarse = F.avg_pool2d(values, 2, ceil_mode=True) / share.clamp(min=1e-9)
    below = relaxed(torch.where(share > 0, coarse, 0.0), share > 0)
    wide = F.interpolate(below, values.shape[-2:], mode="bilinear", align_corners=False)
    weights = torch.tensor([[1.0, 2, 1], [2, 0, 2], [1, 2, 1]])[None, None] / 12
    inside = F.conv2d(torch.ones_like(values), weights, padding=1)
    found = torch.where(known, values, wide)
    for _ in range(8):
        found = torch.where(known, values, F.conv2d(found, weights, padding=1) / inside)
    return found


@pytest.mark.parametrize("channels", [1, 3])
def test_many_images_are_imputed_at_once_as_each_alone(channels: int) -> None:
    rng = np.random.default_rng(4)
    x = torch.from_numpy(rng.random((channels, 37, 50)).astype("f4"))
    known = torch.from_numpy(
        rng.random((6, 1, 37, 50)) > np.linspace(0.1, 0.95, 6)[:, None, None, None]
    )
    known[0, 0, 5:30, 3:44] = False
    found = imputed(x, known)
    for image, mask in zip(found, known, strict=True):
        assert torch.equal(image[:, mask[0]], x[:, mask[0]])
        for plane, given in zip(image, x, strict=True):
            alone = relaxed((given * mask[0])[None, None], mask[None])[0, 0]
            assert torch.allclose(plane, alone, atol=1e-6)


@pytest.mark.parametrize("heat", [np.eye(4), np.zeros((3, 3)), np.arange(36.0).reshape(6, 6)])
def test_pixels_are_removed_in_order_of_the_map_and_equals_in_the_order_drawn(
    heat: np.ndarray,
) -> None:
    heat, x = heat.astype("f4"), torch.zeros(1, 23, 31)
    kept = _kept(heat, x, np.random.default_rng(5)).reshape(2, len(REMOVED), -1)
    drawn = np.random.default_rng(5).random(23 * 31)
    order = np.lexsort((drawn, -enlarged(heat, 23, 31).ravel()))
    for side, ranked in zip(kept, (order, order[::-1]), strict=True):
        for left, share in zip(side, REMOVED, strict=True):
            count = round(share * len(order))
            assert not left[ranked[:count]].any()
            assert left[ranked[count:]].all()


def test_a_moved_map_has_the_same_values_elsewhere() -> None:
    heat = np.arange(64, dtype="f4").reshape(8, 8)
    for seed in range(20):
        other = moved(heat, np.random.default_rng(seed))
        assert sorted(other.ravel()) == sorted(heat.ravel())
        row, column = divmod(int(np.flatnonzero(other.ravel() == 0)[0]), 8)
        assert max(min(row, 8 - row), min(column, 8 - column)) >= 2


class Corner(nn.Module):
    """P(fracture) is the brightness of the upper left quarter, nothing else."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = 6 * (x[:, 0, : SIDE // 2, : SIDE // 2] * 0.25).mean((1, 2)) * 4
        return torch.stack([-z, z], dim=1)


def with_quarter(rows: slice, columns: slice) -> np.ndarray:
    heat = np.zeros((8, 8), "f4")
    heat[rows, columns] = 1
    return heat


@pytest.mark.parametrize(
    ("heat", "low", "high"),
    [
        (with_quarter(slice(0, 4), slice(0, 4)), 0.02, 1.0),
        (with_quarter(slice(4, 8), slice(4, 8)), -1.0, -0.005),
    ],
)
def test_only_a_map_of_the_quarter_that_is_read_is_faithful(heat, low, high) -> None:
    model = classifier_of(Corner(), None)
    x = torch.full((1, SIDE, SIDE), 0.3)
    x[:, : SIDE // 2, : SIDE // 2] = 0.9
    found = [
        removal(model, x, 1, heat, np.random.default_rng(seed), 16).faithfulness
        for seed in range(8)
    ]
    assert low < np.mean(found) < high


@pytest.mark.parametrize(("cell", "hit"), [((1, 1), True), ((1, 3), False), ((6, 6), False)])
def test_a_map_points_at_a_box_within_the_tolerance(cell: tuple[int, int], hit: bool) -> None:
    case = Case(id="a", label="fracture", load=lambda: np.zeros((SIDE, SIDE), "f4"),
                shape=(SIDE, SIDE), boxes=((2, 2, 7, 7),))  # fmt: skip
    heat = np.zeros((8, 8), "f4")
    heat[cell] = 1
    found = pointed(case, heat, classifier_of(nn.Identity(), None))
    assert found.hit is hit
    assert not found.centre
    assert found.area > 25 / SIDE**2
