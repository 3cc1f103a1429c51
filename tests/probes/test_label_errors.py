"""The probe of labels: planted label errors are listed by case id; sound labels are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audit.cases.identity import pixel_digest
from audit.cases.read import from_arrays
from audit.conduct import conduct
from audit.options import AuditOptions
from audit.results import ProbeReport
from tests.planted.scenes import GAIN, LESION, pictures, ring
from tests.toys import classifier_of

SHARE = 0.08
CASES = 400


class Lesion(nn.Module):
    """Gives the log-odds that were written into the picture."""

    def forward(self, x: Tensor) -> Tensor:
        around = x[:, 0][:, torch.from_numpy(ring())].mean(1)
        score = GAIN * (x[:, 0, *LESION].mean((1, 2)) - around)
        return torch.stack([0 * score, score], 1)


def probed(folder: Path, odds: np.ndarray, truth: np.ndarray, **more: object) -> ProbeReport:
    labels = [("normal", "fracture")[int(t)] for t in truth]
    cases = from_arrays(pictures(odds), labels, **more)
    chosen = AuditOptions(preset="ci", stresses=("fgsm",), probes=("label_errors",))
    return conduct(classifier_of(Lesion(), 32, 32), cases, folder, chosen, notes=()).probes[0]


def sound(seed: int = 0, n: int = CASES, spread: float = 4.0):
    """Log-odds and labels drawn with just those odds: calibrated, about 10% wrong."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, spread, n)
    return odds, rng.random(n) < 1 / (1 + np.exp(-odds)), rng


def found(report: ProbeReport, metric: str):
    return next(f for f in report.findings if f.metric == metric)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory) -> tuple[ProbeReport, set[str]]:
    odds, truth, rng = sound(1, spread=8.0)
    wrong = rng.random(CASES) < SHARE
    ids = np.array([pixel_digest(image) for image in pictures(odds)])
    return probed(tmp_path_factory.mktemp("noisy"), odds, truth ^ wrong), set(ids[wrong])


def test_the_list_holds_most_of_the_planted_errors_and_little_else(noisy) -> None:
    report, planted = noisy
    listed = [entry["case"] for entry in report.details["listed"]]
    assert len(planted & set(listed)) >= 0.8 * len(planted)
    assert len(planted & set(listed)) >= 0.6 * len(listed)
    assert len(planted & set(listed[:10])) >= 9  # the clearest first
    margins = [entry["margin"] for entry in report.details["listed"]]
    assert margins == sorted(margins)


def test_planted_label_errors_are_a_warning_with_their_share_in_its_interval(noisy) -> None:
    report, planted = noisy
    assert [n.code for n in report.notes if n.level == "warning"] == ["label-noise"]
    share = found(report, "label_errors_unexplained")
    assert share.low <= len(planted) / CASES <= share.high
    suspected = found(report, "label_errors_suspected")
    assert suspected.events == report.details["suspected"] == len(report.details["listed"])
    assert suspected.n == CASES


def test_labels_drawn_at_the_models_own_odds_are_left_alone(tmp_path) -> None:
    odds, truth, _ = sound()
    report = probed(tmp_path, odds, truth)
    assert not [n for n in report.notes if n.level == "warning"]
    assert found(report, "label_errors_unexplained").low == 0


def test_the_surest_wrong_decisions_are_named_with_both_classes(noisy) -> None:
    report, _ = noisy
    errors = report.details["confident_errors"]
    assert len(errors) == 20
    chances = [entry["probability"] for entry in errors]
    assert chances == sorted(chances, reverse=True)
    assert all(entry["label"] != entry["decided"] for entry in errors)


def test_several_images_of_a_patient_count_once_in_the_test(tmp_path) -> None:
    odds, truth, _ = sound()
    report = probed(tmp_path, odds, truth, patients=[1 + i // 4 for i in range(CASES)])
    assert found(report, "label_errors_unexplained").n == CASES // 4
    assert found(report, "label_errors_suspected").n == CASES


def test_a_model_that_disagrees_with_the_labels_cannot_judge_them(tmp_path) -> None:
    odds, truth, _ = sound()
    report = probed(tmp_path, odds, ~truth)
    assert report.state == "not applicable"
    assert "agrees with" in (report.reason or "")


def test_too_few_of_a_class_are_said_to_be_too_few(tmp_path) -> None:
    odds = np.array([-3.0] * 30 + [3.0] * 5)
    report = probed(tmp_path, odds, odds > 0)
    assert report.state == "not applicable"
    assert "fewer than 10" in (report.reason or "")
