"""The structure that a screen reader follows, read by pypdf: everything drawn is in it or told to
be no content, every header says what it heads, every link is one.

These are the rules of PDF/UA-1 and PDF/A-3 that a page of ours can break. veraPDF knows them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream

from reports.edition import Edition, Variant
from reports.pdf import render_pdf
from reports.render import render_html
from tests.sample_results import sample_results

DATE = "2026-11-22"
DRAWS = {b"Tj", b"TJ", b"Do", b"f", b"F", b"f*", b"S", b"s", b"B", b"B*", b"b", b"b*", b"sh"}
FILES = {"audit.json": b"{}", "card.yaml": b"a: 1\n", "hipaudit.toml": b"", "environment.txt": b"x"}
KINDS = {
    "audit.json": "/application/json",
    "card.yaml": "/application/yaml",
    "hipaudit.toml": "/application/toml",
    "environment.txt": "/text/plain",
}
MAY_HOLD = {
    "/Table": {"/TR", "/THead", "/TBody", "/Caption"},
    "/THead": {"/TR"},
    "/TBody": {"/TR"},
    "/TR": {"/TH", "/TD"},
    "/L": {"/LI"},
    "/LI": {"/Lbl", "/LBody"},
}


@pytest.fixture(scope="module", params=["pdf/ua-1", "pdf/a-3u"])
def paper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    """A report with tables, a chart, pictures and links, in either variant."""
    variant: Variant = request.param
    folder = tmp_path_factory.mktemp("tagging")
    sample = sample_results(folder)
    kept = tuple(f for f in sample.findings if f.stress in {"clean", "fgsm"})
    few = sample.model_copy(update={"findings": kept, "artefacts": sample.artefacts[:3]})
    html = render_html(few, folder, edition=Edition(variant=variant), for_pdf=True)
    return PdfReader(BytesIO(render_pdf(html, attachments=FILES, variant=variant, date=DATE)))


def top(paper: PdfReader) -> Any:
    root: Any = paper.trailer["/Root"]
    return root["/StructTreeRoot"]


def kids(element: Any) -> list[Any]:
    inside = element.get("/K", [])
    return [one.get_object() for one in (inside if isinstance(inside, list) else [inside])]


def elements(paper: PdfReader) -> Iterator[Any]:
    """Every element of the structure in reading order."""

    def below(element: Any) -> Iterator[Any]:
        yield element
        for kid in kids(element):
            if isinstance(kid, dict) and "/S" in kid:
                yield from below(kid)

    for one in kids(top(paper)):
        yield from below(one)


def is_archive(paper: PdfReader) -> bool:
    root: Any = paper.trailer["/Root"]
    return b"pdfaid:part" in root["/Metadata"].get_data()


def test_everything_drawn_is_in_the_structure_or_told_to_be_no_content(paper: PdfReader) -> None:
    numbers = top(paper)["/ParentTree"]["/Nums"]
    holders = dict(zip(numbers[::2], numbers[1::2], strict=True))
    held = {
        (one["/Pg"].indirect_reference.idnum, kid)
        for one in elements(paper)
        for kid in kids(one)
        if isinstance(kid, int)
    }
    heads = 0
    for page in paper.pages:
        parents = holders[page["/StructParents"]].get_object()
        opened: list[Any] = []
        for operands, operator in ContentStream(page.get_contents(), paper).operations:
            if operator in (b"BMC", b"BDC"):
                told = operands[1] if operator == b"BDC" else {}
                opened.append("artifact" if operands[0] == "/Artifact" else told.get("/MCID"))
                heads += told.get("/Type") == "/Pagination"
                if isinstance(opened[-1], int):
                    assert (page.indirect_reference.idnum, opened[-1]) in held
                    assert parents[opened[-1]].get_object()["/S"] != "/Artifact"
            elif operator == b"EMC":
                opened.pop()
            elif operator in DRAWS:
                assert any(one is not None for one in opened)
    assert heads >= 2 * len(paper.pages)  # the feet: what the report is not, and its weights


def test_every_header_says_what_it_heads_and_can_be_found_by_its_cells(paper: PdfReader) -> None:
    names = top(paper)["/IDTree"]["/Names"]
    known = dict(zip(names[::2], (one.get_object() for one in names[1::2]), strict=True))
    assert list(known) == sorted(known)
    headers = [one for one in elements(paper) if one["/S"] == "/TH"]
    assert {one["/A"]["/Scope"] for one in headers} == {"/Column", "/Row"}
    cells = [one for one in elements(paper) if one["/S"] == "/TD"]
    asked = {name for one in cells for name in one["/A"].get("/Headers", [])}
    assert asked
    assert all(known[name]["/S"] == "/TH" for name in asked)


def test_a_row_of_headers_heads_columns_and_a_single_one_its_row() -> None:
    html = (
        '<html lang="en"><head><title>T</title></head><body><h1>T</h1><table>'
        '<thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>'
        '<tbody><tr><th scope="row">c</th><td>d</td></tr></tbody></table></body></html>'
    )
    paper = PdfReader(BytesIO(render_pdf(html, attachments={}, date=DATE)))
    found = [one["/A"]["/Scope"] for one in elements(paper) if one["/S"] == "/TH"]
    assert found == ["/Column", "/Column", "/Row"]


def test_tables_and_lists_hold_what_they_may_and_no_heading_is_skipped(paper: PdfReader) -> None:
    headings = [0]
    for one in elements(paper):
        inside = [kid["/S"] for kid in kids(one) if isinstance(kid, dict) and "/S" in kid]
        assert set(inside) <= MAY_HOLD.get(one["/S"], set(inside)), one["/S"]
        if re.fullmatch("/H[1-6]", one["/S"]):
            headings.append(int(one["/S"][2]))
    assert headings[:2] == [0, 1]
    assert all(b <= a + 1 for a, b in pairwise(headings))


def test_every_picture_has_words_and_none_is_smoothed_in_an_archive(paper: PdfReader) -> None:
    figures = [one for one in elements(paper) if one["/S"] == "/Figure"]
    assert len(figures) >= 4
    assert all(len(one["/Alt"]) > 20 for one in figures)
    drawn = [one for page in paper.pages for one in images(page)]
    assert len(drawn) >= 3
    assert any(one["/Interpolate"].value for one in drawn) is not is_archive(paper)


def images(page: Any) -> list[Any]:
    found = page["/Resources"].get("/XObject", {}).values()
    return [one.get_object() for one in found if one.get_object()["/Subtype"] == "/Image"]


def test_every_link_is_one_to_a_reader_and_is_printed(paper: PdfReader) -> None:
    links = 0
    for one in elements(paper):
        for kid in kids(one):
            if isinstance(kid, dict) and kid.get("/Type") == "/OBJR":
                assert one["/S"] == "/Link"
                assert kid["/Obj"]["/F"] == 4
                assert kid["/Obj"]["/Contents"]
                assert any(isinstance(other, int) for other in kids(one))  # it has words
                links += 1
    assert links == sum(len(page.get("/Annots", [])) for page in paper.pages) >= 19
    assert all(page["/Tabs"] == "/S" for page in paper.pages)


def test_each_attachment_stands_there_once_with_its_part_and_its_kind(paper: PdfReader) -> None:
    root: Any = paper.trailer["/Root"]
    files = [one.get_object() for one in root["/AF"]]
    assert sorted(one["/UF"] for one in files) == sorted(FILES)
    for one in files:
        assert one["/AFRelationship"] == "/Source"
        assert one["/F"] == one["/UF"]
        assert one["/EF"]["/F"].get_object()["/Subtype"] == KINDS[one["/UF"]]
    assert ("/OutputIntents" in root) is is_archive(paper)


def test_every_font_is_embedded_and_its_text_can_be_copied(paper: PdfReader) -> None:
    fonts = {
        name: font.get_object()
        for page in paper.pages
        for name, font in page["/Resources"]["/Font"].items()
    }
    assert len(fonts) >= 3
    for font in fonts.values():
        assert font["/ToUnicode"].get_object().get_data()
        inner = font["/DescendantFonts"][0].get_object()
        told = inner["/FontDescriptor"].get_object()
        assert re.match(r"/[A-Z]{6}\+(Inter|JetBrains)", inner["/BaseFont"])
        assert "/FontFile3" in told or "/FontFile2" in told


def test_nothing_is_left_open_without_tables_links_or_attachments(tmp_path: Path) -> None:
    html = '<html lang="en"><head><title>T</title></head><body><h1>T</h1></body></html>'
    (tmp_path / "t.pdf").write_bytes(render_pdf(html, attachments={}, date=DATE))
    paper = PdfReader(tmp_path / "t.pdf")
    assert [one["/S"] for one in elements(paper)] == ["/Document", "/H1", "/Span"]
    assert "/AF" not in paper.trailer["/Root"]
