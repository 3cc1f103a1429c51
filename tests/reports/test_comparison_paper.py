"""The report on two audits on A4: one first page, nothing beyond the margins, the same bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from audit.compare.results import Comparison, Pairs
from audit.results import Note
from reports.card import Card
from reports.comparison.chapters import PLAN
from reports.comparison.render import render_comparison
from reports.edition import Edition
from reports.language import Language
from reports.pdf import render_pdf
from reports.wording import FOOTER
from tests.reports.hostile import poisoned_card, poisoned_verdict
from tests.reports.layout import laid_out
from tests.reports.sample_comparison import (
    WEIGHTS,
    audit,
    clean,
    difference,
    families,
    many,
    sample_comparison,
    sample_drop_verdict,
)

LEAST_INK = 0.02  # the last page may hold little; an empty one holds nothing
DATE = "2026-11-22"
LONG = "Averyverylongnamewithoutanyspaces" * 9


def paper(found: Comparison, language: Language = "en", **asked: Any) -> str:
    return render_comparison(found, edition=Edition(language=language), for_pdf=True, **asked)


def long_names() -> Comparison:
    facts = {"model": LONG, "data": LONG, "run_id": LONG, "architecture": LONG}
    group = {LONG: LONG}
    return sample_comparison(
        [difference("sensitivity", 61, 46, 15, 2, group=group)],
        base=audit("base", **facts),
        new=audit("new", **facts),
        positive_class=LONG,
    )


def of_groups(count: int) -> Comparison:
    return sample_comparison(differences=tuple(families([*clean(), *many(count)])))


CASES = {
    "the sample": (sample_comparison, "en", None),
    "the sample in Dutch": (sample_comparison, "nl", None),
    "one difference": (
        lambda: sample_comparison(differences=(clean()[1],), levels=(), flips=(), notes=()),
        "en",
        None,
    ),
    "40 differences": (lambda: of_groups(40), "en", None),
    "400 differences": (lambda: of_groups(400), "en", None),
    "long names": (long_names, "en", LONG),
    "many long words in Dutch": (long_names, "nl", "long words " * 25),
}


def crowded() -> Comparison:
    """Page one with as much of everything as it can be asked to hold."""
    facts: dict[str, Any] = {
        "model": "A model with a long name, retrained once again",
        "architecture": "EfficientNet-B0 with three heads",
        "data": "Fractures of the wrist, all hospitals, 2026",
        "run_id": "20261122-a-run-with-a-long-name",
        "synthetic": True,
    }
    known = WORST | {"stress": "rotation_translation", "defence": "tta"}
    worse = [difference("robust_sensitivity", 61, 46, 25, 1, **known) for _ in range(5)]
    better = [difference("robust_specificity", 61, 6, 1, 25, **known) for _ in range(5)]
    warnings = [Note(code=f"w{n}", level="warning", text="Not all is compared. " * 9) for n in "12"]
    return sample_comparison(
        [*worse, *better],
        base=audit("base", **facts),
        new=audit("new", **facts),
        notes=tuple(warnings),
        pairs=Pairs(
            paired=400,
            only_base=12,
            only_new=9,
            labels={f"a class with a long name {n}": 80 for n in range(5)},
            patients=250,
        ),
    )


WORST: dict[str, Any] = {
    "params": {"epsilon": 8 / 255, "steps": 10},
    "group": {"hospital of acquisition": "the old wing by the river, site 12"},
}


def most_rules() -> dict[str, Any]:
    verdict: dict[str, Any] = sample_drop_verdict()
    verdict["rules"] = [{**r, "id": f"{r['id']}-{n}"} for n in range(4) for r in verdict["rules"]]
    return verdict


FULL_PAGES = {
    "everything at once": (crowded, most_rules()),
    "everything but rules": (crowded, None),
    "many short regressions and gains": (lambda: of_groups(60), None),
}


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("name", FULL_PAGES)
def test_page_one_holds_its_signatures_however_much_became_worse(
    name: str, language: Language
) -> None:
    make, verdict = FULL_PAGES[name]
    found = make()
    assert sum(d.verdict == "worse" for d in found.differences) > 3
    card = poisoned_card("version two, of the summer, for all hospitals")
    first, second = laid_out(paper(found, language, cards=(card, card), verdict=verdict))[:2]
    sign, contents = {"en": ("Signature", "Contents"), "nl": ("Handtekening", "Inhoud")}[language]
    assert first.text.count(sign) == 2
    assert second.text.startswith(contents)
    assert not first.outside


def test_no_word_of_the_table_without_stress_is_broken_in_dutch() -> None:
    sheets = laid_out(paper(sample_comparison(), "nl"))
    words = {mark.words for sheet in sheets[2:4] for mark in sheet.marks}
    assert {"Nauwkeurigheid", "15, 2", "procentpunten"} <= words


QUICK = "the sample"
RUNS = [pytest.param(n, marks=[] if n == QUICK else pytest.mark.slow) for n in CASES]


@pytest.mark.parametrize("name", RUNS)
def test_nothing_stands_beyond_the_margins_and_page_one_is_one_page(name: str) -> None:
    make, language, text = CASES[name]
    card = poisoned_card(text) if text else Card()
    verdict = poisoned_verdict(text) if text else sample_drop_verdict()
    sheets = laid_out(
        paper(make(), "nl" if language == "nl" else "en", cards=(card, card), verdict=verdict)
    )
    for sheet in sheets:
        assert not sheet.outside, f"page {sheet.number}: {sheet.outside[:3]} beyond the margin"
        assert not sheet.lone_headings, f"page {sheet.number} ends with {sheet.lone_headings}"
        assert sheet.filled > LEAST_INK, f"page {sheet.number} holds {sheet.filled:.1%}"
    assert ("Handtekening" if language == "nl" else "Signature") in sheets[0].text
    assert ("Inhoud" if language == "nl" else "Contents") in sheets[1].text
    assert len(sheets) < 16


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return render_pdf(
        paper(sample_comparison(), "nl"), attachments={"compare.json": b"{}"}, date=DATE
    )


def test_it_is_tagged_titled_and_in_its_language(pdf: bytes) -> None:
    reader = PdfReader(BytesIO(pdf))
    assert reader.trailer["/Root"]["/Lang"] == "nl"
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith("Vergelijkingsrapport: SqueezeNet 1.1, retrained")
    assert "/StructTreeRoot" in reader.trailer["/Root"]


def test_every_page_carries_its_number_both_weights_and_the_limits_of_the_evidence(
    pdf: bytes,
) -> None:
    pages = PdfReader(BytesIO(pdf)).pages
    assert 5 < len(pages) < 12
    for number, page in enumerate(pages, start=1):
        text = " ".join(page.extract_text().split())
        assert f"pagina {number} van {len(pages)}" in text
        assert all(weights[:16] in text for weights in WEIGHTS.values())


def test_the_contents_lead_to_every_chapter(pdf: bytes) -> None:
    reader = PdfReader(BytesIO(pdf))
    names = reader.named_destinations
    assert {name for name, *_rest in PLAN} <= set(names)


@pytest.mark.slow
def test_the_same_comparison_gives_the_same_bytes(pdf: bytes) -> None:
    again = render_pdf(
        paper(sample_comparison(), "nl"), attachments={"compare.json": b"{}"}, date=DATE
    )
    assert again == pdf


def test_synthetic_images_are_said_to_be_so_on_every_page() -> None:
    found = sample_comparison(
        new=audit("new", synthetic=True), differences=(clean()[1],), levels=(), flips=()
    )
    html = paper(found)
    assert html.count("SYNTHETIC DATA") >= 3
    assert FOOTER in html
