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
from conducting import LEVELS, slow_audit, whole_audit

from audit.results import read_results

HERE = Path(__file__).parent


@pytest.fixture(autouse=True, scope="module")
def _fixed_day():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        yield


@pytest.fixture(scope="module")
def audited(tmp_path_factory, _fixed_day):
    """A folder with a whole audit in it, and its results."""
    folder = tmp_path_factory.mktemp("audited")
    return folder, whole_audit(folder)


def test_an_audit_leaves_one_truth_that_reads_back(audited):
    folder, results = audited
    assert read_results(folder / "audit.json") == results
    assert {run.state for run in results.plan.runs} == {"done"}, [
        (run.id, run.reason) for run in results.plan.runs if run.state != "done"
    ]
    assert results.provenance.date == "2023-11-14"


def test_the_clean_accuracy_is_the_one_counted_by_hand(audited):
    _, results = audited
    (finding,) = results.find("accuracy", stress="clean", defence="none", group={})
    assert (finding.value, finding.n, finding.events) == (1.0, 60, 60)


def test_robust_accuracy_under_fgsm_is_the_share_further_than_epsilon_from_the_boundary(audited):
    _, results = audited
    for level in (1, 2, 4, 8):
        expected = sum(abs(value - 0.5) > level / 255 for value in LEVELS)
        (finding,) = [
            f
            for f in results.find("robust_accuracy", stress="fgsm", defence="none", group={})
            if f.params["epsilon"] == pytest.approx(level / 255)
        ]
        assert (finding.events, finding.n) == (expected, 60)


def test_two_audits_of_the_same_thing_are_the_same_bytes(audited, tmp_path):
    folder, _ = audited
    whole_audit(tmp_path)
    for name in ("audit.json", "predictions.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_private_files_are_private_and_nothing_is_left_behind(audited):
    folder, _ = audited
    assert (folder / "private" / "cases.csv").stat().st_mode & 0o777 == 0o600
    assert (folder / "private").stat().st_mode & 0o777 == 0o700
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize(
    ("number", "units"),
    [
        ("SIGKILL", 3),
        pytest.param("SIGKILL", 1, marks=pytest.mark.slow),
        pytest.param("SIGKILL", 2, marks=pytest.mark.slow),
        pytest.param("SIGINT", 2, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_audit_resumes_to_the_same_bytes(tmp_path, number, units):
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "conducting.py"), str(tmp_path / "broken")]
    store = tmp_path / "broken" / "units"
    child = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while len(list(store.glob("*.unit"))) < units and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(getattr(signal, number))
    child.communicate(timeout=60)
    assert not (tmp_path / "broken" / "audit.json").exists(), "it ended before the signal"
    kept = {path.name for path in store.glob("*.unit")}
    assert len(kept) >= units
    slow_audit(tmp_path / "broken")
    slow_audit(tmp_path / "whole")
    assert kept <= {path.name for path in store.glob("*.unit")}
    one, two = ((tmp_path / n / "audit.json").read_bytes() for n in ("broken", "whole"))
    assert one == two


def test_timings_stay_outside_the_digest(audited):
    folder, _ = audited
    assert "seconds" in json.loads((folder / "timings.json").read_text())
    assert "seconds" not in (folder / "audit.json").read_text()
