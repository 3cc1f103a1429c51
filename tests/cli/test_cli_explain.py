"""`hipaudit explain` on every stress: what it does, its parameters with units, its cost."""

from __future__ import annotations

import re

import pytest

from audit.defences.registry import load_defences
from audit.presets import PRESETS
from audit.stresses.registry import STRESSES, Altered, load_stresses, stress
from hipaudit.stress_words import PARAMETERS, meaning, value_text

every_stress = pytest.mark.parametrize("name", sorted(load_stresses()))


@every_stress
def test_every_stress_is_explained_with_its_parameters_defaults_and_cost(hipaudit, name) -> None:
    found = STRESSES[name]
    code, out, _ = hipaudit("explain", name)
    assert code == 0
    table = out.partition(f"{name} ({found.kind})\n")[2].split("\n\nParameters")[1]
    for parameter, default in found.defaults.items():
        [line] = re.findall(rf"^  {parameter} .*$", table, flags=re.MULTILINE)
        assert value_text(parameter, default) in line
    passes = float(
        re.search(r"^cost +([\d,]+) forward", table, flags=re.MULTILINE)[1].replace(",", "")
    )
    assert passes == pytest.approx(found.cost(found.defaults), abs=0.51)


@every_stress
def test_every_parameter_has_a_unit_or_is_named_in_the_description(hipaudit, name) -> None:
    found = STRESSES[name]
    text = found.perturb.__doc__
    silent = [p for p in found.defaults if not meaning(name, p) and f"`{p}`" not in text]
    assert not silent


@every_stress
def test_the_presets_that_have_it_are_named(hipaudit, name) -> None:
    _, out, _ = hipaudit("explain", name)
    [said] = re.findall(r"^presets +(.*)$", out, flags=re.MULTILINE)
    having = {p for p, entries in PRESETS.items() if any(e.stress == name for e in entries)}
    assert {p for p in PRESETS if re.search(rf"\b{p}\b", said)} == having


def test_only_radii_are_told_in_grey_levels(hipaudit) -> None:
    assert re.search(r"epsilons +1/255, 2/255, 4/255, 8/255 ", hipaudit("explain", "fgsm")[1])
    out = hipaudit("explain", "metal")[1]
    assert re.search(r"areas +0.005, 0.01, 0.02, 0.04, 0.08 +parts of the image's area", out)
    assert "/255" not in out


def test_a_stress_and_the_metric_of_the_same_name_are_both_explained(hipaudit) -> None:
    _, out, _ = hipaudit("explain", "smallest_epsilon")
    assert "smallest_epsilon (metric)" in out
    assert "smallest_epsilon (attack)" in out


def test_no_word_is_kept_for_a_parameter_that_is_gone() -> None:
    used = {p for found in load_stresses().values() for p in found.defaults}
    assert {key.rpartition(".")[2] for key in PARAMETERS} <= used


@pytest.mark.parametrize("name", sorted(load_defences()))
def test_every_defence_tells_its_parameters_and_its_cost(hipaudit, name) -> None:
    found = load_defences()[name]
    code, out, _ = hipaudit("explain", name)
    assert code == 0
    assert all(f"{parameter}=" in out for parameter in found.defaults)
    assert f"Cost: {found.looks():g} forward passes" in out


def test_a_stress_of_somebody_else_needs_no_words_of_ours(hipaudit) -> None:
    @stress("theirs", kind="corruption")
    def theirs(model, batch, *, lines=(0.1, 0.2)):
        """Draws `lines`."""
        yield Altered({}, batch.x)

    try:
        code, out, _ = hipaudit("explain", "theirs")
    finally:
        del STRESSES["theirs"]
    assert code == 0
    assert re.search(r"^  lines  0.1, 0.2$", out, flags=re.MULTILINE)
