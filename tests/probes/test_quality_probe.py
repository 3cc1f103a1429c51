"""The quality probe: planted poor pictures are listed, counted and shown; nobody else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.cases.read import from_arrays
from audit.conduct import conduct
from audit.defences.quality_filter import quality_filter
from audit.options import AuditOptions
from audit.quality.limits import KEY, Limits
from audit.results import ProbeReport, Results
from tests.quality.pictures import blurred, flattened, scenes
from tests.toys import Unmoved, classifier_of

SIDE = 128
SOUND, BLURRED, FLAT = 40, 12, 8


def cases() -> Cases:
    sharp = scenes(SOUND + BLURRED + FLAT, SIDE, seed=3)
    images = np.concatenate(
        [
            sharp[:SOUND],
            blurred(sharp[SOUND : SOUND + BLURRED], 0.03),
            flattened(sharp[SOUND + BLURRED :], 0.1),
        ]
    )
    # Unmoved says fracture always: right on 30 of the 40 sound, on 4 of the 20 poor.
    labels = ["fracture"] * 30 + ["normal"] * 10 + ["fracture"] * 4 + ["normal"] * 16
    return from_arrays(np.clip(images, 0, 1), labels, patients=list(range(60)))


def audit(folder: Path, *, images: bool = True, **training: object) -> Results:
    classifier = classifier_of(Unmoved(), SIDE, SIDE)
    classifier.description = classifier.description.model_copy(update={"training": training})
    chosen = AuditOptions(preset="ci", stresses=("fgsm",), probes=("quality",), images=images)
    return conduct(classifier, cases(), folder, chosen, notes=())


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, Results]:
    folder = tmp_path_factory.mktemp("quality")
    return folder, audit(folder)


def planted() -> dict[str, str]:
    """Case id -> what was done to it; from the pixels, whose order the ids hide."""
    from audit.cases.identity import pixel_digest

    sharp = scenes(SOUND + BLURRED + FLAT, SIDE, seed=3)
    soft = np.clip(blurred(sharp[SOUND : SOUND + BLURRED], 0.03), 0, 1).astype(np.float32)
    flat = np.clip(flattened(sharp[SOUND + BLURRED :], 0.1), 0, 1).astype(np.float32)
    found = {pixel_digest(image): "blurred" for image in soft}
    return found | {pixel_digest(image): "low contrast" for image in flat}


def test_the_list_for_review_holds_the_planted_pictures_and_why(done) -> None:
    (report,) = done[1].probes
    assert report.state == "done"
    review = report.details["review"]
    expected = planted()
    assert set(review) == set(expected)
    assert all(expected[case_id] in why for case_id, why in review.items())
    assert report.details["to_review"] == BLURRED + FLAT
    (note,) = [n for n in report.notes if n.code == "quality-review"]
    assert all(case_id in note.text for case_id in expected)


def test_the_shares_and_accuracies_are_those_planted(done) -> None:
    (report,) = done[1].probes
    found = {(f.metric, f.params.get("beyond", "")): (f.events, f.n) for f in report.findings}
    assert found["poor_quality", ""] == (20, 60)
    assert found["poor_quality", "blurred"] == (BLURRED, 60)
    assert found["poor_quality", "low contrast"] == (FLAT, 60)
    assert found["accuracy_sound", ""] == (30, 40)
    assert found["accuracy_poor", ""] == (4, 20)


def test_a_few_of_the_poor_pictures_are_kept_and_nothing_else(done) -> None:
    folder, results = done
    kept = [a for a in results.artefacts if a.kind == "quality"]
    assert {a.meta["case"] for a in kept} <= set(planted())
    assert 2 <= len(kept) <= 8
    for artefact in kept:
        with Image.open(io.BytesIO((folder / artefact.path).read_bytes())) as image:
            assert image.size[1] >= 160


def test_without_images_nothing_is_drawn_and_the_numbers_stay(done, tmp_path: Path) -> None:
    results = audit(tmp_path, images=False)
    assert not results.artefacts
    assert results.probes[0].findings == done[1].probes[0].findings


def test_a_picture_is_measured_once_whichever_probe_asks_first(
    done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.probes import measured

    asked: list[int] = []
    real = measured.measures
    monkeypatch.setattr(measured, "measures", lambda x: asked.append(len(x)) or real(x))
    chosen = AuditOptions(
        preset="ci", stresses=("fgsm",), probes=("drift_baselines", "quality"), images=False
    )
    both = conduct(classifier_of(Unmoved(), SIDE, SIDE), cases(), tmp_path, chosen, notes=())
    assert sum(asked) == len(cases())
    by_name = {report.probe: report for report in both.probes}
    assert by_name["quality"].findings == done[1].probes[0].findings


def test_limits_that_are_none_fail_the_probe_and_not_the_audit(tmp_path: Path) -> None:
    results = audit(tmp_path, **{KEY: {"highest": {"blur_effect": "no"}}})
    (report,) = results.probes
    assert report.state == "failed"
    assert "limit of blur_effect" in (report.reason or "")
    assert results.find("accuracy", stress="clean", group={})


def test_the_filter_refers_exactly_the_cases_the_probe_lists(done, tmp_path: Path) -> None:
    classifier = classifier_of(Unmoved(), SIDE, SIDE)
    chosen = AuditOptions(
        preset="ci", stresses=("fgsm",), defences=("quality-filter",), probes=(), seed=0
    )
    results = conduct(classifier, cases(), tmp_path, chosen, notes=())
    (hit,) = results.find(
        "referral_rate", stress="clean", defence="quality-filter", group={}, contrast=None
    )
    assert (hit.events, hit.n) == (BLURRED + FLAT, 60)
    (kept,) = results.find(
        "accuracy_handled", stress="clean", defence="quality-filter", group={}, contrast=None
    )
    assert (kept.events, kept.n) == (30, 40)


def test_the_probe_judges_by_the_limits_of_the_filter_that_was_audited(tmp_path: Path) -> None:
    classifier = classifier_of(Unmoved(), SIDE, SIDE)
    strict = quality_filter(classifier, limits=Limits({"contrast": 0.99}, origin="by hand"))
    chosen = AuditOptions(
        preset="ci", stresses=("fgsm",), defences=("quality-filter",), probes=("quality",)
    )
    results = conduct(
        classifier, cases(), tmp_path, chosen, notes=(), hardened={"quality-filter": strict}
    )
    (report,) = results.probes
    assert report.details["limits"]["origin"] == "by hand"
    assert report.details["to_review"] == 60
    (hit,) = results.find(
        "referral_rate", stress="clean", defence="quality-filter", group={}, contrast=None
    )
    assert hit.events == 60
    assert KEY not in results.model.training


class Sharp(nn.Module):
    """Says fracture where the edges are stronger than `limit`: blind where the picture is soft."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, x: Tensor) -> Tensor:
        edge = (x[..., 1:, :] - x[..., :-1, :]).abs().mean((1, 2, 3))
        return torch.stack([torch.zeros_like(edge), 1e4 * (edge - self.limit)], dim=1)


