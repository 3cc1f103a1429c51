"""The shortcut probe on planted readers: of a marker, of a scanner, of the lesion."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from torch import nn

from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import ProbeReport
from tests.probes.shortcut_models import Reader, classifier_of, scenes

N = 160
WARNINGS = "shortcut-metadata", "shortcut-matched", "shortcut-occlusion", "shortcut-cam"


def examined(module: nn.Module, **planted: float) -> ProbeReport:
    options = AuditOptions(
        preset="ci", stresses=("gamma",), probes=("shortcuts",), images=False, batch_size=16
    )
    with TemporaryDirectory() as folder:
        results = conduct(
            classifier_of(module), scenes(N, 1, **planted), Path(folder), options, notes=()
        )
    (report,) = results.probes
    assert report.state == "done", report.reason
    return report


@cache
def report_of(reads: str, **planted: float) -> ProbeReport:
    return examined(Reader(**{reads: 1.0}), **planted)


def warnings(report: ProbeReport) -> set[str]:
    return {note.code for note in report.notes if note.level == "warning"}


def text_of(report: ProbeReport, code: str) -> str:
    return " ".join(note.text for note in report.notes if note.code == code)


def number(report: ProbeReport, metric: str, contrast: str | None = None, **params: str) -> float:
    (found,) = [
        f
        for f in report.findings
        if f.metric == metric and f.contrast == contrast and f.params == params
    ]
    assert found.value is not None
    return found.value


def test_a_reader_of_the_marker_is_named_by_every_way_of_looking():
    report = report_of("marker", marker=0.6)
    assert warnings(report) >= {
        "shortcut-metadata", "shortcut-encoded", "shortcut-matched", "shortcut-occlusion",
    }  # fmt: skip
    assert "marker yes is found in" in text_of(report, "shortcut-metadata")
    assert "Filling the marker" in text_of(report, "shortcut-occlusion")
    assert number(report, "matched_auroc", attribute="marker") == pytest.approx(0.5, abs=0.12)


def test_a_reader_of_the_scanner_is_named_by_matching_and_not_by_occlusion():
    report = report_of("scanner", scanner=0.6)
    assert {"shortcut-metadata", "shortcut-matched"} <= warnings(report)
    assert "shortcut-occlusion" not in warnings(report)
    assert "scanner B is found in" in text_of(report, "shortcut-metadata")
    assert number(report, "attribute_from_features", attribute="scanner", value="B") > 0.95
    assert number(report, "model_explained_by_metadata") > 0.5


def test_a_reader_of_the_lesion_on_balanced_data_is_left_alone():
    report = report_of("lesion")
    assert not warnings(report)
    assert "No sign of a shortcut" in text_of(report, "shortcut-none")


def test_a_reader_of_the_lesion_on_confounded_data_is_told_apart_from_the_data():
    report = report_of("lesion", marker=0.6)
    assert "shortcut-metadata" in warnings(report)  # of the data
    assert not {"shortcut-matched", "shortcut-occlusion"} & warnings(report)  # of the model
    assert abs(number(report, "matched_auroc", "matched=no", attribute="marker")) < 0.05


def test_a_reader_of_the_marker_is_named_by_occlusion_on_data_that_cannot_tell():
    report = report_of("marker")
    assert "shortcut-occlusion" in warnings(report)
    assert not {"shortcut-metadata", "shortcut-matched"} & warnings(report)


def test_the_report_of_the_probe_does_not_depend_on_when_it_is_made():
    again = examined(Reader(scanner=1.0), scanner=0.6)
    assert again == report_of("scanner", scanner=0.6)
