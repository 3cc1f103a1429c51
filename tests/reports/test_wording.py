"""The words the report may not use, in everything it is made of."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from reports.card import TEMPLATE, card_overclaims, load_card
from reports.render import render_html
from reports.wording import FOOTER, overclaims
from tests.reports.page import read_page
from tests.sample_results import sample_results, sample_verdict

HOME = Path(__file__).parents[2]
# Written out again on purpose: the list of the brief, not the one of the module.
BANNED = ("safe", "compliant", "certified", "unbiased", "fair", "trustworthy", "guaranteed")
DATA = sorted([*HOME.glob("reports/**/*.yaml"), *HOME.glob("reports/templates/*.j2")])


@pytest.mark.parametrize("word", BANNED)
def test_each_banned_word_is_found_in_any_case_and_as_a_word_only(word: str) -> None:
    assert overclaims(f"It is {word.upper()}.") == [word.upper()]
    assert overclaims(f"un{word}ness x{word}") == []


def test_robust_is_banned_unless_it_qualifies_a_metric() -> None:
    assert overclaims("The model is robust") == ["robust"]
    assert overclaims("robust sensitivity, robust accuracy and robust specificity") == []


@pytest.mark.parametrize("word", ["sa\u00adfe", "s\u200bafe", "ｓａｆｅ"])
def test_a_banned_word_is_found_as_a_reader_would_read_it(word: str) -> None:
    assert overclaims(f"It is {word}.") == ["safe"]


def test_the_footer_disclaims_in_the_words_agreed() -> None:
    assert FOOTER == (
        "Evidence from one data set on one date. "
        "Not certification, conformity assessment, DPIA, FRIA or legal advice."
    )


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.name)
def test_templates_law_and_outline_hold_no_banned_word(path: Path) -> None:
    assert overclaims(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(HOME.glob("reports/**/*.py")), ids=lambda p: p.stem)
def test_no_text_in_the_code_of_the_report_holds_a_banned_word(path: Path) -> None:
    if path.name == "wording.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    texts = [text for text in words if isinstance(text, str) and text != "robust"]  # a prefix
    assert [found for text in texts for found in overclaims(text)] == []


def test_a_full_report_holds_no_banned_word_and_no_claim_to_comply(tmp_path: Path) -> None:
    card = load_card(HOME / "examples" / "card.yaml")
    html = render_html(sample_results(tmp_path), tmp_path, card=card, verdict=sample_verdict())
    text = read_page(html).text
    assert len(text) > 20_000
    assert overclaims(text) == []
    assert not re.search(r"\bcompl(?:y|ies)\b|\bresistant\b|recommend deployment", text, re.I)


def test_the_template_and_the_example_card_hold_no_banned_word() -> None:
    assert overclaims(TEMPLATE) == []
    assert card_overclaims(load_card(HOME / "examples" / "card.yaml")) == []


def test_an_overclaim_in_the_card_is_named_with_its_field(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(
        "purpose:\n  intended_purpose: A safe second reader\n"
        "data:\n  annotators: Board-certified radiologists\n"
    )
    card = load_card(path)
    assert card_overclaims(card) == [("purpose.intended_purpose", "safe")]
    text = read_page(render_html(sample_results(), tmp_path, card=card)).text
    assert "“safe” in purpose.intended_purpose" in text
