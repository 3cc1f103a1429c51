"""The shortcut probe on planted readers: of a marker, of a scanner, of the lesion."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from torch import nn

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.conduct import conduct
from audit.evidence import Predictions, Subject
from audit.options import AuditOptions
from audit.probes.registry import Examination, TimeUp
from audit.probes.shortcuts.probe import shortcuts
from audit.results import ProbeReport
from tests.probes.shortcut_models import Reader, classifier_of, scenes
from tests.tables import evidence, rows

N = 160
WARNINGS = "shortcut-metadata", "shortcut-matched", "shortcut-occlusion", "shortcut-cam"


class Corner(nn.Module):
    """Says fracture where a corner holds something bright; `map` is where anything is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU())
        with torch.no_grad():
            self.map[0].weight.zero_()[0, 0, 1, 1] = 1.0
            self.map[0].bias.fill_(-0.75)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = 200 * self.map(x)[:, 0, :13, :13].mean((1, 2)) - 0.1
        return torch.stack([-seen, seen], dim=1)


def examined(
    module: nn.Module, cam: str | None = None, params: dict[str, object] | None = None,
    **planted: float,
) -> ProbeReport:  # fmt: skip
    options = AuditOptions(
        preset="full", stresses=("gamma",), probes=("shortcuts",), images=False, batch_size=16,
        params={"shortcuts": params or {}},
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        results = conduct(
            classifier_of(module, cam), scenes(N, 1, **planted), Path(folder), options, notes=()
        )
    (report,) = results.probes
    assert report.state == "done", report.reason
    return report


def predictions_of(classifier: Classifier, cases: Cases) -> Predictions:
    """The table of a clean run."""
    logits = classifier.predict(torch.stack([classifier.prepare(c) for c in cases])).logits
    targets = classifier.targets(cases).tolist()
    subjects = tuple(
        Subject(case.id, target, case.patient, case.attributes)
        for case, target in zip(cases, targets, strict=True)
    )
    clean = evidence(rows(range(len(cases)), logits.numpy()), range(len(cases)))
    return Predictions(subjects, classifier.classes, classifier.decision, (clean,))


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


def test_maps_that_lie_on_the_marker_are_told_where_it_decides():
    report = examined(Corner(), cam="map", marker=0.6)
    assert {"shortcut-occlusion", "shortcut-cam"} <= warnings(report)
    assert number(report, "cam_mass", region="marker") > 0.7
    assert report.details["maps"] >= 30


def test_a_model_without_a_last_layer_or_maps_is_looked_at_as_far_as_it_goes():
    report = examined(Corner(), marker=0.6)
    assert set(report.details["not_examined"]) == {"features", "Grad-CAM"}
    assert "no linear layer" in text_of(report, "shortcut-not-examined")
    assert {"shortcut-metadata", "shortcut-matched", "shortcut-occlusion"} <= warnings(report)


def test_no_more_goes_through_the_network_than_is_allowed():
    classifier = classifier_of(Corner(), "map")
    cases = scenes(N, 1)
    predictions = predictions_of(classifier, cases)
    spent = classifier.forwards
    report = shortcuts(
        Examination(classifier, cases, predictions, 0, 16, lambda _: None, forwards=200)
    )
    assert classifier.forwards - spent <= 200
    looked = report.details["cases_through_network"]
    assert 10 <= looked < N
    assert f"in {looked} of {N} cases" in text_of(report, "shortcut-sample")


def test_the_probe_stops_when_its_time_is_up():
    classifier, cases = classifier_of(Reader(marker=1)), scenes(40, 1)
    predictions = predictions_of(classifier, cases)
    late = Examination(classifier, cases, predictions, 0, 16, lambda _: None, deadline=0.0)
    with pytest.raises(TimeUp):
        shortcuts(late)


def test_the_batch_size_changes_no_finding_beyond_the_last_digits():
    classifier, cases = classifier_of(Reader(marker=1)), scenes(60, 1, marker=0.6)
    predictions = predictions_of(classifier, cases)
    found = [
        shortcuts(Examination(classifier, cases, predictions, 0, size, lambda _: None)).findings
        for size in (4, 32)
    ]
    for one, other in zip(*found, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-5)
