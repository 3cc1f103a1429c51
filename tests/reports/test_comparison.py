"""The report on two audits: every number is compare.json's, in words that claim no more."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from audit.compare.results import Comparison, Difference
from reports.card import Card
from reports.comparison.render import render_comparison
from reports.edition import Edition
from reports.wording import FOOTER, overclaims
from tests.reports.page import Page, read_page
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

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "reports" / "locale" / "nl" / "comparison.po"
PAYLOADS = [
    "</td></table></style></title><script>alert(1)</script>",
    "<img src=http://evil.example/x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "{{ 7 * 191 }}{% include 'comparison.html.j2' %}{{ m.found }}",
    "gr\u202epuorg\x07" + "long " * 400,
]


def rendered(found: Comparison, **asked: Any) -> Page:
    return read_page(render_comparison(found, **asked))


@pytest.fixture(scope="module")
def found() -> Comparison:
    return sample_comparison()


@pytest.fixture(scope="module")
def page(found: Comparison) -> Page:
    return rendered(found, verdict=sample_drop_verdict())


def points(value: float) -> str:
    """As the report writes a difference in points; written here a second time on purpose."""
    return f"{value * 100:+.1f}".replace("-", "−")


def only(found: Comparison, metric: str, stress: str = "clean", **group: str) -> Difference:
    (one,) = [
        d for d in found.differences if (d.metric, d.stress, d.group) == (metric, stress, group)
    ]
    return one


def test_all_elements_are_closed_and_every_picture_says_what_it_is(page: Page) -> None:
    assert page.unclosed == []
    pictures = page.tags("img")
    assert len(pictures) == 2
    assert all(len(picture["alt"]) > 40 for picture in pictures)


def test_page_one_names_both_models_their_weights_runs_and_dates(page: Page) -> None:
    for side in (audit("base"), audit("new")):
        assert side.model in page.text
        assert side.run_id in page.text
        assert side.date in page.text
    plain = page.text.replace(" ", "")
    assert all(weights in plain for weights in WEIGHTS.values())
    assert "P ≥ 0.31 (checkpoint)" in page.text
    assert "P ≥ 0.35 (checkpoint)" in page.text
    assert "The same 400 cases in both" in page.text
    assert "61 fractured, 339 normal" in page.text


def test_page_one_holds_the_counts_the_difference_and_its_limits(
    found: Comparison, page: Page
) -> None:
    one = only(found, "sensitivity")
    assert one.low is not None
    assert one.high is not None
    for words in ("75.4% 46/61", "54.1% 33/61", "92.0% 312/339", "92.6% 314/339"):
        assert words in page.text
    assert f"−21.3 * {points(one.low)} to {points(one.high)}" in page.text
    half = f"{100 * (one.high - one.low) / 2:.1f} points"
    assert half in page.text


def test_a_regression_is_a_sentence_with_its_counts_both_p_values_and_the_rule(
    found: Comparison, page: Page
) -> None:
    one = only(found, "sensitivity")
    assert one.p is not None
    assert one.p_holm is not None
    told = "Sensitivity fell from 75.4% (46/61) to 54.1% (33/61): −21.3 points (95% CI "
    assert told in page.text
    tail = page.text.split(told, 1)[1].split(".</li>")[0]
    assert "15 lost, 2 gained" in tail
    assert f"p {one.p:.3f}".replace("0.", ".") in tail
    assert f"after Holm {one.p_holm:.3f}".replace("0.", ".") in tail
    assert "rule HA901, not met" in tail


def test_a_difference_no_rule_judged_says_so(found: Comparison) -> None:
    assert "no rule judged this difference" in rendered(found).text
    assert "No threshold was given to judge these numbers by." in rendered(found).text


def alike() -> Comparison:
    """The same audit but for two cases."""
    near = [difference("sensitivity", 61, 46, 1, 1), difference("specificity", 339, 312, 0, 0)]
    return sample_comparison(differences=tuple(families(near)), levels=(), flips=())


def test_without_a_difference_it_says_what_could_have_been_shown_and_never_equal() -> None:
    found = alike()
    one = only(found, "sensitivity")
    assert one.low is not None
    assert one.high is not None
    page = rendered(found)
    half = f"{100 * (one.high - one.low) / 2:.1f} points"
    assert "Sensitivity: no difference found in 61 paired cases (95% CI" in page.text
    assert f"less than about {half} they could not have shown" in page.text
    assert "Regressions shown: 0" in page.text
    assert not re.search(r"\b(?:equal|equivalent|identical|unchanged|as good)\b", page.text, re.I)


def test_what_became_of_the_cases_is_the_table_of_mcnemar(page: Page) -> None:
    assert "labelled fractured 61 31 15 2 13" in page.text  # 46 - 15, 61 - 46 - 2
    assert "labelled otherwise 339 307 5 7 20" in page.text


def test_every_group_stands_with_its_difference_or_why_there_is_none(
    found: Comparison, page: Page
) -> None:
    for view in ("frontal", "lateral"):
        one = only(found, "sensitivity", view=view)
        assert one.value is not None
        assert one.low is not None
        assert one.high is not None
        assert points(one.value) in page.text
        assert f"{points(one.low)} to {points(one.high)}" in page.text
    assert "– too few, n = 4" in page.text


def test_levels_stand_from_weak_to_strong_with_their_epsilon(found: Comparison, page: Page) -> None:
    row = page.text.split("Robust accuracy, New − Base, over the levels")[1]
    at = [row.index(f"{n}/255: ") for n in (1, 2, 3)]
    assert at == sorted(at)
    strong = page.text.split("At the strongest level of each stress, without a defence")[1]
    assert strong.index("FGSM, ε = 3/255") < strong.index("Robust accuracy, New − Base")
    one = [d for d in found.differences if d.metric == "robust_sensitivity"][-1]
    assert one.value is not None
    assert points(one.value) in strong


def test_a_level_that_only_one_audit_has_is_named_with_its_reason(page: Page) -> None:
    part = page.text.split("What was not compared, and why")[-1]
    assert "PGD, ε = 2/255 1 only in New" in part
    assert "in Base: the run is failed" in part


def test_what_differs_between_the_audits_is_told_apart_from_what_is_the_same(page: Page) -> None:
    assert "torch 2.15.0 2.16.0 differs" in page.text
    assert "Seed 7 7 same" in page.text
    assert "numpy 2.4.6" not in page.text


def test_calibration_stands_side_by_side_and_the_brier_score_paired() -> None:
    paired = Difference(
        metric="brier", base=0.081, new=0.112, value=0.031, low=0.012, high=0.05, n=400, p=0.0014,
        p_holm=0.0014, lower_is_better=True, verdict="worse",
    )  # fmt: skip
    page = rendered(sample_comparison(calibration=(paired,)))
    assert "Brier score .081 .070–.090" in page.text
    assert "not tested against each other" in page.text
    told = "Brier score rose from .081 (n = 400) to .112 (n = 400): +0.031 (95% CI +0.012 to +0.050"
    assert told in page.text
    assert "worse, after Holm's adjustment too" in page.text


def test_the_surest_new_mistakes_come_first_and_the_rest_is_counted(page: Page) -> None:
    first, last = page.text.index("000000000000"), page.text.index(f"{19:012x}")
    assert first < last
    assert "20 of 20" in page.text


@pytest.mark.parametrize("count", [0, 40, 400])
def test_many_groups_are_cut_by_a_stated_rule(count: int) -> None:
    found = sample_comparison(differences=tuple(families([*clean(), *many(count)])))
    page = rendered(found)
    named = set(re.findall(r"site \d{3}", page.text))
    assert len(named) >= min(count, 40)
    assert ("all 400 are in compare.json" in page.text) == (count == 400)
    rows = len(page.tags("tr"))
    assert rows < 190, "a report a board can read"


def test_hostile_names_stay_text() -> None:
    for payload in PAYLOADS:
        side = audit("new", model=payload, data=payload, run_id=payload, architecture=payload)
        bad = [difference("sensitivity", 61, 46, 15, 2, group={payload: payload})]
        found = sample_comparison(bad, new=side, positive_class=payload)
        card = Card.model_validate({"identity": {"version": payload}})
        page = rendered(found, cards=(card, card))
        assert page.unclosed == []
        assert not page.tags("script")
        assert not [a for tag, a in page.elements if any(name.startswith("on") for name in a)]
        assert all(a["src"].startswith("data:") for a in page.tags("img"))
        assert "1337" not in page.text


def test_version_is_what_people_say_or_not_supplied(found: Comparison) -> None:
    card = Card.model_validate({"identity": {"version": "2.4 (March)"}})
    page = rendered(found, cards=(None, card))
    assert "2.4 (March)" in page.text
    assert "NOT SUPPLIED" in page.text


def test_nothing_claims_more_than_was_found(page: Page) -> None:
    assert overclaims(page.text) == []
    assert FOOTER in page.text


def test_the_dutch_edition_has_no_english_sentence_of_ours(found: Comparison) -> None:
    html = render_comparison(found, verdict=sample_drop_verdict(), edition=Edition(language="nl"))
    page = read_page(html)
    assert 'lang="nl"' in html
    fell = "Sensitiviteit daalde van 75,4% (46/61) naar 54,1% (33/61): −21,3 procentpunten"
    assert fell in page.text
    with CATALOGUE.open("rb") as stream:
        english = [str(m.id) for m in read_po(stream) if m.id and isinstance(m.id, str)]
    plain = [text for text in english if len(text) > 24 and "{" not in text and "#" not in text]
    assert len(plain) > 40
    assert [text for text in plain if text in page.text] == []


def test_the_figure_is_drawn_in_the_language_spoken(found: Comparison) -> None:
    titles = []
    for language in ("en", "nl"):
        html = render_comparison(found, edition=Edition(language=language))
        first = read_page(html).tags("img")[0]["src"]
        titles.append(base64.b64decode(first.partition(",")[2]).decode())
    assert "New − Base by subgroup" in titles[0]
    assert "Nieuw − Basis per subgroep" in titles[1]


def test_neither_torch_nor_the_audit_itself_is_imported() -> None:
    code = (
        "import sys\n"
        "from tests.reports.sample_comparison import sample_comparison\n"
        "from reports.comparison.render import render_comparison\n"
        "render_comparison(sample_comparison())\n"
        "print([m for m in ('torch', 'art', 'weasyprint', 'audit.engine') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
