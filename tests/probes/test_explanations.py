"""The probe that asks whether heat maps are evidence, on networks where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from explained_models import (
    SIDE,
    Net,
    ShowsNothing,
    ShowsTheInput,
    cases,
    classifier_of,
    explained,
    sight_of,
    trained,
)

from audit.cascade.assemble import assemble
from audit.cases.case import Cases
from audit.probes.explanations.pointing import CENTRE
from audit.probes.explanations.words import words
from audit.probes.registry import get_probe
from audit.results import Finding, ProbeReport

LAYERED = ("grad-cam", "score-cam")
METRICS = {"map_similarity_randomised", "faithfulness", "map_stability"}


def of(report: ProbeReport, metric: str, method: str, **more: object):
    (found,) = [
        f
        for f in report.findings
        if f.metric == metric
        and f.params.get("method") == method
        and all(f.params.get(name) == value for name, value in more.items())
    ]
    return found


def warned(report: ProbeReport) -> set[str]:
    return {note.code for note in report.notes if note.level == "warning"}


@pytest.fixture(scope="module")
def sound() -> ProbeReport:
    return explained(classifier_of(trained()), cases(30))


def test_a_network_that_has_learnt_to_see_the_patch_is_not_flagged(sound: ProbeReport) -> None:
    assert sound.state == "done"
    assert warned(sound) == set()


@pytest.mark.parametrize("method", [*LAYERED, "smoothgrad"])
def test_its_maps_point_at_the_patch_where_chance_and_the_centre_do_not(sound, method) -> None:
    game = of(sound, "pointing_game", method)
    centre = of(sound, "pointing_game", CENTRE)
    (chance,) = [f for f in sound.findings if f.metric == "pointing_chance"]
    assert game.low > 0.6
    assert centre.value < 0.3
    assert chance.value < 0.15


@pytest.mark.parametrize("method", [*LAYERED, "smoothgrad"])
def test_its_maps_mark_what_the_score_depends_on_and_change_with_the_weights(sound, method) -> None:
    assert of(sound, "faithfulness", method).low > 0
    assert of(sound, "map_similarity_randomised", method).high < 0.6
    assert of(sound, "map_stability", method, under="noise").low > 0.8


def test_maps_that_are_the_image_itself_are_called_no_evidence() -> None:
    report = explained(classifier_of(ShowsTheInput(trained())), cases(30))
    flagged = [n.text for n in report.notes if n.code == "explanation-not-evidence"]
    assert [text.split()[0] for text in flagged] == ["Grad-CAM", "Score-CAM"]
    for method in LAYERED:
        assert of(report, "map_similarity_randomised", method).value == pytest.approx(1, abs=1e-3)
    assert of(report, "map_similarity_randomised", "smoothgrad").high < 0.6


def test_maps_of_a_pattern_without_a_bearing_on_the_score_are_called_unfaithful() -> None:
    report = explained(classifier_of(ShowsNothing(trained())), cases(30))
    flagged = [n.text for n in report.notes if n.code == "explanation-unfaithful"]
    assert len(flagged) == len(LAYERED)
    assert all(
        title in text for title, text in zip(("Grad-CAM", "Score-CAM"), flagged, strict=True)
    )
    assert of(report, "faithfulness", "smoothgrad").low > 0


def test_a_network_whose_score_hardly_moves_is_not_called_unfaithful() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = classifier_of(Net().eval())
    report = explained(model, cases(20))
    assert "explanation-unfaithful" not in warned(report)
    assert any(n.code == "explanation-faithfulness-open" for n in report.notes)


def test_the_audited_classifier_is_left_as_it_was() -> None:
    module = Net(norm=True).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    explained(classifier_of(module), cases(20), forwards=2500)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert not any(m._forward_hooks for m in module.modules())
    assert not module.training


def test_the_same_audit_gives_the_same_numbers() -> None:
    model, listed = classifier_of(trained()), cases(24)
    assert explained(model, listed, forwards=2500) == explained(model, listed, forwards=2500)


def test_what_may_be_spent_bounds_the_forwards() -> None:
    model = classifier_of(trained())
    sight = sight_of(model, cases(40))
    sight.forwards = 2000
    before = model.forwards
    report = get_probe("explanations")(sight)
    assert model.forwards - before <= 2000
    assert report.details["looked_at"]["grad-cam"] == 11
    assert set(report.details["left_out"]) == {"score-cam", "smoothgrad"}
    assert sum(n.code == "explanation-left-out" for n in report.notes) == 2


def test_time_that_is_up_keeps_what_was_seen_and_says_so() -> None:
    sight = sight_of(classifier_of(trained()), cases(24))
    sight.deadline = 0.0
    report = get_probe("explanations")(sight)
    assert report.state == "done"
    assert sum(n.code == "explanation-left-out" for n in report.notes) == 3
    assert all(f.value is None and f.reason for f in report.findings)


@pytest.mark.parametrize(("layer", "why"), [(None, "no convolutional layer")])
def test_without_a_layer_it_is_not_applicable(layer, why) -> None:
    report = explained(classifier_of(Net().eval(), layer), cases(12))
    assert report.state == "not applicable"
    assert why in str(report.reason)


def test_patients_with_several_images_make_intervals_wider() -> None:
    model = classifier_of(trained())
    alone = explained(model, cases(24), forwards=2500)
    grouped = explained(model, cases(24, per_patient=6), forwards=2500)
    one = of(alone, "map_stability", "grad-cam", under="noise")
    other = of(grouped, "map_stability", "grad-cam", under="noise")
    assert one.method == "t"
    assert other.method == "t, clustered by patient"
    assert np.isclose(one.value, other.value, atol=0.05)


def test_a_cascade_has_grad_cam_only_and_says_so() -> None:
    whole = assemble({"frontal": classifier_of(trained())}, size=SIDE)
    report = explained(whole, cases(12))
    assert {f.params.get("method") for f in report.findings} <= {"grad-cam", CENTRE, None}
    assert any(n.code == "explanation-cascade" for n in report.notes)
    assert warned(report) == set()
    assert of(report, "map_similarity_randomised", "grad-cam").high < 0.7


def test_a_layer_of_a_single_cell_is_named_and_the_pixels_are_still_looked_at() -> None:
    report = explained(classifier_of(trained(), "pool"), cases(12))
    assert set(report.details["left_out"]) == set(LAYERED)
    assert of(report, "map_similarity_randomised", "smoothgrad").high < 0.6


def test_fewer_than_ten_cases_are_not_examined() -> None:
    report = explained(classifier_of(trained()), cases(8))
    assert report.state == "not applicable"
    assert "fewer than 10" in str(report.reason)


def test_maps_that_lie_elsewhere_than_lesions_in_the_middle_are_said_to() -> None:
    low = (SIDE - 4) // 2
    middle = ((low, low, low + 4, low + 4),)
    listed = cases(30)
    moved = [replace(case, boxes=middle if case.boxes else ()) for case in listed]
    report = explained(classifier_of(trained()), Cases(moved, listed.description), forwards=2500)
    (note,) = [n for n in report.notes if n.code == "explanation-beside-lesions"]
    assert note.text.startswith("The highest point of Grad-CAM maps")
    assert of(report, "pointing_game", CENTRE).value == 1


@pytest.mark.parametrize(("high", "codes"), [(0.45, ["explanation-unstable"]), (0.55, [])])
def test_maps_are_unstable_only_when_the_whole_interval_says_so(high: float, codes) -> None:
    params = {"method": "grad-cam", "under": "noise", "sigma": 0.01}
    found = Finding(
        metric="map_stability", params=params, value=0.4, low=0.3, high=high, method="t", n=30
    )
    assert [note.code for note in words("grad-cam", [found], {}, 1.0)] == codes


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_sound_networks_of_other_seeds_are_left_alone(seed: int) -> None:
    model, listed = classifier_of(trained(seed, grid=3)), cases(30, seed=50 + seed)
    assert sight_of(model, listed).predictions.clean_correct().mean() > 0.9
    assert warned(explained(model, listed, seed=seed)) == set()
