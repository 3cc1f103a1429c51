"""Section 8's pictures as a reader meets them: words, order, what is left out, hostile values."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.results import Artefact, ProbeReport, Results
from reports.blocks import Gallery, Text
from reports.captions import alt, caption
from reports.card import Card
from reports.edition import Edition
from reports.language import speaking
from reports.material import Material
from reports.panels.registry import load_panels
from reports.render import render_html
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.reports.page import read_page
from tests.reports.sample_flips import with_flips
from tests.sample_results import sample_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flips")


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return with_flips(sample_results(folder), folder)


def blocks(panel: str, results: Results, folder: Path, edition: Edition | None = None) -> list:
    material = Material(results, folder, Card(), read_verdict(None), edition or Edition())
    return list(load_panels()[panel](material))


def series(results: Results, folder: Path) -> list[Gallery]:
    return [b for b in blocks("flip_pictures", results, folder) if isinstance(b, Gallery)]


def test_a_series_stands_per_case_in_the_order_of_the_rule(results, folder):
    found = series(results, folder)
    assert [gallery.title for gallery in found] == [
        "Case bb22, lateral, labelled normal: FGSM changes the decision at ε = 2/255",
        "Case aa11, frontal, labelled fractured: FGSM changes the decision at ε = 2/255",
    ]
    assert {gallery.use for gallery in found} == {"slider"}


def test_levels_rise_and_what_was_added_stands_last_outside_the_slider(results, folder):
    (_, gallery) = series(results, folder)
    assert [figure.data.get("step") for figure in gallery.pictures] == [
        "ε = 0/255: predicted fractured, P(fractured) = .90",
        "ε = 1/255: predicted fractured, P(fractured) = .70",
        "ε = 2/255: predicted normal, P(fractured) = .50",
        "ε = 4/255: predicted normal, P(fractured) = .30",
        "ε = 8/255: predicted normal, P(fractured) = .10",
        None,
    ]
    assert gallery.pictures[-1].caption.startswith("What was added at ε = 2/255, × 50")
    assert all(f.source.startswith("data:image/png") for f in gallery.pictures)


def test_a_case_that_does_not_change_when_made_anew_says_so(results, folder):
    def changed(update: dict[str, bool]) -> Results:
        artefacts = tuple(
            a.model_copy(update={"meta": {**a.meta, **update}}) if a.kind == "flip" else a
            for a in results.artefacts
        )
        return results.model_copy(update={"artefacts": artefacts})

    assert {g.note for g in series(results, folder)} == {""}
    (note,) = {g.note for g in series(changed({"flips": False}), folder)}
    assert "does not change the decision" in note
    (note,) = {g.note for g in series(changed({"flips_in_8_bits": False}), folder)}
    assert "rounding to 8 bits" in note


def test_position_and_levels_of_the_pixel_stand_in_its_caption(results, folder):
    (gallery,) = blocks("one_pixel_pictures", results, folder)
    assert len(gallery.pictures) == 2
    assert "column 103, row 57 from 112 to 255 of 255" in gallery.pictures[0].caption
    assert "P(fractured) = .62; then normal, .41" in gallery.pictures[0].caption
    assert "20261122" in gallery.note


@pytest.mark.parametrize("panel", ["flip_pictures", "one_pixel_pictures"])
def test_the_edition_without_images_counts_what_it_leaves_out(panel, results, folder):
    (left_out,) = blocks(panel, results, folder, Edition(images=False))
    assert isinstance(left_out, Text)
    count = 12 if panel == "flip_pictures" else 2
    assert left_out.text == f"Left out: {count} pictures (edition without images)."


def test_without_the_probe_nothing_is_printed_and_a_failure_is_said(results, folder):
    plain = sample_results()
    assert blocks("flip_pictures", plain, folder) == []
    for state, told in (("failed", 1), ("skipped", 0), ("not applicable", 0)):
        report = ProbeReport(probe="flips", state=state, reason="r")
        found = plain.model_copy(update={"probes": (report,)})
        assert len(blocks("flip_pictures", found, folder)) == told


def test_dutch_says_the_same_of_a_picture(results, folder):
    (flip,) = [a for a in results.artefacts if a.path.endswith("flip-aa11-2.png")]
    with speaking("nl"):
        assert caption(flip) == "ε = 2/255: voorspeld normal, P(fractured) = 0,50"
        assert alt(flip).startswith("Röntgenfoto, frontal, gelabeld als fractured")
        (gallery,) = blocks("one_pixel_pictures", results, folder)
        assert "kolom 103, rij 57" in gallery.pictures[0].caption


def test_a_picture_of_a_phantom_says_so_in_its_caption(results):
    flip = next(a for a in results.artefacts if a.kind == "flip")
    marked = flip.model_copy(update={"title": f"Synthetic: {flip.title}"})
    assert caption(marked) == f"Synthetic: {caption(flip)}"


HOSTILE: list[dict[str, object]] = [
    {"score": "<b>", "epsilon": "x"},
    {"predicted": "{case} {0} %s"},
    {"label": "</figcaption><script>alert(1)</script>"},
    {"case": "\u202e" + "A" * 5000},
    {"first": True, "times": "many", "series": 7},
]


@pytest.mark.parametrize("update", HOSTILE)
def test_values_that_nobody_expects_do_not_break_the_page(update, results, folder):
    artefacts = tuple(
        a.model_copy(update={"meta": {**a.meta, **update}}) for a in results.artefacts
    )
    bare = tuple(a.model_copy(update={"meta": {}}) for a in results.artefacts)
    for some in (artefacts, bare):
        changed = results.model_copy(update={"artefacts": some})
        for panel in ("flip_pictures", "one_pixel_pictures", "gallery"):
            assert blocks(panel, changed, folder)
    page = read_page(render_html(results.model_copy(update={"artefacts": artefacts}), folder))
    assert len(page.tags("script")) == 1


def test_no_word_claims_too_much(results, folder):
    told = [
        text
        for panel in ("flip_pictures", "one_pixel_pictures")
        for block in blocks(panel, results, folder)
        for text in (vars(block).values())
        if isinstance(text, str)
    ]
    told += [
        word for a in results.artefacts if isinstance(a, Artefact) for word in (alt(a), caption(a))
    ]
    assert overclaims(" ".join(told)) == []
