"""Section 9 as a reader meets it: what was measured of heat maps, and the words of the probe."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.results import Artefact, Finding, Note, ProbeReport
from reports.blocks import Cell, Figure, Gallery, Table
from reports.card import Card
from reports.material import Material
from reports.panels.registry import load_panels
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.sample_results import sample_results

WORDS = {
    "explanation-not-evidence": "Grad-CAM maps are not evidence.",
    "explanation-unfaithful": "Removing what Grad-CAM marks changes nothing more.",
    "explanation-sample": "Maps were examined on 40 cases.",
}


def finding(metric: str, value: float, **params: object) -> Finding:
    more = {"low": value - 0.1, "high": value + 0.1, "method": "t", "n": 40}
    return Finding(metric=metric, value=value, params={"method": "grad-cam", **params}, **more)


def report() -> ProbeReport:
    curve = {name: [0.9, 0.5] for name in ("most", "least", "control_most", "control_least")}
    return ProbeReport(
        probe="explanations",
        findings=(
            finding("map_similarity_randomised", 0.85),
            finding("faithfulness", -0.012),
            finding("map_stability", 0.75, under="fgsm", epsilon=2 / 255),
            finding("pointing_game", 0.6).model_copy(update={"events": 24}),
            Finding(metric="pointing_chance", value=0.08, low=0.05, high=0.11, n=40),
        ),
        notes=tuple(Note(code=code, level="info", text=text) for code, text in WORDS.items()),
        details={"curves": {"grad-cam": curve}, "removed": [0.1, 0.9]},
    )


def material(*probes: ProbeReport, artefacts: tuple[Artefact, ...] = ()) -> Material:
    results = sample_results().model_copy(update={"probes": probes, "artefacts": artefacts})
    return Material(results, Path("."), Card(), read_verdict(None))


def tables(found: Material) -> dict[str, Table]:
    blocks = load_panels()["explanations"](found)
    return {b.caption: b for b in blocks if isinstance(b, Table)}


def test_every_measure_is_a_question_in_one_table_with_its_interval() -> None:
    table = tables(material(report()))["Heat maps as evidence"]
    asked = {row[0].text: row for row in table.rows if isinstance(row[0], Cell)}
    same = asked["Is it like the map of randomised weights?"]
    assert same[1].text == ".850"
    assert "above .7" in same[0].sub
    attacked = asked["Is it the same under an attack that keeps the decision?"]
    assert "2/255" in attacked[0].sub
    pointing = asked["Is its highest point at a lesion?"][1]
    assert (pointing.text, pointing.sub.split(" · ")[1]) == ("60.0%", "24/40")
    assert "A point drawn at random would in 8.0%" in table.note
    assert list(table.columns) == ["Asked of the map", "Grad-CAM"]


def test_the_share_inside_boxes_stands_in_the_same_table_and_only_under_grad_cam() -> None:
    boxes = ProbeReport(
        probe="gradcam",
        findings=(
            Finding(metric="cam_energy_in_box", value=0.026, low=0.016, high=0.038, n=29),
            Finding(metric="box_area", value=0.009, low=0.007, high=0.013, n=29),
        ),
    )
    other = finding("faithfulness", 0.1).model_copy(update={"params": {"method": "smoothgrad"}})
    both = report().model_copy(update={"findings": (*report().findings, other)})
    table = tables(material(both, boxes))["Heat maps as evidence"]
    (row,) = [row for row in table.rows if "lesion boxes?" in row[0].text]
    assert "0.9% of the image" in row[0].sub
    assert [cell.text for cell in row[1:]] == ["2.6%", "–"]


def test_the_curves_are_drawn_beside_their_control_over_a_table_of_their_numbers() -> None:
    (figure,) = [
        b for b in load_panels()["explanations"](material(report())) if isinstance(b, Figure)
    ]
    assert "control" in figure.caption
    assert "probability" in figure.alt
    table = tables(material(report()))["Mean P(predicted class) by share of the pixels removed"]
    assert list(table.columns[2:]) == ["10%", "90%"]
    assert [list(row[2:]) for row in table.rows] == [[".90", ".50"]] * 4


@pytest.mark.parametrize(
    ("field", "told"),
    [("explain.sanity", "No evidence, as they hardly change with randomised weights: Grad-CAM"),
     ("explain.faithfulness", "What Grad-CAM marks matters no more to the score")],
)  # fmt: skip
def test_the_fields_say_what_the_signs_come_to_and_leave_numbers_to_the_table(
    field: str, told: str
) -> None:
    give = load_values()[field]
    (line,) = give(material(report()))
    assert line.startswith(told)
    assert not any(character.isdigit() for character in line)
    assert give(material()) is None
    failed = ProbeReport(probe="explanations", state="failed", reason="time")
    assert give(material(failed)) is None


def test_methods_layer_target_and_rule_are_named() -> None:
    rule = {"rule": "first 3 of each", "seed": 11, "layer": "features.12"}
    found = material(report(), ProbeReport(probe="gradcam", details=rule))
    values = load_values()
    assert values["explain.method"](found) == (
        "Grad-CAM; layer features.12; target: the predicted class"
    )
    assert values["explain.rule"](found) == "first 3 of each; seed 11"
    assert values["explain.method"](material()) is None


def test_nothing_is_printed_without_the_probe() -> None:
    assert load_panels()["explanations"](material()) == []


def picture(outcome: str, picked: str = "seeded order", rank: int = 1, view: str = "") -> Artefact:
    meta = {"outcome": outcome, "view": view, "picked": picked, "rank": rank}
    path = f"figures/gradcam-{outcome}-{view}-{rank}.png"
    return Artefact(path=path, kind="gradcam", sha256="", title=path, alt="x", meta=meta)


GRADCAM = ProbeReport(probe="gradcam", details={"rule": "r", "control": "random"})


def galleries(*shown: Artefact) -> list[Gallery]:
    blocks = load_panels()["gallery"](material(GRADCAM, artefacts=shown))
    return [b for b in blocks if isinstance(b, Gallery)]


def test_confident_errors_have_a_gallery_of_their_own_before_the_rest() -> None:
    found = galleries(
        picture("TP"),
        picture("FN", "most confident", 2),
        picture("FP", "most confident", 1),
        picture("TN", "most confident", 1),
    )
    titles = [gallery.title for gallery in found]
    assert titles == ["Most confident and wrong", "Most confident and right", "True positives"]
    assert "FP--1" in found[0].pictures[0].caption


def test_the_pdf_has_the_surest_errors_and_four_of_each_outcome_views_in_turn() -> None:
    views = ["frontal", "lateral", "oblique", "axial", "other"]  # by how many images they have
    shown = [picture("FN", rank=rank, view=view) for view in views for rank in (2, 1)]
    surest = [picture("TN", "most confident", 1), picture("FP", "most confident", 1)]
    found = {gallery.title: gallery for gallery in galleries(*shown, *surest)}
    assert [f.screen_only for f in found["Most confident and wrong"].pictures] == [False]
    assert [f.screen_only for f in found["Most confident and right"].pictures] == [True]
    printed = [f for f in found["False negatives"].pictures if not f.screen_only]
    assert len(printed) == 4
    assert all("-1.png" in figure.caption for figure in printed)
    assert [f.data["view"] for f in printed][:3] == ["frontal", "lateral", "oblique"]
    blocks = load_panels()["gallery"](material(GRADCAM, artefacts=(*shown, *surest)))
    assert "The PDF shows 5 of 12" in blocks[-1].text
    few = galleries(*(picture("TP", rank=rank) for rank in (1, 2, 3)))
    assert [f.screen_only for f in few[0].pictures] == [False] * 3


def test_every_picture_carries_the_outcome_and_view_to_filter_by() -> None:
    (gallery,) = galleries(picture("FP", view="lateral"))
    assert gallery.use == "filter"
    assert gallery.pictures[0].data == {"outcome": "False positives", "view": "lateral"}


def test_no_word_of_the_section_claims_too_much() -> None:
    blocks = load_panels()["explanations"](material(report()))
    words = " ".join(
        text for block in blocks for text in vars(block).values() if isinstance(text, str)
    )
    assert overclaims(words) == []
