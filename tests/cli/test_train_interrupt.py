"""Ctrl-C in a training: 130, one line, and the same command goes on at its epoch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.radiographs import write_radiographs

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
ARGS = (
    "squeezenet1_1", "--data", "data", "--weights", "none", "--size", "32", "--freeze-epochs", "1",
    "--epochs", "3", "--batch-size", "16", "--lr", "0.001", "--set", "weight_decay=0.01",
)  # fmt: skip


def start(folder: Path, out: str, said: Path) -> subprocess.Popen[bytes]:
    code = "from hipaudit.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with said.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-c", code, "train", *ARGS, "--out", out],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=stream, env=environment,
        )  # fmt: skip


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "model.pt", weights_only=True)["state_dict"]


def test_an_interrupted_training_goes_on_at_its_epoch_to_the_same_weights(tmp_path):
    write_radiographs(tmp_path / "data")
    assert start(tmp_path, "whole", tmp_path / "0").wait(timeout=600) == 0
    child = start(tmp_path, "out", tmp_path / "1")
    deadline = time.monotonic() + 300
    while child.poll() is None and time.monotonic() < deadline:
        if "epoch 2/4" in (tmp_path / "1").read_text():
            break
        time.sleep(0.005)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=60) == 130
    said = (tmp_path / "1").read_text()
    assert said.splitlines()[-1] == "interrupted; the same command resumes"
    assert "Traceback" not in said
    assert not list(tmp_path.rglob("*.part"))
    assert not (tmp_path / "out" / "model.pt").exists()
    assert start(tmp_path, "out", tmp_path / "2").wait(timeout=600) == 0
    assert "epoch 1/4" not in (tmp_path / "2").read_text()
    whole, again = weights_of(tmp_path / "whole"), weights_of(tmp_path / "out")
    assert all(torch.equal(whole[name], again[name]) for name in whole)
