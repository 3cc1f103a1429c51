"""The engine against classifiers whose answer to every stress is known by hand."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from doubles import Brightness, cases_of, classifier_of
from torch import nn

from audit.cases.case import Cases
from audit.engine import execute, shards
from audit.errors import HipauditError
from audit.evidence import Predictions
from audit.options import AuditOptions
from audit.plan import Run, equal_share, make_plan, within
from audit.results import PlannedRun
from audit.store import Store
from audit.stresses.registry import STRESSES, Altered, stress

LEVELS = [0.30, 0.40, 0.46, 0.48, 0.52, 0.54, 0.60, 0.70, 0.505, 0.495]


@pytest.fixture
def darken() -> Iterator[list[int]]:
    """A registered attack that darkens by 0.01 and 0.05, and counts the images it was given."""
    seen: list[int] = []

    @stress("darken", kind="attack", norm="linf", budget=lambda params, v: v["epsilon"])
    def perturb(model, batch, *, amounts=(0.01, 0.05)):
        seen.append(len(batch.x))
        for amount in amounts:
            yield Altered({"epsilon": amount}, (batch.x - amount).clamp(0, 1))

    yield seen
    del STRESSES["darken"]


def plan_for(names: tuple[str, ...], cases: Cases, **options: object) -> list[Run]:
    chosen = AuditOptions(preset="ci", stresses=names, defences=("none",), **options)
    return make_plan(classifier_of(Brightness()), cases, chosen)


def carry_out(tmp_path, cases, runs, batch_size=4, module=None) -> Predictions:
    module = module or Brightness()
    return execute(
        runs, classifier_of(module), cases, Store(tmp_path), seed=1, batch_size=batch_size
    )


def test_an_attack_succeeds_exactly_where_the_decision_boundary_lies_within_its_budget(
    tmp_path, darken
):
    cases = cases_of(LEVELS)
    table = carry_out(tmp_path, cases, plan_for(("darken",), cases))
    rows = table.runs[1].rows
    brightness = {
        s.id: round(float(c.load()[0, 0]), 3) for s, c in zip(table.subjects, cases, strict=True)
    }
    fooled = {
        (brightness[table.subjects[c].id], rows.variants[v]["epsilon"])
        for c, v, s in zip(rows.case, rows.variant, rows.success, strict=True)
        if s == 1
    }
    assert fooled == {(0.505, 0.01), (0.505, 0.05), (0.52, 0.05), (0.54, 0.05)}


def test_a_success_that_does_not_survive_eight_bits_is_told_apart(tmp_path):
    @stress("hair", kind="attack", norm="linf", budget=lambda params, v: 0.002)
    def perturb(model, batch):
        yield Altered({"epsilon": 0.001}, (batch.x - 0.001).clamp(0, 1))

    try:
        # 0.502 lies above the boundary 0.5015, 0.501 below it, and 0.501 rounds to 128/255 above
        cases = cases_of([0.502, 0.2])
        runs = plan_for(("hair",), cases)
        rows = carry_out(tmp_path, cases, runs, module=Brightness(boundary=0.5015)).runs[1].rows
    finally:
        del STRESSES["hair"]
    by_success = sorted(zip(rows.success.tolist(), rows.success_8bit.tolist(), strict=True))
    assert by_success == [(0, 0), (1, 0)]


def test_only_correctly_decided_cases_are_attacked(tmp_path, darken):
    cases = cases_of([0.6, 0.7, 0.3], labels=["fracture", "normal", "normal"])
    table = carry_out(tmp_path, cases, plan_for(("darken",), cases))
    assert sum(darken) == 2
    assert len(table.runs[1].sample) == 3
    assert len(set(table.runs[1].rows.case.tolist())) == 2


@pytest.mark.parametrize("batch_size", [1, 3, 10])
def test_rows_do_not_depend_on_the_batch_size(tmp_path, batch_size):
    cases = cases_of(LEVELS)
    runs = plan_for(("rotation_translation", "fgsm"), cases)
    reference = carry_out(tmp_path / "a", cases, runs, batch_size=4)
    other = carry_out(tmp_path / "b", cases, runs, batch_size=batch_size)
    for one, two in zip(reference.runs, other.runs, strict=True):
        assert one.run.state == "done", one.run.reason
        np.testing.assert_allclose(one.rows.logits, two.rows.logits, atol=1e-4)
        np.testing.assert_array_equal(one.rows.success, two.rows.success)
        assert one.rows.variants == two.rows.variants
        np.testing.assert_array_equal(one.rows.case, two.rows.case)


@pytest.mark.parametrize(("gradients", "at_a_time"), [(False, 8), (True, 1)])
def test_only_a_gradient_through_eight_views_makes_the_batch_smaller(
    tmp_path, gradients, at_a_time
):
    given: list[int] = []

    @stress("watch", kind="attack", norm="linf", needs_gradients=gradients, budget=lambda *_: 1.0)
    def perturb(model, batch):
        given.append(len(batch.x))
        yield Altered({}, batch.x)

    cases = cases_of([0.6, 0.7, 0.8, 0.9] * 4, labels=["fracture"] * 16)
    chosen = AuditOptions(preset="ci", stresses=("watch",), defences=("tta",))
    try:
        carry_out(tmp_path, cases, make_plan(classifier_of(Brightness()), cases, chosen), 8)
    finally:
        del STRESSES["watch"]
    assert min(given) == at_a_time  # without the defence it is 8 anyway


def test_a_second_execution_reads_every_unit_and_attacks_nothing(tmp_path, darken):
    cases = cases_of(LEVELS)
    runs = plan_for(("darken",), cases)
    first = carry_out(tmp_path, cases, runs)
    calls = len(darken)
    second = carry_out(tmp_path, cases, runs)
    assert len(darken) == calls > 0
    np.testing.assert_array_equal(first.runs[1].rows.logits, second.runs[1].rows.logits)
    assert first.runs[1].run == second.runs[1].run


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "swap"])
def test_a_damaged_unit_is_computed_again_with_the_same_result(tmp_path, darken, damage):
    cases = cases_of(LEVELS)
    runs = plan_for(("darken",), cases)
    first = carry_out(tmp_path, cases, runs)
    units = sorted(tmp_path.glob("*.unit"))
    contents = [unit.read_bytes() for unit in units]
    for unit, content in zip(units, contents, strict=True):
        flipped = bytearray(content)
        flipped[len(content) // 2] ^= 1
        unit.write_bytes(
            {
                "flip": bytes(flipped),
                "truncate": content[:-7],
                "empty": b"",
                "swap": contents[0] if unit != units[0] else contents[-1],
            }[damage]
        )
    second = carry_out(tmp_path, cases, runs)
    np.testing.assert_array_equal(first.runs[1].rows.success, second.runs[1].rows.success)
    assert [unit.read_bytes() for unit in units] == contents


def test_other_weights_are_another_unit(tmp_path, darken):
    cases = cases_of(LEVELS)
    runs = plan_for(("darken",), cases)
    carry_out(tmp_path, cases, runs)
    calls = len(darken)
    carry_out(tmp_path, cases, runs, module=Brightness(steep=11.0))
    assert len(darken) > calls


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda x: x + 1, "pixels in [0, 1]"),
        (lambda x: x * float("nan"), "not finite"),
        (lambda x: x[:, :, :-1], "float32"),
        (lambda x: (x - 0.2).clamp(0, 1), "linf <= 0.1"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_stress_that_breaks_its_contract_is_a_named_failure(tmp_path, spoil, reason):
    @stress("broken", kind="attack", norm="linf", budget=lambda params, v: 0.1)
    def perturb(model, batch):
        yield Altered({"epsilon": 0.1}, spoil(batch.x))

    try:
        cases = cases_of(LEVELS)
        evidence = carry_out(tmp_path, cases, plan_for(("broken",), cases)).runs[1]
    finally:
        del STRESSES["broken"]
    assert evidence.run.state == "failed"
    assert reason in str(evidence.run.reason)
    assert len(evidence.rows) == 0


class Nan(nn.Module):
    def forward(self, x):
        return torch.full((len(x), 2), float("nan"))


def test_a_classifier_that_answers_nan_is_never_correct(tmp_path, darken):
    cases = cases_of(LEVELS)
    table = carry_out(tmp_path, cases, plan_for(("darken",), cases), module=Nan())
    assert not table.clean_correct().any()
    assert len(table.runs[1].rows) == 0


def test_a_batch_that_does_not_fit_in_memory_is_halved(tmp_path, darken):
    class Small(Brightness):
        def forward(self, x):
            if len(x) > 2:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return super().forward(x)

    cases = cases_of(LEVELS)
    runs = plan_for(("darken",), cases)
    tight = carry_out(tmp_path / "a", cases, runs, batch_size=8, module=Small())
    roomy = carry_out(tmp_path / "b", cases, runs, batch_size=8)
    assert tight.runs[1].run.state == "done"
    np.testing.assert_array_equal(tight.runs[1].rows.success, roomy.runs[1].rows.success)


SEARCHES = {
    "one_pixel": {"population": 40, "generations": 1, "queries": 60},  # an image's own scorer
    "one_pixel_seeded": {"population": 8, "generations": 3, "queries": 32, "seeds": 2},
    "sparse_rs": {"pixels": (1, 3), "queries": 20},
    "square": {"queries": 9},
}


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(
    "said", ["CUDA out of memory. Tried to allocate 2 GiB", "CUBLAS_STATUS_ALLOC_FAILED"]
)
def test_candidates_of_a_search_that_do_not_fit_in_memory_are_halved_too(tmp_path, name, said):
    class Small(Brightness):
        def forward(self, x):
            if len(x) > 2:
                raise RuntimeError(said)
            return super().forward(x)

    cases = cases_of(LEVELS)
    runs = plan_for((name,), cases, params=SEARCHES)
    tight = carry_out(tmp_path / "a", cases, runs, batch_size=8, module=Small()).runs[1]
    roomy = carry_out(tmp_path / "b", cases, runs, batch_size=8).runs[1]
    assert (tight.run.state, len(tight.rows)) == ("done", len(roomy.rows))
    np.testing.assert_array_equal(tight.rows.queries, roomy.rows.queries)
    np.testing.assert_array_equal(tight.rows.success, roomy.rows.success)
    np.testing.assert_allclose(tight.rows.logits, roomy.rows.logits, atol=1e-5)


def test_shards_partition_the_cases_and_grow_with_the_cost():
    ids = tuple(f"{i:016x}"[::-1] for i in range(500))
    planned = PlannedRun(id="r", stress="fgsm", kind="attack", sample=500, of=500)
    cheap, dear = (shards(Run(planned, ids, {}, cost)) for cost in (1.0, 1e4))
    assert len(cheap) == 1
    assert len(dear) == 256
    assert sorted(i for shard in dear for i in shard) == sorted(ids)


def test_a_time_limit_cuts_the_dear_runs_and_leaves_the_cheap_ones_whole(darken):
    cases = cases_of([0.3, 0.7] * 100)
    runs = plan_for(("darken", "one_pixel"), cases)
    cut = within(runs, cases, seconds=100.0, limit=60.0, seed=0)
    assert cut[:2] == runs[:2]
    assert 8 <= len(cut[2].cases) < len(runs[2].cases)
    assert "time limit" in cut[2].planned.rule
    per_forward = 100.0 / sum(run.forwards for run in runs)
    assert 58.0 < sum(run.forwards for run in cut) * per_forward <= 60.0


@pytest.mark.parametrize("budget", [0.5, 3.0, 30.0, 500.0])
def test_equal_shares_use_the_budget_and_no_more(budget):
    costs = [1.0, 2.0, 40.0, 40.0, 200.0]
    share = equal_share(costs, budget)
    assert sum(min(cost, share) for cost in costs) == pytest.approx(min(budget, sum(costs)))


def test_a_sample_is_proportional_to_the_labels_and_nested():
    cases = cases_of([0.7] * 20 + [0.3] * 80)
    labels = {case.id: case.label for case in cases}
    small, large = (
        plan_for(("fgsm",), cases, max_samples=size, seed=3)[0].cases for size in (10, 50)
    )
    assert sum(labels[i] == "fracture" for i in small) == 2
    assert sum(labels[i] == "fracture" for i in large) == 10
    assert set(small) <= set(large)


def test_a_slip_in_the_parameters_or_a_full_disk_ends_the_audit_instead_of_scoring(
    tmp_path, monkeypatch, darken
):
    cases = cases_of(LEVELS)
    with pytest.raises(HipauditError, match="steps"):
        plan_for(("pgd",), cases, params={"pgd": {"steps": 0}})
    sound = plan_for(("pgd",), cases)
    slip = [replace(run, params={**run.params, "steps": 0}) for run in sound]
    with pytest.raises(HipauditError, match="steps"):
        carry_out(tmp_path, cases, slip)

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HipauditError, match="No space left"):
        carry_out(tmp_path / "full", cases, plan_for(("darken",), cases))
    assert not list((tmp_path / "full").iterdir())


def test_one_radius_may_be_given_bare_and_a_wrong_one_is_refused_before_anything_runs():
    cases = cases_of(LEVELS)
    (run,) = plan_for(("fgsm",), cases, params={"fgsm": {"epsilons": 0.01}})[1:]
    assert run.params["epsilons"] == (0.01,)
    with pytest.raises(HipauditError, match="epsilons"):
        plan_for(("fgsm",), cases, epsilons=(2.0,))
