"""Pictures of attacks on a linear model, whose every flip can be calculated by hand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.conduct import conduct
from audit.options import AuditOptions
from audit.probes.pictures import GAP
from audit.results import Artefact, DataDescription, ProbeReport, Results
from tests.toys import classifier_of

SIDE = 16
ROW, COLUMN = 5, 9  # the one pixel that can turn a case
LEVELS = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
FALLS_BELOW = (0.5, 1.5, 3.5, 6.5)  # grey levels: falls at 1, 2, 4, 8


def weights() -> np.ndarray:
    w = np.where(np.random.default_rng(3).random((SIDE, SIDE)) < 0.5, -1.0, 1.0)
    w[ROW, COLUMN] = 40.0
    return w


class Linear(nn.Module):
    """(0, w·(x − ½)): FGSM at ε turns an image exactly when |w·(x − ½)| < ε·‖w‖₁."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w", torch.from_numpy(weights()).float())

    def forward(self, x: Tensor) -> Tensor:
        score = ((x.mean(1) - 0.5) * self.w).sum((1, 2))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def case(number: int, grey_levels: float, positive: bool, **more: object) -> Case:
    """Turned by the smallest ε above `grey_levels`/255."""
    sign = 1 if positive else -1
    pixels = (0.5 + sign * grey_levels / 255 * np.sign(weights())).astype(np.float32)
    return Case(
        id=f"{number:08x}",
        label="fracture" if positive else "normal",
        load=lambda: pixels,
        attributes={"view": ("frontal", "lateral")[number % 2]},
        shape=pixels.shape,
        **more,  # type: ignore[arg-type]
    )


def eight() -> list[Case]:
    both = [(a, positive) for positive in (True, False) for a in FALLS_BELOW]
    return [case(number, a, positive) for number, (a, positive) in enumerate(both)]


def audited(folder: Path, cases: Sequence[Case], **more: object) -> Results:
    model: Classifier = classifier_of(Linear(), SIDE, SIDE)
    given: dict[str, object] = {
        "preset": "ci",
        "stresses": ("fgsm", "one_pixel_seeded"),
        "params": {"one_pixel_seeded": {"queries": 8, "population": 4}},
        "epsilons": LEVELS,
        "probes": ("flips",),
        "seed": 4,
        **more,
    }
    listed = Cases(cases, DataDescription(layout="planted", cases=len(cases)))
    return conduct(model, listed, folder, AuditOptions(**given), notes=())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    folder = tmp_path_factory.mktemp("flips")
    return audited(folder, eight()), folder


def pictures(results: Results, kind: str = "flip", **meta: object) -> list[Artefact]:
    mine = [a for a in results.artefacts if a.kind == kind]
    return [a for a in mine if all(a.meta.get(name) == v for name, v in meta.items())]


def seen(folder: Path, artefact: Artefact, height: int = SIDE) -> np.ndarray:
    """The picture in grey levels, without the enlargement for display."""
    image = np.asarray(Image.open(io.BytesIO((folder / artefact.path).read_bytes())).convert("RGB"))
    times = image.shape[0] // height
    return image[::times, ::times].astype(int)


def score(levels: np.ndarray) -> float:
    """The model's logit by hand, from grey levels."""
    return float(((levels[:, :, 0] / 255 - 0.5) * weights()).sum())


def test_the_two_cases_of_each_label_that_fall_first_are_shown(made):
    results, _ = made
    firsts = {a.meta["case"]: a.meta["first"] for a in pictures(results)}
    by_hand = {"00000000": 1, "00000001": 2, "00000004": 1, "00000005": 2}
    assert {name: round(float(first) * 255) for name, first in firsts.items()} == by_hand


def test_every_level_of_the_plan_is_shown_and_no_pixel_moves_further_than_it(made):
    results, folder = made
    for name in ("00000000", "00000005"):
        shown = pictures(results, case=name, part="image")
        at = {round(float(a.meta["epsilon"]) * 255): seen(folder, a) for a in shown}
        assert sorted(at) == [0, 1, 2, 4, 8]
        for epsilon, image in at.items():
            assert np.abs(image - at[0]).max() == epsilon


def test_a_calculation_by_hand_from_the_pictures_gives_every_score_and_every_flip(made):
    results, folder = made
    shown = pictures(results, part="image")
    assert len(shown) == 20
    for artefact in shown:
        logit = score(seen(folder, artefact))
        assert artefact.meta["score"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)
        said = "fracture" if logit > 0 else "normal"
        assert artefact.meta["predicted"] == said
        turned = artefact.meta["epsilon"] >= artefact.meta["first"]
        assert (said != artefact.meta["label"]) is turned
    assert {a.meta["flips"] for a in shown} == {True}


def test_the_outcome_is_that_at_the_level_shown(made):
    results, _ = made
    found = {
        (a.meta["label"], a.meta["predicted"], a.meta["outcome"])
        for a in pictures(results, part="image")
    }
    assert found == {
        ("fracture", "fracture", "TP"),
        ("fracture", "normal", "FN"),
        ("normal", "normal", "TN"),
        ("normal", "fracture", "FP"),
    }


def test_what_was_added_is_magnified_by_the_number_that_is_printed(made):
    results, folder = made
    for artefact in pictures(results, part="difference"):
        image = seen(folder, artefact)[:, :, 0]
        step = float(artefact.meta["times"]) * float(artefact.meta["epsilon"]) * 255
        towards = -1 if artefact.meta["label"] == "fracture" else 1
        by_hand = 127.5 + towards * np.sign(weights()) * step
        assert np.abs(image - by_hand).max() <= 0.51
        assert f"× {artefact.meta['times']}" in artefact.caption


