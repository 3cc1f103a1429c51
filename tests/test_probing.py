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
from audit.probing import examine
from audit.results import ProbeReport

NAMES = ("good", "bad")


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

    yield
    for name in NAMES:
        del PROBES[name]


def carried_out(folder, *, synthetic):
    cases = cases_of([0.3, 0.7])
    described = cases.description.model_copy(update={"synthetic": synthetic})
    classifier = classifier_of(Brightness())
    table = Predictions((), classifier.classes, classifier.decision)
    options = AuditOptions(probes=NAMES)
    return examine(classifier, Cases(list(cases), described), table, folder, options, Quiet())


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
