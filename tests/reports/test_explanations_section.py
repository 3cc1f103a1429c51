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


def test_every_number_stands_in_the_table_with_its_interval() -> None:
    (table,) = [
        b for b in load_panels()["explanations"](material(report())) if isinstance(b, Table)
    ]
    cells = {str(row[0]): row[1] for row in table.rows}
    told = {name: (c.text, c.sub) for name, c in cells.items() if isinstance(c, Cell)}
    assert ".850" in told["like the map of randomised weights (rank correlation)"][0]
    assert any("2/255" in name for name in told)
    assert any(text == "60.0%" and "24/40" in sub for text, sub in told.values())
    assert "8.0%" in table.note


def test_the_curves_are_drawn_beside_their_control_with_words_for_those_who_cannot_see() -> None:
    (figure,) = [
        b for b in load_panels()["explanations"](material(report())) if isinstance(b, Figure)
    ]
    assert "control" in figure.caption
    assert "probability" in figure.alt


@pytest.mark.parametrize(
    ("field", "code"),
    [("explain.sanity", "explanation-not-evidence"),
     ("explain.faithfulness", "explanation-unfaithful")],
)  # fmt: skip
def test_the_fields_repeat_the_words_of_the_probe(field: str, code: str) -> None:
    give = load_values()[field]
    assert give(material(report())) == [WORDS[code]]
    assert give(material()) is None
    failed = ProbeReport(probe="explanations", state="failed", reason="time")
    assert give(material(failed)) is None


def test_nothing_is_printed_without_the_probe() -> None:
    assert load_panels()["explanations"](material()) == []


def test_confident_errors_have_a_gallery_of_their_own_before_the_rest() -> None:
    def picture(outcome: str, picked: str, rank: int) -> Artefact:
        meta = {"outcome": outcome, "view": "", "picked": picked, "rank": rank}
        path = f"figures/gradcam-{outcome}-{rank}.png"
        return Artefact(path=path, kind="gradcam", sha256="", title=path, alt="x", meta=meta)

    shown = (
        picture("TP", "seeded order", 1),
        picture("FN", "most confident", 2),
        picture("FP", "most confident", 1),
        picture("TN", "most confident", 1),
    )
    gradcam = ProbeReport(probe="gradcam", details={"rule": "r", "control": "random"})
    blocks = load_panels()["gallery"](material(gradcam, artefacts=shown))
    galleries = [b for b in blocks if isinstance(b, Gallery)]
    titles = [gallery.title for gallery in galleries]
    assert titles == ["Most confident and wrong", "Most confident and right", "True positives"]
    assert "FP-1" in galleries[0].pictures[0].caption
    assert "control: random" in blocks[-1].text


def test_no_word_of_the_section_claims_too_much() -> None:
    blocks = load_panels()["explanations"](material(report()))
    words = " ".join(
        text for block in blocks for text in vars(block).values() if isinstance(text, str)
    )
    assert overclaims(words) == []
