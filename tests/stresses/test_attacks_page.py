"""docs/attacks.md and the registry say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit.defences.registry import get_defence
from audit.stresses.registry import get_stress, load_stresses

PAGE = (Path(__file__).parents[2] / "docs" / "attacks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
ATTACKS = sorted(name for name, one in load_stresses().items() if one.kind == "attack")


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_has_a_section_that_names_all_its_parameters(name: str) -> None:
    missing = [p for p in get_stress(name).defaults if f"`{p}`" not in SECTIONS[name]]
    assert not missing


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_has_a_section_with_its_source_and_its_limits(name: str) -> None:
    assert re.search(r"arXiv:\d{4}\.\d{4,5}", SECTIONS[name])
    assert "Shows:" in SECTIONS[name]
    assert "Does not show:" in SECTIONS[name]


def test_the_page_says_whose_code_runs() -> None:
    said = "FGSM runs in [ART](#what-is-arts-and-what-is-not), the others in hipaudit."
    assert said in " ".join(PAGE.split())
    assert [name for name in ATTACKS if get_stress(name).through == "ART"] == ["fgsm"]
    assert {get_stress(name).through for name in ATTACKS} == {"ART", "hipaudit"}


@pytest.mark.parametrize("name", ATTACKS)
def test_plain_numbers_in_the_page_are_the_defaults(name: str) -> None:
    for parameter, value in get_stress(name).defaults.items():
        said = re.search(rf"`{parameter}` (?:= )?([0-9]+(?:\.[0-9]+)?)\b", SECTIONS[name])
        if said and isinstance(value, int | float):
            assert float(said[1]) == value, parameter


def test_the_defaults_of_tta_are_named() -> None:
    section = SECTIONS["Attacks under test-time augmentation"]
    defaults = get_defence("tta").defaults
    assert defaults == {"angle": 5.0, "shift": 0.03, "scale": 1.05, "flip": False}
    assert "`angle` is 5°" in section
    assert "`shift` 3%, `scale` 1.05, `flip` false" in section
