"""docs/corruptions.md and the registry say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit.stresses.registry import get_stress, load_stresses

PAGE = (Path(__file__).parents[2] / "docs" / "corruptions.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
CORRUPTIONS = sorted(
    name
    for name, one in load_stresses().items()
    if one.kind == "corruption" and one.domain == "acquisition"
)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_has_a_section_that_names_all_its_parameters_and_its_limits(name) -> None:
    section = SECTIONS[name]
    assert not [p for p in get_stress(name).defaults if f"`{p}`" not in section]
    for heading in ("Shows:", "Does not show:", "Checked against:"):
        assert heading in section


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severities_in_the_page_are_the_defaults(name: str) -> None:
    told = 0
    for parameter, default in get_stress(name).defaults.items():
        said = re.search(rf"`{parameter}` (?:\(([^)]*)\)|(-?[0-9.]*[0-9])\b)", SECTIONS[name])
        if said is None or isinstance(default, str):
            continue
        values = [float(word) for word in (said[1] or said[2]).split(",")]
        expected = list(default) if isinstance(default, tuple) else [default]
        assert values == expected, parameter
        told += isinstance(default, tuple)
    assert told == sum(isinstance(d, tuple) for d in get_stress(name).defaults.values())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_table_has_a_row_for_every_corruption(name: str) -> None:
    assert re.search(rf"^\| \[`{name}`\]\(#{name}\) \|", PAGE, flags=re.MULTILINE)
