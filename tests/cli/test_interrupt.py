"""Ctrl-C: 130, one line, no traceback, nothing half written, no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.canaries import PLANTED, WORD, write_dicom_site
from tests.tiny import write_model

ROOT = Path(__file__).parents[2]
PROC = Path("/proc")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROC.is_dir(), reason="children are looked up in /proc"),
]


def children(pid: int) -> set[int]:
    """Process ids whose parent is `pid`."""
    found = set()
    for folder in PROC.iterdir():
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, NotADirectoryError):
            continue
        if folder.name.isdigit() and int(after_name[1]) == pid:
            found.add(int(folder.name))
    return found


@pytest.mark.parametrize("moment", ["a decoder is at work", "plan:", "clean:", "judging"])
def test_an_interrupt_leaves_no_process_no_half_file_and_no_traceback(tmp_path, moment):
    data = write_dicom_site(tmp_path)
    write_model(tmp_path / "model.pt")
    command = [sys.executable, "-c", "from hipaudit.cli import main; main()",
               "run", "model.pt", "--data", data.name, "--preset", "ci", "--stress", "fgsm",
               "--max-skipped", "0.5", "--out", "out"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with (tmp_path / "said").open("wb") as stream:
        child = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=stream, env=environment
        )
    workers: set[int] = set()
    deadline = time.monotonic() + 120
    while child.poll() is None and time.monotonic() < deadline:
        workers |= children(child.pid)
        if moment in (tmp_path / "said").read_text() or (moment.startswith("a ") and workers):
            break
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=60) == 130
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("interrupted")
    assert workers
    patience = time.monotonic() + 5  # a worker that lost its parent ends when its input does
    while [pid for pid in workers if (PROC / str(pid)).exists()]:
        assert time.monotonic() < patience, "a process was left behind"
        time.sleep(0.05)
    assert not list(tmp_path.rglob("*.part"))
    assert (tmp_path / "out" / "audit.json").exists() == (moment == "judging")
    assert not [canary for canary in PLANTED if canary in said.replace(WORD + "_pacs", "")]