def test_the_pixel_that_turns_a_case_is_found_framed_and_its_two_levels_are_printed(made):
    results, folder = made
    shown = pictures(results, kind="one_pixel")
    assert [a.meta["label"] for a in shown].count("fracture") == 2
    assert len(shown) == 4
    for artefact in shown:
        assert (artefact.meta["row"], artefact.meta["column"]) == (ROW, COLUMN)
        image = seen(folder, artefact, height=15 * 8)
        whole, before, after = (
            image[:, at : at + wide]
            for at, wide in ((0, SIDE), (SIDE + GAP, 120), (SIDE + GAP + 120 + GAP, 120))
        )
        differs = (before != after).any(axis=2)
        rows, columns = np.nonzero(differs)
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1, differs.sum()) == (8, 8, 64)
        assert set(before[differs][:, 0]) == {int(artefact.meta["before"])}
        assert set(after[differs][:, 0]) == {int(artefact.meta["after"])}
        assert whole[ROW, COLUMN, 0] == int(artefact.meta["after"])
        around = whole[:15, 0]  # the window begins at the left edge but one: its frame is coloured
        assert len({tuple(pixel) for pixel in around.tolist()}) == 1
        assert around[0, 0] != around[0, 2]


def test_the_changed_pixel_turns_the_case_in_a_calculation_by_hand(made):
    results, _ = made
    given = {c.id: c for c in eight()}
    for artefact in pictures(results, kind="one_pixel"):
        pixels = given[str(artefact.meta["case"])].load().copy()
        before = ((pixels - 0.5) * weights()).sum()
        pixels[ROW, COLUMN] = int(artefact.meta["after"]) / 255
        after = ((pixels - 0.5) * weights()).sum()
        assert (before > 0) != (after > 0)
        assert artefact.meta["flips"] is True


def test_a_case_costs_eight_forwards_in_a_small_preset(made):
    results, _ = made
    (report,) = results.probes
    # 5 images of each of four cases and a forward with its gradient; before and after of four
    assert report.details["forwards"] == 4 * (5 + 1) + 4 * 2
    assert report.details["limit"] == 8


def test_the_same_seed_shows_the_same_pictures_and_another_seed_others(tmp_path):
    alike = [case(number, 0.5, number < 12) for number in range(24)]

    def shown(seed: int, name: str) -> dict[str, str]:
        results = audited(tmp_path / name, alike, stresses=("fgsm",), seed=seed)
        return {a.path: a.sha256 for a in results.artefacts}

    assert shown(1, "a") == shown(1, "b")
    assert set(shown(1, "c")) != set(shown(2, "d"))


def test_an_attack_with_random_starts_is_repeated_with_its_own_draws(tmp_path):
    pgd = {"pgd": {"steps": 3, "restarts": 2}}
    results = audited(tmp_path, eight(), preset="full", stresses=("pgd",), params=pgd)
    shown = pictures(results, part="image")
    assert len({a.meta["case"] for a in shown}) == 4
    for artefact in shown:
        clean = next(a for a in pictures(results, case=artefact.meta["case"], epsilon=0.0))
        moved = np.abs(seen(tmp_path, artefact) - seen(tmp_path, clean)).max()
        assert moved <= float(artefact.meta["epsilon"]) * 255 + 0.5
        turned = artefact.meta["epsilon"] >= artefact.meta["first"]
        assert (artefact.meta["predicted"] != artefact.meta["label"]) is turned


def test_an_attack_that_costs_more_than_allowed_is_not_repeated_and_that_is_said(tmp_path):
    pgd = {"pgd": {"steps": 40}}
    results = audited(tmp_path, eight(), stresses=("pgd",), params=pgd)
    (report,) = results.probes
    assert results.artefacts == ()
    assert [note.code for note in report.notes] == ["flips-none"]


def test_no_picture_where_text_is_burned_in(tmp_path):
    cases = [case(30, 0.25, True, burned_in=True), case(31, 0.25, False, burned_in=True), *eight()]
    results = audited(tmp_path, cases)
    assert {a.meta["case"] for a in results.artefacts} & {"0000001e", "0000001f"} == set()
    assert pictures(results)


def test_no_picture_where_pictures_are_off_and_none_without_an_attack(tmp_path):
    results = audited(tmp_path / "off", eight(), images=False)
    assert results.artefacts == ()
    assert results.probes[0].state == "skipped"
    unattacked = audited(tmp_path / "none", eight(), stresses=("inverted",))
    (report,) = unattacked.probes
    assert (report.state, unattacked.artefacts) == ("not applicable", ())


def test_a_decision_that_does_not_change_when_made_anew_is_named(tmp_path, monkeypatch):
    from audit.probes.flips import probe as module

    def unchanged(classifier, case, one, seed):
        levels = original(classifier, case, one, seed)
        clean = levels[0]
        return [type(clean)(x.epsilon, clean.x, clean.predicted, 1.0, 1.0) for x in levels]

    original = module.series
    monkeypatch.setattr(module, "series", unchanged)
    results = audited(tmp_path, eight()[:1] + eight()[4:5], stresses=("fgsm",))
    report: ProbeReport = results.probes[0]
    (note,) = report.notes
    assert (note.code, note.level) == ("flips-not-remade", "warning")
    assert "00000000" in note.text
    assert "00000004" in note.text
    assert {a.meta["flips"] for a in results.artefacts} == {False}


def test_names_and_words_hold_nothing_of_a_person(made):
    results, _ = made
    for artefact in results.artefacts:
        assert str(artefact.meta["case"]) in artefact.path
        assert set(artefact.meta) & {"patient", "path", "date"} == set()
