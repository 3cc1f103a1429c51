"""Carrying out probes: pictures are kept whole, failures by name, synthetic ones marked."""

from __future__ import annotations

import hashlib

import pytest
from doubles import Brightness, cases_of, classifier_of

from audit.cases.case import Cases
from audit.engine import Quiet
from audit.evidence import Predictions
from audit.options import AuditOptions
from audit.probes.registry import PROBES, Picture, probe
from audit.probing import Allowance, allowance, examine, runs_time
from audit.results import ProbeReport

NAMES = ("good", "bad", "slow")


@pytest.fixture(autouse=True)
def _two_probes():
    @probe("good")
    def good(sight):
        sight.keep(Picture("a-1.png", b"bytes", "test", "A title", "an alternative text"))
        return ProbeReport(probe="good")

    @probe("bad")
    def bad(sight):
        sight.keep(Picture("../escape.png", b"", "test", "t", "a"))
        return ProbeReport(probe="bad")

    @probe("slow")
    def slow(sight):
        while True:
            sight.check_time()

    yield
    for name in NAMES:
        del PROBES[name]


def carried_out(folder, *, synthetic, names=("good", "bad"), allowed=None):
    cases = cases_of([0.3, 0.7])
    described = cases.description.model_copy(update={"synthetic": synthetic})
    classifier = classifier_of(Brightness())
    table = Predictions((), classifier.classes, classifier.decision)
    options = AuditOptions(probes=names)
    cases = Cases(list(cases), described)
    return examine(classifier, cases, table, folder, options, Quiet(), allowed=allowed)


def test_a_picture_lies_where_its_artefact_says_with_the_digest_it_says(tmp_path):
    _, (artefact,) = carried_out(tmp_path, synthetic=False)
    content = (tmp_path / artefact.path).read_bytes()
    assert artefact.path == "figures/a-1.png"
    assert artefact.sha256 == hashlib.sha256(content).hexdigest()


def test_a_probe_that_raises_is_failed_by_name_and_writes_nothing_outside(tmp_path):
    reports, _ = carried_out(tmp_path / "out", synthetic=False)
    states = {report.probe: report.state for report in reports}
    assert states == {"good": "done", "bad": "failed"}
    assert not (tmp_path / "out" / "escape.png").exists()


def test_a_picture_of_nobody_says_so(tmp_path):
    _, (artefact,) = carried_out(tmp_path, synthetic=True)
    assert artefact.path == "figures/synthetic-a-1.png"
    assert artefact.title == "Synthetic: A title"


def test_a_probe_past_its_time_is_failed_by_name_and_the_next_one_runs(tmp_path):
    names, allowed = ("slow", "good"), Allowance(seconds=0.05)
    reports, _ = carried_out(tmp_path, synthetic=False, names=names, allowed=allowed)
    assert [(r.probe, r.state) for r in reports] == [("slow", "failed"), ("good", "done")]
    assert reports[0].reason == "did not finish within 0 s"


def test_a_quarter_of_the_time_is_the_probes_in_equal_parts():
    two = ("good", "bad")
    assert runs_time(800.0, two) == 600.0
    assert runs_time(800.0, ()) == 800.0
    assert allowance(800.0, two, forward=0.05).forwards == 2000  # 100 s each


def test_a_probe_may_always_look_at_something_and_never_at_everything():
    assert allowance(1.0, ("good",), forward=1.0).forwards == 200
    assert allowance(10**6, ("good",), forward=0.001).forwards == Allowance().forwards
    assert allowance(None, ("good",), forward=1.0) == Allowance()
