"""What stands around the sections: heads, feet, contents and page one, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.results import Results
from reports.card import Card
from reports.edition import Edition
from reports.outline import outline
from reports.render import render_html
from tests.reports.page import Page, read_page
from tests.sample_results import sample_results, sample_verdict

DUTCH = Edition(language="nl")


def plain_sample(**changes: object) -> Results:
    """The sample audit with nothing to draw."""
    sample = sample_results()
    clean = tuple(f for f in sample.findings if f.stress == "clean" and not f.group)
    return sample.model_copy(update={"findings": clean, "artefacts": (), "probes": (), **changes})


@pytest.fixture(scope="module")
def dutch(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("nl")
    verdict = sample_verdict()
    return read_page(render_html(plain_sample(), folder, verdict=verdict, edition=DUTCH))


def test_the_language_is_declared(dutch: Page, tmp_path: Path) -> None:
    assert dutch.tags("html")[0]["lang"] == "nl"
    assert read_page(render_html(plain_sample(), tmp_path)).tags("html")[0]["lang"] == "en"


@pytest.mark.parametrize(
    "words",
    [
        "Auditrapport",
        "Inhoud",
        "Leeswijzer",
        "Drie slechtste bevindingen",
        "Toets: niet gehaald",
        "Handtekening",
        "NIET OPGEGEVEN",
        "Bewijs uit één dataset op één datum.",
        "AVG art. 22",
        "75,4%",
        "95%-BI 62,7–85,5%",
        "patiënten niet bekend",
        "400 beelden",
        "61 met label fractured",
    ],
)
def test_the_dutch_edition_says(words: str, dutch: Page) -> None:
    assert words in dutch.text


@pytest.mark.parametrize(
    "words", ["Contents", "Signature", "NOT SUPPLIED", "95% CI", "Asked by", "GDPR", "weights 5c"]
)
def test_the_dutch_edition_does_not_say(words: str, dutch: Page) -> None:
    assert words not in dutch.text


def test_page_counts_come_in_the_language_of_the_edition(tmp_path: Path) -> None:
    paper = render_html(plain_sample(), tmp_path, edition=DUTCH, for_pdf=True)
    assert '"pagina " counter(page) " van " counter(pages)' in paper


def test_page_one_names_a_few_blank_fields_and_counts_many_per_section(tmp_path: Path) -> None:
    many = read_page(render_html(plain_sample(), tmp_path)).text
    identity = next(s for s in outline() if s.id == "identity")
    human = sum(row.source == "H" for row in identity.rows)
    assert f"1 Identity : {human}/{human}" in many
    whole = Path(__file__).parents[2] / "examples" / "card.yaml"
    card = whole_card(whole).model_dump()
    card["identity"]["licence"] = None
    card["monitoring"]["owner"] = None
    few = read_page(render_html(plain_sample(), tmp_path, card=Card.model_validate(card))).text
    assert "Not supplied: 2 human statements" in few
    assert "1 Identity : Licence" in few
    assert ": Owner" in few


def whole_card(path: Path) -> Card:
    from reports.card import load_card

    return load_card(path)


def test_characters_that_turn_or_control_text_do_not_reach_the_page(tmp_path: Path) -> None:
    name = "gr\u202epuorg\u2066 \x07\x00bell\u061c"
    data = plain_sample().data.model_copy(update={"name": name})
    html = render_html(plain_sample(data=data), tmp_path)
    assert "grpuorg bell" in html
    assert not set(html) & set("\u202e\u2066\u061c\x07\x00")


def test_every_link_of_page_one_and_the_contents_has_its_section(dutch: Page) -> None:
    ids = {a["id"] for _tag, a in dutch.elements if "id" in a}
    links = [a["href"] for a in dutch.tags("a")]
    assert len(links) > len(outline())
    assert all(link.startswith("#") and link[1:] in ids for link in links)