@pytest.fixture(scope="module")
def soft(tmp_path_factory) -> ProbeReport:
    """160 pictures of rising blur, four of five fractures, missed where they are soft."""
    sharp, rng = scenes(160, 64, seed=9), np.random.default_rng(2)
    images = [ndimage.gaussian_filter(scene, 0.02 * i) for i, scene in enumerate(sharp)]
    limit = float(np.median([np.abs(np.diff(image, axis=0)).mean() for image in images]))
    labels = np.where(rng.random(160) < 0.8, "fracture", "normal")
    given = from_arrays(np.clip(images, 0, 1), list(labels))
    chosen = AuditOptions(preset="ci", stresses=("fgsm",), probes=("quality",), images=False)
    classifier = classifier_of(Sharp(limit), 64, 64)
    folder = tmp_path_factory.mktemp("soft")
    return conduct(classifier, given, folder, chosen, notes=()).probes[0]


def test_errors_that_go_with_blur_are_named_with_measure_and_direction(soft) -> None:
    flagged = [note.text for note in soft.notes if note.code == "quality-dependent"]
    assert any(text.startswith("Errors go with high values of blur") for text in flagged)
    (link,) = [
        f
        for f in soft.findings
        if f.metric == "error_by_quality" and f.params["measure"] == "blur_effect"
    ]
    assert link.low > 0.5
    assert link.p <= link.p_holm < 0.01


def test_quartiles_hold_a_quarter_each_and_the_accuracies_add_up(soft) -> None:
    found = [
        f
        for f in soft.findings
        if f.metric == "accuracy_by_quality" and f.params["measure"] == "blur_effect"
    ]
    assert [f.params["quartile"] for f in found] == [1, 2, 3, 4]
    assert [f.n for f in found] == [40] * 4
    assert found[0].value > found[3].value
    by_label = [
        f.events
        for f in soft.findings
        if f.metric in ("sensitivity_by_quality", "specificity_by_quality")
        and f.params["measure"] == "blur_effect"
    ]
    assert sum(by_label) == sum(f.events for f in found)


def test_poor_pictures_that_are_merely_of_the_harder_class_are_not_flagged(done) -> None:
    """Unmoved is wrong on every normal image and the poor ones are mostly normal."""
    (report,) = done[1].probes
    assert not [note for note in report.notes if note.code == "quality-dependent"]
    links = [f for f in report.findings if f.metric == "error_by_quality"]
    assert links
    assert all(f.p_holm == 1 for f in links)
