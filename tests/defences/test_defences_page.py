"""docs/defences.md and the registry say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit.defences.registry import load_defences
from reports.wording import overclaims

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "defences.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
DEFENCES = load_defences()


@pytest.mark.parametrize("name", sorted(DEFENCES))
def test_every_defence_has_a_section_and_a_row_that_names_its_settings(name: str) -> None:
    assert "Shows:" in SECTIONS[name]
    assert "Does not show:" in SECTIONS[name]
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| [`{name}`]"))
    for setting in DEFENCES[name].defaults:
        assert f"{setting}={DEFENCES[name].defaults[setting]}".removesuffix(".0") in row


@pytest.mark.parametrize("name", sorted(DEFENCES))
def test_plain_numbers_in_a_section_are_the_defaults(name: str) -> None:
    for setting, value in DEFENCES[name].defaults.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        said = re.search(rf"`{setting}` ±?([0-9]+(?:\.[0-9]+)?)(%?)", SECTIONS[name])
        assert said is not None, setting
        assert float(said[1]) / (100 if said[2] else 1) == value


def test_the_page_is_linked_and_its_links_lead_somewhere() -> None:
    for page in (DOCS / "attacks.md", DOCS / "index.md"):
        assert "defences.md" in page.read_text(encoding="utf-8"), page.name
    for target, anchor in re.findall(r"\]\(([a-z]*\.?m?d?)#?([a-z-]*)\)", PAGE):
        text = (DOCS / target).read_text(encoding="utf-8") if target else PAGE
        heads = [
            re.sub(r"[^a-z0-9 -]", "", h.lower()) for h in re.findall(r"^#+ (.+)$", text, re.M)
        ]
        assert not anchor or anchor in [head.replace(" ", "-") for head in heads], anchor


def test_the_page_claims_no_more_than_an_audit_can_show() -> None:
    assert overclaims(PAGE) == []
