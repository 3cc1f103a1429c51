"""The report as HTML: complete, escaped, one file, and made from audit.json alone."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reports.law
from audit.results import Finding, Results
from reports.card import Card, load_card
from reports.edition import Edition
from reports.outline import outline
from reports.render import render_html
from reports.wording import FOOTER
from tests.reports.hostile import poisoned, poisoned_card, poisoned_verdict
from tests.reports.page import Page, read_page
from tests.sample_results import sample_results, sample_verdict

CHECKED = re.compile(r"^ *checked: *['\"]?(\d{4}-\d{2}-\d{2})", re.MULTILINE)
EXAMPLE = Path(__file__).parents[2] / "examples" / "card.yaml"
PAYLOADS = [
    "</td></table></style></title><script>alert(1)</script>",
    "<img src=http://evil.example/x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "{{ 7 * 191 }}{% include 'report.html.j2' %}{{ m.folder }}",
    "file:///etc/passwd",
    "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "<link rel=attachment href=file:///etc/passwd><base href=http://evil.example/>",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return sample_results(folder)


@pytest.fixture(scope="module")
def html(results: Results, folder: Path) -> str:
    return render_html(results, folder, verdict=sample_verdict())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return read_page(html)


def without_figures(results: Results) -> Results:
    """The same audit with nothing to draw: quick, for tests of words."""
    return results.model_copy(
        update={
            "artefacts": (),
            "findings": tuple(f for f in results.findings if f.stress == "clean" and not f.group),
        }
    )


def test_every_section_and_every_field_of_the_outline_is_printed(page: Page) -> None:
    ids = {attributes.get("id") for attributes in page.tags("section")}
    for section in outline():
        assert section.id in ids
        for row in section.rows:
            assert row.label in page.text
            for clause in row.asked:
                assert clause in page.text


def test_all_elements_are_closed_in_order(page: Page) -> None:
    assert page.unclosed == []


def test_without_a_card_every_human_field_prints_not_supplied(
    results: Results, folder: Path
) -> None:
    found = read_page(render_html(without_figures(results), folder))
    human = sum(row.source == "H" for section in outline() for row in section.rows)
    rows = [a for a in found.tags("tr") if a.get("class") == "not-supplied"]
    assert len(rows) == human
    assert f"Not supplied: {human} human statements" in found.text


def test_the_example_card_leaves_no_human_field_blank(results: Results, folder: Path) -> None:
    found = read_page(render_html(without_figures(results), folder, card=load_card(EXAMPLE)))
    assert not [a for a in found.tags("tr") if a.get("class") == "not-supplied"]
    assert "Not supplied: 0 human statements" in found.text
    assert "Cohen's kappa 0.81 on 200 double-read images" in found.text


def test_rates_stand_with_their_interval_and_counts(page: Page) -> None:
    # scipy.stats.beta.ppf gives 62.7 and 85.5 for 46 of 61
    assert "75.4% (95% CI 62.7–85.5%; 46/61)" in page.text
    assert "92.0% (95% CI 88.6–94.7%; 312/339)" in page.text


def test_a_rate_without_a_value_says_why(page: Page) -> None:
    assert "too few, n = 4" in page.text


def test_images_treated_as_independent_is_said_without_patient_ids(page: Page) -> None:
    assert "images treated as independent" in page.text.lower()
    assert "patients not identified" in page.text


def test_the_footer_and_the_law_sentence_are_printed(page: Page) -> None:
    assert FOOTER in page.text
    laws = Path(reports.law.__file__).parent.glob("*.yaml")
    days = [day for law in laws for day in CHECKED.findall(law.read_text(encoding="utf-8"))]
    assert len(days) > 20
    assert f"Law as at {min(days)}, not checked by a jurist" in page.text


def test_the_page_is_one_file_with_one_inline_script_and_no_outside_address(page: Page) -> None:
    assert [set(a) for a in page.tags("script")] == [{"data-words"}]
    assert not page.tags("link")
    assert all(a["src"].startswith("data:image/") for a in page.tags("img"))
    assert all(a["href"].startswith("#") for a in page.tags("a"))


def test_every_picture_has_an_alternative_text(page: Page) -> None:
    pictures = page.tags("img")
    assert len(pictures) > 16
    assert all(len(a["alt"]) > 20 for a in pictures)


def test_every_link_has_its_section_and_the_contents_name_all_nineteen(page: Page) -> None:
    ids = {a["id"] for _, a in page.elements if "id" in a}
    links = [a["href"][1:] for a in page.tags("a")]
    assert {section.id for section in outline()} <= set(links) <= ids
    assert len(outline()) == 19


def test_the_same_input_gives_the_same_page(html: str, results: Results, folder: Path) -> None:
    again = render_html(results, folder, verdict=sample_verdict())
    assert hashlib.sha256(again.encode()).digest() == hashlib.sha256(html.encode()).digest()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_in_every_field_stays_text(
    payload: str, results: Results, folder: Path
) -> None:
    bad = poisoned(without_figures(results), payload)
    card, verdict = poisoned_card(payload), poisoned_verdict(payload)
    for for_pdf in (False, True):
        found = read_page(render_html(bad, folder, card=card, verdict=verdict, for_pdf=for_pdf))
        assert len(found.tags("script")) == (0 if for_pdf else 1)  # our own
        assert not {"link", "base", "svg", "iframe"} & {tag for tag, _ in found.elements}
        assert all(a["src"].startswith("data:") for a in found.tags("img"))
        assert not [n for _, a in found.elements for n in a if n.startswith("on")]
        assert " ".join(payload.split()) in found.text
        assert str(7 * 191) not in found.text
        assert str(folder) not in found.text


def test_hostile_names_in_pictures_do_not_reach_their_svg(results: Results, folder: Path) -> None:
    import base64

    bad = poisoned(results, "<script>alert(1)</script>$\\frac{")
    page = read_page(render_html(bad, folder))
    drawn = [a["src"] for a in page.tags("img") if "svg" in a["src"][:30]]
    assert len(drawn) >= 5
    for source in drawn:
        assert b"<script" not in base64.b64decode(source.partition(",")[2])


def test_synthetic_data_is_said_in_title_head_and_band(folder: Path) -> None:
    results = without_figures(sample_results(synthetic=True))
    found = read_page(render_html(results, folder, for_pdf=True))
    assert "(SYNTHETIC DATA)" in found.text
    heads = [a for a in found.tags("div") if a.get("class") == "run-synthetic"]
    assert len(heads) == 1
    assert "SYNTHETIC DATA: no patient was examined" in found.text
    plain = read_page(render_html(without_figures(sample_results()), folder, for_pdf=True))
    assert "SYNTHETIC DATA" not in plain.text


def test_the_edition_without_images_shows_no_patient(results: Results, folder: Path) -> None:
    html = render_html(results, folder, edition=Edition(images=False))
    assert "data:image/png" not in html
    assert "Left out: 16 pictures" in html
    assert "It shows no image of a patient." in html


def test_a_picture_changed_after_the_audit_is_not_shown(tmp_path: Path) -> None:
    results = sample_results(tmp_path)
    shown = render_html(results, tmp_path).count("data:image/png")
    first = tmp_path / results.artefacts[0].path
    first.write_bytes(first.read_bytes() + b"x")
    html = render_html(results, tmp_path)
    assert html.count("data:image/png") == shown - 1
    assert "missing or was changed after the audit" in html


def test_an_artefact_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    inside = tmp_path / "audit"
    results = sample_results(inside)
    source = inside / results.artefacts[0].path
    outside = tmp_path / "secret.png"
    outside.write_bytes(source.read_bytes())
    link = inside / "link.png"
    link.symlink_to(outside)
    for path in ("../secret.png", str(outside), "link.png"):
        moved = results.artefacts[0].model_copy(update={"path": path})
        html = render_html(results.model_copy(update={"artefacts": (moved,)}), inside)
        assert "data:image/png" not in html


def test_an_audit_with_no_finding_at_all_still_gives_a_whole_report(folder: Path) -> None:
    empty = sample_results().model_copy(update={"findings": (), "artefacts": (), "probes": ()})
    found = read_page(render_html(empty, folder))
    assert "not computed" in found.text
    assert "No gate set" in found.text
    assert {s.id for s in outline()} <= {a.get("id") for a in found.tags("section")}


def test_four_hundred_findings_of_unknown_stresses_are_cut_by_a_stated_rule(folder: Path) -> None:
    many = tuple(
        Finding(
            metric="robust_accuracy",
            stress=f"new_{i}",
            params={"level": i},
            value=0.5,
            low=0.4,
            high=0.6,
            n=100,
            events=50,
        )
        for i in range(400)
    )
    results = sample_results().model_copy(update={"findings": many, "artefacts": ()})
    found = read_page(render_html(results, folder))
    assert "New 0, level 0" in found.text
    assert "all 400 are in audit.json" in found.text


def test_blank_statements_in_a_card_count_as_not_supplied(folder: Path) -> None:
    card = Card.model_validate({"purpose": {"users": "   "}})
    found = read_page(render_html(without_figures(sample_results()), folder, card=card))
    human = sum(row.source == "H" for section in outline() for row in section.rows)
    assert f"Not supplied: {human} human statements" in found.text


def test_the_report_needs_neither_torch_nor_art_nor_weasyprint() -> None:
    code = (
        "import sys, reports.render, reports.pdf, reports.card, reports.panels.registry as p;"
        "p.load_panels();"
        "print([m for m in ('torch', 'art', 'weasyprint', 'matplotlib') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert out.stdout.strip() == "[]"
