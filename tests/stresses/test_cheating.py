"""Stresses that cheat: each is caught by name, and none of them makes a number."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import PlannedRun, Results
from audit.stresses.registry import STRESSES, Altered, Attackable, Batch, load_stresses, stress
from tests.doubles import Brightness, cases_of, classifier_of

LEVELS = [0.1, 0.2, 0.3, 0.7, 0.8, 0.9]
EPSILON = 0.05
Cheat = Callable[[Attackable, Batch], Iterator[Altered]]


@pytest.fixture
def planted() -> Iterator[Callable[..., str]]:
    """Register a cheat as "planted"; gone again afterwards."""
    load_stresses()

    def plant(cheat: Cheat, **told: Any) -> str:
        @stress("planted", kind="attack", **{"norm": "linf", "budget": lambda *_: EPSILON, **told})
        def perturb(model: Attackable, batch: Batch) -> Iterator[Altered]:
            yield from cheat(model, batch)

        return "planted"

    yield plant
    STRESSES.pop("planted", None)


def audit(name: str, folder: Path) -> tuple[Results, PlannedRun]:
    options = AuditOptions(
        preset="ci", stresses=(name,), defences=("none",), probes=(), batch_size=4
    )
    results = conduct(classifier_of(Brightness()), cases_of(LEVELS), folder, options, notes=())
    (run,) = [run for run in results.plan.runs if run.stress == name]
    return results, run


def moved(amount: float) -> Cheat:
    return lambda _, batch: iter([Altered({}, (batch.x + amount).float())])


def only(images: Callable[[Tensor], Any], **told: Any) -> Cheat:
    return lambda _, batch: iter([Altered({}, images(batch.x), **told)])


def one_pixel_too_many(x: Tensor) -> Tensor:
    altered = x.clone()
    altered[:, :, 0, :2] = 1 - altered[:, :, 0, :2]
    return altered


def coloured(x: Tensor) -> Tensor:
    tinted = x.repeat(1, 3, 1, 1)
    tinted[:, 0] += 0.02
    return tinted


CAUGHT: dict[str, tuple[Cheat, dict[str, Any], str]] = {
    "beyond the radius": (moved(0.051), {}, "expected linf <= 0.05, found 0.051"),
    "beyond the Euclidean radius": (
        moved(0.01), {"norm": "l2"}, "expected l2 <= 0.05, found 0.08",  # 8 × 8 pixels: 8 × 0.01
    ),
    "one pixel too many": (
        only(one_pixel_too_many), {"norm": "l0", "budget": lambda *_: 1.0},
        "expected l0 <= 1, found 2",
    ),
    "darker than black": (moved(-0.2), {"budget": None}, "expected pixels in [0, 1], found -0.1"),
    "brighter than white": (moved(0.2), {"budget": None}, "expected pixels in [0, 1]"),
    "colour on a grey image": (only(coloured), {"budget": None}, "expected (4, 1, 8, 8) float32"),
    "NaN": (only(lambda x: x * torch.nan), {}, "altered images are not finite"),
    "another size": (only(lambda x: x[..., :-1]), {}, "expected (4, 1, 8, 8) float32"),
    "another type": (only(lambda x: x.double()), {}, "torch.float64"),
    "fewer images than rows": (only(lambda x: x[:1]), {}, "expected (4, 1, 8, 8) float32"),
    "queries of other images": (only(lambda x: x, queries=[1]), {}, "queries has 1 entries"),
    "variants of other images": (
        only(lambda x: x, variants=[{"draw": 0}]), {"variants": "search"}, "variants has 1 entries",
    ),
    "one case twice at one level": (
        only(lambda x: x[[0, 0]], rows=[0, 0]), {}, "a case has one image per variant",
    ),
    "several variants at once outside a search": (
        only(lambda x: x, variants=[{"draw": row} for row in range(4)]), {},
        "a case has one image per variant",
    ),
    "one of several variants beyond its radius": (
        only(lambda x: x + 0.03, variants=[{"draw": row} for row in range(4)]),
        {"variants": "search", "budget": lambda _, variant: 0.05 - 0.01 * variant["draw"]},
        "expected linf <= 0.02, found 0.03",
    ),
    "native pictures of another domain": (
        only(lambda x: [np.zeros((8, 8), np.float32)] * len(x)), {}, "gave native images",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CAUGHT))
def test_an_altered_image_that_breaks_the_rules_fails_its_run_by_name(
    name: str, planted, tmp_path
) -> None:
    cheat, told, said = CAUGHT[name]
    results, run = audit(planted(cheat, **told), tmp_path / "out")
    assert run.state == "failed"
    assert run.reason is not None
    assert "planted" in run.reason
    assert said in run.reason
    numbers = results.find("robust_accuracy", stress="planted", group={}, contrast=None)
    assert {(f.value, f.reason) for f in numbers} == {(None, run.reason)}


def success(results: Results) -> tuple[int | None, int]:
    (found,) = results.find("attack_success", stress="planted", group={}, contrast=None)
    return found.events, found.n


def test_a_claim_of_success_counts_for_nothing(planted, tmp_path) -> None:
    claim = {"success": True, "success_8bit": True, "fooled": 1}
    cheat: Cheat = lambda _, b: iter([Altered({}, b.x, found=[claim] * len(b.y))])  # noqa: E731
    results, run = audit(planted(cheat), tmp_path / "out")
    assert run.state == "done"
    assert success(results) == (0, 6)


def test_a_stress_that_rewrites_the_truth_changes_no_success(planted, tmp_path) -> None:
    def forger(_: Attackable, batch: Batch) -> Iterator[Altered]:
        batch.y[:] = 1 - batch.y
        yield Altered({}, batch.x)

    results, run = audit(planted(forger), tmp_path / "out")
    assert run.state == "done"
    assert success(results) == (0, 6)


def test_a_stress_that_rewrites_the_originals_is_held_to_the_true_ones(planted, tmp_path) -> None:
    def forger(_: Attackable, batch: Batch) -> Iterator[Altered]:
        batch.x[:] = 1 - batch.x
        yield Altered({}, batch.x)

    _, run = audit(planted(forger), tmp_path / "out")
    assert run.state == "failed"
    assert "expected linf <= 0.05" in str(run.reason)


def test_a_success_that_rounding_to_8_bits_undoes_is_counted_apart(planted, tmp_path) -> None:
    """The boundary is a mean of 127.5 levels. Bright cases get a third of 126.6 and the rest
    127.6: mean 127.27, wrong; rounded to 127 and 128 the mean is 127.67, right again. Dark cases
    get 140 levels, wrong either way."""

    def near(_: Attackable, batch: Batch) -> Iterator[Altered]:
        images = torch.full_like(batch.x, 140 / 255)
        mixed = torch.full((batch.x[0].numel(),), 127.6 / 255)
        mixed[: len(mixed) // 3 + 1] = 126.6 / 255
        images[batch.y == 0] = mixed.view_as(batch.x[0])
        yield Altered({}, images)

    results, run = audit(planted(near, budget=None), tmp_path / "out")
    assert run.state == "done"
    assert success(results) == (6, 6)
    (rounded,) = results.find("attack_success_8bit", stress="planted", group={}, contrast=None)
    assert (rounded.events, rounded.n) == (3, 6)


def test_of_several_candidates_at_once_only_those_up_to_the_first_that_fools_count(
    planted, tmp_path
) -> None:
    """Bright and dark cases alike: as they are, turned round (wrong), as they are, turned round."""

    def several(_: Attackable, batch: Batch) -> Iterator[Altered]:
        rows = [int(row) for row in np.flatnonzero(batch.open)] * 4
        images = torch.cat([batch.x, 1 - batch.x] * 2)
        variants = [{"draw": draw} for draw in range(4) for _ in batch.y]
        yield Altered({}, images, rows, queries=[1] * len(rows), variants=variants)

    results, run = audit(planted(several, budget=None, variants="search"), tmp_path / "out")
    assert run.state == "done"
    assert success(results) == (6, 6)
    with (tmp_path / "out" / "predictions.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["stress"] == "planted"]
    assert sorted(row["variant"] for row in rows) == ["draw=0"] * 6 + ["draw=1"] * 6


def test_a_search_that_keeps_silent_about_cases_makes_no_number(planted, tmp_path) -> None:
    cheat: Cheat = lambda _, b: iter([Altered({}, b.x[:1], rows=[0])])  # noqa: E731
    results, _ = audit(planted(cheat, variants="search"), tmp_path / "out")
    (found,) = results.find("attack_success", stress="planted", group={}, contrast=None)
    assert found.value is None
    assert "no result for 4 of 6 cases" in str(found.reason)  # batches of 4 and 2, one row each
