"""Two processes under torchrun train what one would, and one of them speaks and writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from audit.errors import HipauditError
from tests.team_training import network, train
from trainers.fitting.team import Team, join_team, speaks

ROOT = Path(__file__).parents[2]
ALONE = Team(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each of two processes was left with."""
    folder = tmp_path_factory.mktemp("team")
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "tests/team_training.py", str(folder),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, [torch.load(folder / f"rank{rank}.pt") for rank in (0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "normed"])
def test_both_processes_end_with_the_same_weights(two, kind):
    first, second = (found[kind] for found in two[1])
    assert all(torch.equal(first[name], second[name]) for name in first)
    start = network(kind == "normed").state_dict()
    assert not all(torch.equal(first[name], start[name]) for name in first)


@pytest.mark.slow
def test_running_statistics_are_those_of_both_processes(two, tmp_path):
    """Near those of one process, whose batches are twice as large; far from the start's 0 and 1."""
    alone, _ = train(tmp_path, norm=True)
    found = two[1][0]["normed"]
    for name in ("0.1.running_mean", "0.1.running_var"):
        torch.testing.assert_close(found[name], alone[name], atol=0.05, rtol=0.15)


@pytest.mark.slow
def test_without_batchnorm_they_are_those_of_one_process_with_the_whole_batch(two, tmp_path):
    alone, log = train(tmp_path, norm=False)
    for name, value in two[1][0]["plain"].items():
        torch.testing.assert_close(value, alone[name], atol=2e-5, rtol=1e-4)
    assert two[1][0]["losses"] == pytest.approx([e.train_loss for e in log.epochs], abs=1e-4)
    assert two[1][0]["val"] == pytest.approx([e.val_loss for e in log.epochs], abs=1e-4)


@pytest.mark.slow
def test_every_process_knows_all_of_validation_and_what_the_first_has(two):
    first, second = two[1]
    assert first["val"] == second["val"]
    assert first["gathered"].flatten().tolist() == [0.0, 1.0, 1.0]
    assert second["gathered"].flatten().tolist() == [0.0, 1.0, 1.0]
    assert second["agreed"] == "said by 0"


@pytest.mark.slow
def test_one_process_speaks_and_writes(two):
    folder, (first, second) = two
    assert (first["notes"] > 0, second["notes"]) == (True, 0)
    assert (first["speaks"], second["speaks"]) == (True, False)
    assert sorted(path.name for path in (folder / "plain").iterdir()) == [
        "log.csv", "log.json", "training-state.pt"
    ]  # fmt: skip


@pytest.mark.slow
def test_the_log_says_how_many_trained_and_what_batchnorm_saw(two):
    used = two[1][0]["used"]
    assert used["processes"] == 2
    assert used["batchnorm_over"] == "a process's part (1/2) of a batch"


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused_on_both_sides(two):
    for found in two[1]:
        assert "batch_size that 2 processes can share" in found["refused"]
        assert "--set batch_size=16" in found["refused"]


def test_without_torchrun_a_team_is_one_process_and_changes_nothing(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    team, module = join_team("cpu"), nn.Linear(2, 2)
    assert (team, speaks()) == (ALONE, True)
    assert team.wrap(module) is module
    assert team.part(10) == slice(0, 10)
    values = torch.tensor([1.0, 2.0])
    assert team.mean(values) is values
    team.check(3)


def test_every_row_of_a_batch_belongs_to_one_process():
    rows = [list(range(12))[Team(rank, 3, torch.device("cpu")).part(12)] for rank in range(3)]
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


@pytest.mark.parametrize(("batch", "size", "fix"), [(10, 4, 12), (4, 4, 8), (3, 2, 4)])
def test_a_batch_must_leave_each_process_two_images(batch, size, fix):
    with pytest.raises(HipauditError, match=f"batch_size={fix}"):
        Team(0, size, torch.device("cpu")).check(batch)
    Team(0, size, torch.device("cpu")).check(fix)


def test_synchronised_batchnorm_turns_back_into_the_layer_it_was():
    module = network(True)
    module[0][1].running_mean.fill_(0.3)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(network(True))
    synchronised.load_state_dict(before)
    ALONE.unwrap(synchronised)
    assert type(synchronised[0][1]) is nn.BatchNorm2d
    after = synchronised.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    x = torch.rand(3, 3, 12, 12)
    assert torch.equal(module.eval()(x), synchronised.eval()(x))


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(HipauditError, match=r"a GPU for each process.*--nproc-per-node 1"):
        join_team("cuda")
