"""What WeasyPrint leaves open in a tagged PDF with attachments, closed before it is written.

Source: ISO 14289-1 (PDF/UA-1) 7.1, 7.5, 7.18; ISO 19005-3 (PDF/A-3) 6.2.8, 6.3, 6.8; ISO 32000-1
14.7 and 14.8. An object is named by the bytes `number generation R`, as pydyf has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PRINT = 4  # the flag of an annotation that is printed
# Said here: WeasyPrint asks the machine, and machines do not agree.
KINDS = {"json": "application/json", "yaml": "application/yaml", "toml": "application/toml"}


def finish(pdf: Any, *, archive: bool) -> None:
    """Mend a pydyf.PDF in place. `archive`: it is to be PDF/A, where pictures are not smoothed."""
    elements = list(_elements(pdf))
    _identify(pdf, elements)
    _scope(pdf, elements)
    _running_heads_are_no_content(pdf, {element.number for element in elements})
    _attach(pdf)
    for one in pdf.objects:
        if isinstance(one, dict) and one.get("Type") == "/Annot":
            one["F"] = PRINT
        told = getattr(one, "extra", {})
        if archive and told.get("Subtype") == "/Image":
            told["Interpolate"] = "false"


def _elements(pdf: Any) -> Iterator[Any]:
    """Every element of the structure that a reader can reach, from the top."""
    waiting = list(_at(pdf, pdf.catalog["StructTreeRoot"])["K"])
    while waiting:
        one = _at(pdf, waiting.pop())
        if one.get("Type") == "/StructElem":
            yield one
            waiting += [kid for kid in one["K"] if isinstance(kid, bytes)]


def _identify(pdf: Any, elements: list[Any]) -> None:
    """The list of identifiers by which a cell names its headers."""
    named = sorted((one["ID"].data, one.reference) for one in elements if "ID" in one)
    if named:
        words = b" ".join(b"%s %s" % each for each in named)
        _at(pdf, pdf.catalog["StructTreeRoot"])["IDTree"] = b"<</Names [%s]>>" % words


def _scope(pdf: Any, elements: list[Any]) -> None:
    """A row of headers heads columns; a header among other cells heads its row."""
    for row in elements:
        if row["S"] != "/TR":
            continue
        cells = [_at(pdf, kid) for kid in row["K"]]
        across = all(cell["S"] == "/TH" for cell in cells)
        for cell in cells:
            if cell["S"] == "/TH":
                cell["A"]["Scope"] = "/Column" if across else "/Row"


def _running_heads_are_no_content(pdf: Any, reached: set[int]) -> None:
    """What no element of the structure holds is told to be an artifact of the page."""
    entries = _at(pdf, _at(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    holders = dict(zip(entries[::2], entries[1::2], strict=True))
    for page in pdf.objects:
        if not isinstance(page, dict) or page.get("Type") != "/Page":
            continue
        held = holders[page["StructParents"]]
        drawn = _at(pdf, page["Contents"]).stream
        for place, part in enumerate(drawn):
            if not isinstance(part, Mapping) or "MCID" not in part:
                continue
            if _number(held[part["MCID"]]) not in reached:
                held[part["MCID"]] = "null"
                drawn[place - 1 : place + 1] = ["/Artifact", b"<</Type /Pagination>>"]


def _attach(pdf: Any) -> None:
    """Each attachment once, with its part in the document and its kind of file."""
    files: list[Any] = [
        one for one in pdf.objects if isinstance(one, dict) and one.get("Type") == "/Filespec"
    ]
    for one in files:
        one["AFRelationship"] = "/Source"
        suffix = one["UF"].string.rpartition(".")[2]
        kind = KINDS.get(suffix, "text/plain").replace("/", "#2f")
        _at(pdf, one["EF"]["F"]).extra["Subtype"] = f"/{kind}"
    if files:
        pdf.catalog["AF"] = b"[%s]" % b" ".join(one.reference for one in files)


def _at(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[_number(reference)]


def _number(reference: bytes) -> int:
    return int(reference.split()[0])
