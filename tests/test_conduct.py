"""One audit from classifier to files: whole, repeatable, resumable, private."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conducting import LEVELS, whole_audit

from audit.results import read_results

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _fixed_day(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def test_an_audit_leaves_one_truth_that_reads_back(tmp_path):
    results = whole_audit(tmp_path)
    assert read_results(tmp_path / "audit.json") == results
    assert {run.state for run in results.plan.runs} == {"done"}, [
        (run.id, run.reason) for run in results.plan.runs if run.state != "done"
    ]
    assert results.provenance.date == "2023-11-14"


def test_the_clean_accuracy_is_the_one_counted_by_hand(tmp_path):
    (finding,) = whole_audit(tmp_path).find("accuracy", stress="clean", defence="none", group={})
    assert (finding.value, finding.n, finding.events) == (1.0, 60, 60)


def test_robust_accuracy_under_fgsm_is_the_share_further_than_epsilon_from_the_boundary(tmp_path):
    results = whole_audit(tmp_path)
    for level in (1, 2, 4, 8):
        expected = sum(abs(value - 0.5) > level / 255 for value in LEVELS)
        (finding,) = [
            f
            for f in results.find("robust_accuracy", stress="fgsm", defence="none", group={})
            if f.params["epsilon"] == pytest.approx(level / 255)
        ]
        assert (finding.events, finding.n) == (expected, 60)


def test_two_audits_of_the_same_thing_are_the_same_bytes(tmp_path):
    whole_audit(tmp_path / "a")
    whole_audit(tmp_path / "b")
    for name in ("audit.json", "predictions.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_private_files_are_private_and_nothing_is_left_behind(tmp_path):
    whole_audit(tmp_path)
    assert (tmp_path / "private" / "cases.csv").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(("number", "after"), [("SIGKILL", 8), ("SIGKILL", 14), ("SIGINT", 10)])
def test_an_interrupted_audit_resumes_to_the_same_bytes(tmp_path, number, after):
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "conducting.py"), str(tmp_path / "broken")]
    child = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    units = tmp_path / "broken" / "units"
    deadline = time.monotonic() + 120
    while len(list(units.glob("*.unit"))) < after // 4 and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(after / 50)
    child.send_signal(getattr(signal, number))
    child.communicate(timeout=60)
    assert not (tmp_path / "broken" / "audit.json").exists(), "it ended before the signal"
    kept = {path.name for path in units.glob("*.unit")}
    assert kept
    subprocess.run(command, env=environment, check=True, timeout=300)
    subprocess.run(
        [*command[:2], str(tmp_path / "whole")], env=environment, check=True, timeout=300
    )
    assert kept <= {path.name for path in units.glob("*.unit")}
    one, two = ((tmp_path / n / "audit.json").read_bytes() for n in ("broken", "whole"))
    assert one == two


def test_timings_stay_outside_the_digest(tmp_path):
    whole_audit(tmp_path)
    assert "seconds" in json.loads((tmp_path / "timings.json").read_text())
    assert "seconds" not in (tmp_path / "audit.json").read_text()
