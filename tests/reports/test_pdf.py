"""The PDF: sealed, tagged, dated by the audit, the same bytes every time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from audit.errors import HipauditError
from reports.card import load_card
from reports.edition import Edition
from reports.outline import outline
from reports.pdf import render_pdf
from reports.render import render_html
from reports.wording import FOOTER
from tests.reports.hostile import poisoned, poisoned_card, poisoned_verdict
from tests.sample_results import sample_results, sample_verdict

EXAMPLE = Path(__file__).parents[2] / "examples" / "card.yaml"
SMALL = '<html lang="en"><head><title>T</title></head><body><h1>T</h1><p>word</p></body></html>'
DATE = "2026-11-22"


def streams(pdf: bytes) -> bytes:
    """All deflated streams of a PDF, inflated: enough to look for words in objects."""
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(match.group(1).strip(b"\r\n")))
        except zlib.error:
            found.append(match.group(1))
    return b"\n".join(found)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return render_pdf(SMALL, attachments={"audit.json": b'{"a": 1}\n'}, date=DATE)


def test_the_same_input_gives_the_same_bytes(pdf: bytes) -> None:
    assert render_pdf(SMALL, attachments={"audit.json": b'{"a": 1}\n'}, date=DATE) == pdf


def test_it_is_tagged_named_and_in_english(pdf: bytes) -> None:
    objects = pdf + streams(pdf)
    assert b"/StructTreeRoot" in objects
    assert re.search(rb"/Marked\s+true", objects)
    assert re.search(rb"/Lang\s*\(en\)", objects)
    assert re.search(rb"/DisplayDocTitle\s+true", objects)
    assert b"pdfuaid:part" in objects


def test_the_attachment_is_inside_byte_for_byte(pdf: bytes) -> None:
    assert b'{"a": 1}\n' in streams(pdf)
    assert b"audit.json" in pdf + streams(pdf)


def test_the_archive_variant_says_so() -> None:
    found = render_pdf(SMALL, attachments={"a.json": b"{}"}, variant="pdf/a-3u", date=DATE)
    objects = found + streams(found)
    assert b"pdfaid:part" in objects
    assert b"/StructTreeRoot" in objects


def test_nothing_outside_the_page_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.css"
    secret.write_text("p::after { content: 'LEAKED' }")
    picture = tmp_path / "p.svg"
    picture.write_text("<svg xmlns='http://www.w3.org/2000/svg'><text>LEAKED</text></svg>")
    attached = tmp_path / "a.txt"
    attached.write_text("LEAKED")
    html = SMALL.replace(
        "<p>",
        f'<link rel="stylesheet" href="{secret.as_uri()}">'
        f'<link rel="attachment" href="{attached.as_uri()}">'
        f'<img alt="x" src="{picture.as_uri()}"><p>',
    )
    with_links = render_pdf(html, attachments={}, date=DATE)
    assert b"LEAKED" not in streams(with_links)
    # The witness: the same words inside the page do arrive.
    inside = render_pdf(SMALL, attachments={"a.txt": b"LEAKED"}, date=DATE)
    assert b"LEAKED" in streams(inside)


def test_a_rendering_that_takes_too_long_ends_with_one_line() -> None:
    with pytest.raises(HipauditError, match=r"within 0\.05 seconds.*HTML and JSON"):
        render_pdf(SMALL, attachments={}, timeout=0.05, date=DATE)


def test_missing_pango_is_one_line_with_the_apt_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A weasyprint that fails to import as the real one does without Pango.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, types\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'weasyprint':\n"
        "            raise OSError(\"cannot load library 'libgobject-2.0-0': error 0x7e\")\n"
        "sys.meta_path.insert(0, Gone())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(HipauditError, match="apt-get install -y libpango") as caught:
        render_pdf(SMALL, attachments={}, date=DATE)
    assert "\n" not in str(caught.value)


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(HipauditError, match="YYYY-MM-DD"):
        render_pdf(SMALL, attachments={}, date="yesterday")


def pages_of(pdf: bytes, folder: Path) -> list[str]:
    """Text per page, by poppler: an independent reader."""
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler-utils is not installed")
    (folder / "r.pdf").write_bytes(pdf)
    command = ["pdftotext", "-layout", str(folder / "r.pdf"), "-"]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    return [" ".join(page.split()) for page in out.stdout.split("\f")[:-1]]


@pytest.mark.slow
def test_every_page_carries_footer_number_hash_and_the_word_synthetic(tmp_path: Path) -> None:
    results = sample_results(tmp_path, synthetic=True)
    html = render_html(
        results, tmp_path, card=load_card(EXAMPLE), verdict=sample_verdict(), for_pdf=True
    )
    pages = pages_of(render_pdf(html, attachments={}, date=DATE), tmp_path)
    assert len(pages) > 12
    for number, text in enumerate(pages, start=1):
        assert FOOTER in text
        assert f"page {number} of {len(pages)}" in text
        assert "weights 5c9e5b7f8b2f0c1a" in text
        assert "SYNTHETIC DATA" in text
    assert "Board decision" in pages[0]
    assert "Contents" in pages[1]
    assert "Not computed" not in pages[0]


@pytest.mark.slow
@pytest.mark.parametrize("text", ["Averyverylongnamewithoutanyspaces" * 9, "long words " * 25])
def test_page_one_is_one_page_however_long_the_names(tmp_path: Path, text: str) -> None:
    results = poisoned(sample_results(synthetic=True), text)
    clean = tuple(f for f in results.findings if f.stress in {"clean", "fgsm"})
    results = results.model_copy(update={"findings": clean, "artefacts": ()})
    html = render_html(
        results,
        tmp_path,
        card=poisoned_card(text),
        verdict=poisoned_verdict(text),
        for_pdf=True,
    )
    pages = pages_of(render_pdf(html, attachments={}, date=DATE), tmp_path)
    assert "Signature" in pages[0]
    assert "How to read this report" in pages[1]


def plain_pdf(folder: Path, language: str = "en") -> PdfReader:
    """The sample audit with nothing to draw, as PDF, read by pypdf."""
    sample = sample_results()
    clean = tuple(f for f in sample.findings if f.stress == "clean" and not f.group)
    results = sample.model_copy(update={"findings": clean, "artefacts": (), "probes": ()})
    edition = Edition(language="nl" if language == "nl" else "en")
    html = render_html(results, folder, edition=edition, for_pdf=True)
    return PdfReader(BytesIO(render_pdf(html, attachments={}, date=DATE)))


@pytest.fixture(scope="module")
def dutch(tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    return plain_pdf(tmp_path_factory.mktemp("nl"), "nl")


def test_the_dutch_pdf_says_that_it_is_dutch_and_numbers_its_pages_in_dutch(
    dutch: PdfReader,
) -> None:
    assert dutch.trailer["/Root"]["/Lang"] == "nl"
    assert dutch.metadata is not None
    assert str(dutch.metadata.title).startswith("Auditrapport: SqueezeNet 1.1, FracAtlas op")
    for number, page in enumerate(dutch.pages, start=1):
        text = " ".join(page.extract_text().split())
        assert f"pagina {number} van {len(dutch.pages)}" in text
        assert "gewichten 5c9e5b7f8b2f0c1a" in text


def test_contents_and_bookmarks_lead_to_the_page_where_their_section_begins(
    dutch: PdfReader,
) -> None:
    from reports.language import _, speaking

    with speaking("nl"):
        titles = {section.id: _(section.title) for section in outline()}
    numbers = {section.id: section.number for section in outline()}
    named = dutch.named_destinations
    links = [a.get_object() for a in dutch.pages[1]["/Annots"]]
    leads = [str(link.get("/Dest") or link["/A"]["/D"]) for link in links]
    assert leads == list(titles)
    for name in leads:
        page = dutch.pages[dutch.get_destination_page_number(named[name])]
        assert f"{numbers[name]} {titles[name]}" in " ".join(page.extract_text().split())
    marks = [" ".join(str(m.title).split()) for m in dutch.outline if not isinstance(m, list)]
    inner = [m for m in dutch.outline if isinstance(m, list)]
    everything = marks + [" ".join(str(m.title).split()) for deep in inner for m in flat(deep)]
    for name, title in titles.items():
        assert f"{numbers[name]} {title}" in everything


def flat(marks: list[object]) -> list[object]:
    """Bookmarks of every depth in one list."""
    return [m for one in marks for m in (flat(one) if isinstance(one, list) else [one])]


TWICE = """
import hashlib, sys
from pathlib import Path
from audit.results import read_results
from reports.edition import Edition
from reports.pdf import render_pdf
from reports.render import render_html
folder, language, variant = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
results = read_results(folder / "audit.json")
html = render_html(results, folder, edition=Edition(language=language), for_pdf=True)
files = {"audit.json": (folder / "audit.json").read_bytes()}
pdf = render_pdf(html, attachments=files, variant=variant, date=results.provenance.date)
print(hashlib.sha256(pdf).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("variant", ["pdf/ua-1", "pdf/a-3u"])
def test_another_home_clock_and_language_of_the_machine_write_the_same_bytes(
    tmp_path: Path, language: str, variant: str
) -> None:
    sample = sample_results(tmp_path)
    kept = tuple(f for f in sample.findings if f.stress in {"clean", "fgsm"})
    few = sample.model_copy(update={"findings": kept, "artefacts": sample.artefacts[:4]})
    (tmp_path / "audit.json").write_text(few.to_json(), encoding="utf-8")
    thick = tmp_path / "matplotlibrc"
    thick.write_text("lines.linewidth: 9\nfont.size: 30\n", encoding="utf-8")
    here = {"PYTHONHASHSEED": "0", "TZ": "UTC"}
    there = {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "HOME": str(tmp_path)}
    there |= {"LC_ALL": "C", "MATPLOTLIBRC": str(thick)}
    found = set()
    for machine in (here, there):
        done = subprocess.run(
            [sys.executable, "-c", TWICE, str(tmp_path), language, variant],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, **machine},
        )
        found.add(done.stdout)
    assert len(found) == 1
