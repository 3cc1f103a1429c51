"""Beside robust accuracy, wherever it is shown: that it may be an artefact of masked gradients."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from audit.gate.verdict import Verdict
from audit.results import Note, ProbeReport, Results
from hipaudit.screen import show_numbers
from hipaudit.summary import as_markdown, stressed_rows
from reports.card import Card
from reports.masking import caveat, masked_defences
from reports.material import Material
from reports.pdf import render_pdf
from reports.render import render_html
from reports.summary import summary
from reports.verdict import read_verdict
from tests.reports.hostile import poisoned, poisoned_card, poisoned_verdict
from tests.reports.page import read_page
from tests.reports.test_pdf import pages_of
from tests.sample_results import sample_results

SAID = "Robust accuracy without a defence may be an artefact of masked gradients: square saw it."


def results(*, defence: str = "none", artefact: bool = True, **changes: object) -> Results:
    flag = {"code": "masking-black-box", "defence": defence, "artefact": artefact, "count": 9}
    report = ProbeReport(
        probe="masking",
        notes=(Note(code="masking-black-box", level="warning", text=SAID),),
        details={"flags": [flag]},
    ).model_copy(update=changes)
    sound = sample_results()
    return sound.model_copy(update={"probes": (*sound.probes, report)})


def material(found: Results) -> Material:
    return Material(found, Path(), Card(), read_verdict(None))


def shown(found: Results) -> str:
    out = Console(width=200, record=True, file=io.StringIO())
    show_numbers(out, found)
    return out.export_text()


def test_page_one_says_it_and_so_does_the_worst_finding_under_attack() -> None:
    page = summary(material(results()))
    assert page.caveat.startswith("Robust accuracy without a defence may be an artefact")
    under_pgd = [sentence for sentence in page.worst if "PGD" in sentence]
    assert under_pgd
    assert all("may be an artefact of masked gradients" in sentence for sentence in under_pgd)
    others = [sentence for sentence in page.worst if "PGD" not in sentence]
    assert others
    assert not any("artefact" in sentence for sentence in others)


def test_the_report_shows_the_sign_in_section_8_and_on_page_one() -> None:
    text = read_page(render_html(results(), Path())).text
    assert SAID in text
    assert text.index("section 8 of the report") < text.index(SAID)


def test_the_terminal_and_markdown_mark_every_attack_and_no_corruption() -> None:
    found = results()
    kinds = {run.stress: run.kind for run in found.plan.runs}
    rows = stressed_rows(found)
    marked = {row[0].split()[0] for row in rows if row[0].endswith("†")}
    plain = {row[0].split()[0] for row in rows if not row[0].endswith("†")}
    assert {kinds.get(name, "attack") for name in marked} == {"attack"}
    assert "corruption" in {kinds.get(name) for name in plain}
    for text in (shown(found), as_markdown(found, Verdict(outcome="no gate set", exit_code=0))):
        assert "† Robust accuracy without a defence may be an artefact of masked" in text


@pytest.mark.parametrize(
    "found",
    [
        sample_results(),
        results(artefact=False),
        results(state="failed", reason="RuntimeError"),
    ],
    ids=["no probe", "a trap for others only", "failed"],
)
def test_where_there_is_no_sign_nothing_is_marked(found: Results) -> None:
    assert caveat(found) == ""
    assert summary(material(found)).caveat == ""
    assert not any("†" in row[0] for row in stressed_rows(found))
    assert "artefact of masked" not in shown(found)


def test_a_sign_under_a_defence_marks_that_defence_only() -> None:
    found = results(defence="tta")
    assert masked_defences(found) == ["tta"]
    assert caveat(found).startswith("Robust accuracy under TTA (test-time augmentation) may be")
    marked = [row[0] for row in stressed_rows(found) if "†" in row[0]]
    assert all("with tta" in name for name in marked)


@pytest.mark.slow
def test_page_one_stays_one_page_with_the_longest_names_and_the_caveat(tmp_path: Path) -> None:
    text = "long words " * 25
    sample = poisoned(sample_results(synthetic=True), text)
    names = ("none", "adversarial-training", "randomised-smoothing", "quality-filter", "tta")
    flags = [{"code": "masking-half", "defence": name, "artefact": True} for name in names]
    report = ProbeReport(probe="masking", details={"flags": flags})
    clean = tuple(f for f in sample.findings if f.stress in {"clean", "fgsm"})
    found = sample.model_copy(update={"findings": clean, "artefacts": (), "probes": (report,)})
    html = render_html(
        found, tmp_path, card=poisoned_card(text), verdict=poisoned_verdict(text), for_pdf=True
    )
    pages = pages_of(render_pdf(html, attachments={}, date="2026-01-02"), tmp_path)
    assert "artefact of masked gradients" in pages[0]
    assert "Signature" in pages[0]
    assert "How to read this report" in pages[1]
