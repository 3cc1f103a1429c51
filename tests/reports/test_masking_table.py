"""Checks for masked gradients: a sign, no sign, and what was not looked at, per defence."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.results import Note, PlannedRun, ProbeReport
from reports.blocks import Cell, Table
from reports.card import Card
from reports.language import speaking
from reports.masking_signs import CHECKS
from reports.material import Material
from reports.panels.registry import load_panels
from reports.values.registry import load_values
from reports.verdict import read_verdict
from tests.sample_results import sample_results

FLAG = {"code": "masking-black-box", "defence": "none", "count": 9, "of": 120, "artefact": True}
SAID = "Robust accuracy without a defence may be an artefact of masked gradients: square at …"


def material(**details: object) -> Material:
    base = sample_results()
    known = {"flags": [], "compared": {"none": ["fgsm at 2/255", "square at 8/255"], "tta": []},
             "not_tried": {"tta": "no time was left"}, **details}  # fmt: skip
    notes = (Note(code="masking-black-box", level="warning", text=SAID),) if known["flags"] else ()
    report = ProbeReport(probe="masking", details=known, notes=notes)
    pgd = PlannedRun(
        id="pgd", stress="pgd", kind="attack", norm="linf", sample=9, of=9, state="done",
        params={"epsilons": [0.01, 0.02], "steps": 10},
    )  # fmt: skip
    plan = base.plan.model_copy(update={"runs": (pgd,)})
    results = base.model_copy(update={"probes": (report,), "plan": plan})
    return Material(results, Path(), Card(), read_verdict(None))


def row(one: Material, code: str) -> list[str]:
    (table,) = load_panels()["masking_checks"](one)
    assert isinstance(table, Table)
    found = dict(zip(CHECKS, table.rows, strict=True))[code]
    return [f"{c.text} {c.sub}".strip() if isinstance(c, Cell) else c for c in found[1:]]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("masking-random", ["no sign", "not looked at no time was left"]),
        ("masking-half", ["no sign", "not looked at no time was left"]),
        ("masking-single-step", ["no sign", "not looked at no such pair of attacks"]),
        ("masking-black-box", ["no sign", "not looked at no such pair of attacks"]),
        ("masking-transfer", ["not looked at no such pair of attacks"] * 2),
        ("masking-not-monotone", ["no sign", "not looked at no iterative attack at two ε"]),
    ],
)
def test_a_check_that_was_not_made_is_told_apart_from_one_without_a_sign(code, told) -> None:
    assert row(material(), code) == told


def test_a_sign_is_told_with_its_counts_under_its_own_defence_only() -> None:
    assert row(material(flags=[FLAG]), "masking-black-box") == [
        "sign: 9/120",
        "not looked at no such pair of attacks",
    ]


def test_every_sign_of_the_probe_has_a_row() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(__file__).parents[2] / "audit" / "probes" / "masking").glob("*.py")
    )
    assert {code for code in CHECKS if f'"{code}"' not in source} == set()


def test_the_field_tells_a_sign_in_the_words_of_the_probe_and_in_dutch_in_its_own() -> None:
    tell = load_values()["adversarial.masking"]
    assert tell(material(flags=[FLAG])) == [SAID]
    with speaking("nl"):
        told = tell(material(flags=[FLAG]))
    assert isinstance(told, list)
    assert "9/120" in told[0]
    assert "square" not in told[0]
    assert "no time was left" not in " ".join(told)


def test_without_a_sign_the_field_says_that_this_proves_nothing() -> None:
    (words,) = load_values()["adversarial.masking"](material()) or ()
    assert words.startswith("No sign found under 2 settings; that is no proof")
