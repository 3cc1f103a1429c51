"""A4 as a reader meets it: nothing beyond the margins, no lonely heading, no empty page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.results import Finding, Results
from reports.card import Card, load_card
from reports.edition import Edition
from reports.render import render_html
from tests.reports.hostile import poisoned, poisoned_card, poisoned_verdict
from tests.reports.layout import Sheet, laid_out
from tests.sample_results import proportion, sample_results, sample_verdict

EXAMPLE = Path(__file__).parents[2] / "examples" / "card.yaml"
LEAST_INK = 0.05  # of the room for text


def cleared(results: Results, findings: tuple[Finding, ...]) -> Results:
    return results.model_copy(update={"findings": findings, "artefacts": ()})


def one_finding(_folder: Path) -> Results:
    sample = sample_results()
    return cleared(sample, sample.findings[:1])


def forty_findings(_folder: Path) -> Results:
    sample = sample_results()
    return cleared(sample, sample.findings[:40])


def four_hundred_findings(folder: Path) -> Results:
    return sample_results(folder)


def thirty_groups(_folder: Path) -> Results:
    """Sensitivity and specificity of thirty hospitals with long names."""
    sample = sample_results()
    found = list(sample.findings[:30])
    for number in range(30):
        group = {"referring hospital": f"Hospital of the long name, department {number}"}
        found.append(proportion("sensitivity", 10 + number % 5, 20, group=group))
        found.append(proportion("specificity", 80 + number % 9, 100, group=group))
        found.append(proportion("accuracy", 90 + number % 9, 120, group=group))
    return cleared(sample, tuple(found))


def long_names(_folder: Path) -> Results:
    sample = poisoned(sample_results(), "Averyverylongnamewithoutanyspaces" * 3)
    return cleared(sample, tuple(f for f in sample.findings if f.stress in {"clean", "fgsm"}))


def sheets_of(results: Results, folder: Path, language: str = "en", *, stated: bool) -> list[Sheet]:
    card = load_card(EXAMPLE) if stated else Card()
    html = render_html(
        results,
        folder,
        card=card,
        verdict=sample_verdict() if stated else None,
        edition=Edition(language="nl" if language == "nl" else "en"),
        for_pdf=True,
    )
    return laid_out(html)


def assert_readable(sheets: list[Sheet]) -> None:
    for sheet in sheets:
        assert not sheet.outside, f"page {sheet.number}: {sheet.outside[:3]} beyond the margin"
        assert not sheet.lone_headings, f"page {sheet.number} ends with {sheet.lone_headings}"
        assert sheet.filled > LEAST_INK, f"page {sheet.number} holds {sheet.filled:.1%}"


def test_the_instrument_finds_what_stands_beyond_the_margin_and_headings_left_alone() -> None:
    page = "<style>@page { size: 400px 200px; margin: 20px } h2 { margin: 0 }</style>"
    wide = laid_out(f'{page}<div style="width: 900px; text-align: right">far away</div>')
    assert wide[0].outside == ["far away"]
    # WeasyPrint keeps a heading with what follows unless it is told not to.
    apart = "<style>h2 { font-size: 16px; break-after: auto }</style>"
    low = laid_out(f"{page}{apart}<div style='height: 120px'>a</div><h2>Alone</h2><p>next<p>")
    assert low[0].lone_headings == ["Alone"]
    assert low[1].lone_headings == []
    # By hand: 360 × 160 px of room, a box of 90 × 160 px in it.
    quarter = laid_out(
        f"{page}<img style='width: 90px; height: 160px; display: block' src='data:image/svg+xml,"
        "<svg xmlns=%22http://www.w3.org/2000/svg%22 width=%2210%22 height=%2210%22/>'>"
    )
    assert quarter[0].filled == pytest.approx(0.25)


def test_a_report_of_one_finding_without_a_card_is_readable(tmp_path: Path) -> None:
    sheets = sheets_of(one_finding(tmp_path), tmp_path, stated=False)
    assert_readable(sheets)
    assert "Signature" in sheets[0].text
    assert "Contents" in sheets[1].text


@pytest.mark.slow
@pytest.mark.parametrize("stated", [False, True], ids=["no card", "full card"])
@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize(
    "made",
    [forty_findings, four_hundred_findings, thirty_groups, long_names],
    ids=lambda m: m.__name__,
)
def test_a_report_is_readable(
    made: Callable[[Path], Results], language: str, stated: bool, tmp_path: Path
) -> None:
    sheets = sheets_of(made(tmp_path), tmp_path, language, stated=stated)
    assert_readable(sheets)
    assert ("Handtekening" if language == "nl" else "Signature") in sheets[0].text
    assert ("Leeswijzer" if language == "nl" else "How to read") in sheets[1].text


@pytest.mark.slow
@pytest.mark.parametrize("text", ["W" * 400, "ш" * 300, "漢字" * 200, "long words " * 60])
def test_page_one_is_one_page_whatever_is_written_there(tmp_path: Path, text: str) -> None:
    results = cleared(poisoned(sample_results(), text), ())
    html = render_html(
        results,
        tmp_path,
        card=poisoned_card(text[:300]),  # a card with longer names is refused
        verdict=poisoned_verdict(text),
        edition=Edition(language="nl"),
        for_pdf=True,
    )
    sheets = laid_out(html)
    assert "Handtekening" in sheets[0].text
    assert "Leeswijzer" in sheets[1].text
    assert not sheets[0].outside
