"""Images that another model made: what they are compared with, and who speaks of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.evidence import Predictions
from audit.findings import derive
from audit.gate.evidence import Unanswerable, matching
from audit.gate.rules import Rule
from audit.results import Finding, Results
from hipaudit.summary import stressed_rows
from reports.blocks import Cell, Table
from reports.card import Card
from reports.material import Material
from reports.numbers import run_name, setting
from reports.panels.registry import load_panels
from reports.verdict import read_verdict
from tests.gate_audits import audit, run
from tests.tables import attack, evidence, one, rows, says, table

N = 60
TARGETS = [1] * 30 + [0] * 30
PLAIN = [1] * 30 + [0] * 30  # right everywhere
DEFENDED = [0] * 4 + [1] * 26 + [0] * 30  # the defence costs four
EPSILONS = (2 / 255, 8 / 255)


def made(fooled: dict[str, set[int]]) -> Predictions:
    """PGD at two radii: on the plain model, through jpeg, carried over to jpeg, from another."""
    runs = [evidence(rows(range(N), says(DEFENDED)), range(N), defence="jpeg")]
    for epsilon in EPSILONS:
        stops = {"epsilons": [epsilon], "stop_early": True}
        more = {"stress": "pgd", "epsilon": epsilon, "params": stops}
        runs += [
            attack(TARGETS, PLAIN, fooled["plain"], **more),
            attack(TARGETS, DEFENDED, fooled["through"], defence="jpeg", **more),
            attack(TARGETS, DEFENDED, fooled["carried"], **carried(epsilon)),
            attack(TARGETS, PLAIN, fooled["other"], surrogate="resnet18", **more),
        ]
    return table(TARGETS, PLAIN, *runs)


def carried(epsilon: float) -> dict[str, object]:
    """What is carried over walks every step, where the plain attack stops at its success."""
    params = {"epsilons": [epsilon], "stop_early": False}
    run = {"stress": "pgd", "defence": "jpeg", "surrogate": "undefended"}
    return {**run, "epsilon": epsilon, "params": params}


FOOLED = {
    "plain": set(range(10, 25)),  # 15 of 60
    "through": set(range(10, 18)),  # 8, beside 4 that the defence itself costs
    "carried": set(range(10, 20)),  # 10: more than through the defence
    "other": set(range(10, 13)),  # 3
}
FOUND = derive(made(FOOLED), None, 0)


def difference(contrast: str, epsilon: float, defence: str, surrogate: str | None) -> Finding:
    params = {"epsilon": epsilon}
    params |= {} if surrogate is None else {"surrogate": surrogate}
    params |= {"stop_early": surrogate != "undefended"}
    where = {"stress": "pgd", "defence": defence, "params": params, "contrast": contrast}
    return one(FOUND, "robust_accuracy", **where)


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_images_carried_over_are_compared_with_the_same_attack_on_the_undefended_model(epsilon):
    gain = difference("defence=none", epsilon, "jpeg", "undefended")
    # kept of 60: 60 - 4 - 10 with the defence, 60 - 15 without
    assert (gain.value, gain.n) == (pytest.approx((46 - 45) / 60), 60)
    assert gain.low < gain.value < gain.high


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_the_attack_through_the_defence_is_compared_at_the_same_radius(epsilon):
    gain = difference("defence=none", epsilon, "jpeg", None)
    assert gain.value == pytest.approx((48 - 45) / 60)


def test_the_clean_cost_stands_beside_it():
    cost = one(FOUND, "accuracy", stress="clean", defence="jpeg", contrast="defence=none")
    assert cost.value == pytest.approx(-4 / 60)


def test_borrowed_images_that_do_more_harm_are_below_zero():
    worse = difference("surrogate=none", 2 / 255, "jpeg", "undefended")
    assert worse.value == pytest.approx(-2 / 60)
    other = difference("surrogate=none", 2 / 255, "none", "resnet18")
    assert other.value == pytest.approx((15 - 3) / 60)
    assert other.low > 0


def test_nothing_else_is_compared_across_origins():
    told = [f for f in FOUND if f.contrast and f.params.get("surrogate") == "resnet18"]
    assert {f.contrast for f in told} == {"surrogate=none"}


def whole() -> Results:
    runs = tuple(e.run for e in made(FOOLED).runs)
    return audit(*FOUND, runs=runs)


def test_a_rule_that_names_no_surrogate_speaks_of_attacks_on_the_model_itself():
    asks = {"stress": "pgd", "defence": "jpeg", "epsilon": "2/255"}
    (own,) = matching(whole(), Rule(id="R1", metric="robust_accuracy", min=0.1, where=asks))
    assert own.events == 48
    (carried,) = matching(
        whole(),
        Rule(id="R1", metric="robust_accuracy", min=0.1, where={**asks, "surrogate": "undefended"}),
    )
    assert carried.events == 46


def test_a_transfer_that_failed_leaves_the_other_rules_answerable():
    results = whole()
    broken = run("pgd", surrogate="resnet18", state="failed", reason="it broke")
    runs = (*results.plan.runs, broken)
    results = results.model_copy(update={"plan": results.plan.model_copy(update={"runs": runs})})
    asks = {"stress": "pgd", "epsilon": "2/255"}
    assert matching(results, Rule(id="R1", metric="robust_accuracy", min=0.1, where=asks))
    named = {**asks, "surrogate": "resnet18"}
    with pytest.raises(Unanswerable, match="it broke"):
        matching(results, Rule(id="R1", metric="robust_accuracy", min=0.1, where=named))


def test_tables_keep_the_origins_apart_in_words():
    names = [row[0] for row in stressed_rows(whole())]
    for words in (
        "pgd 2/255",
        "pgd 2/255 with jpeg",
        "pgd 2/255 with jpeg (made without it)",
        "pgd 2/255 (made on resnet18)",
    ):
        assert names.count(words) == 1, words


def test_the_report_says_where_images_were_made():
    there = next(f for f in FOUND if f.params.get("surrogate") == "resnet18")
    assert setting(there) == "PGD, ε = 2/255, made on resnet18, shown to the audited model"
    carried = run("pgd", defence="jpeg", surrogate="undefended")
    assert run_name(carried) == (
        "PGD, under JPEG compression, made on the model without its defence"
    )
    assert run_name(run("pgd")) == "PGD"


def material() -> Material:
    return Material(whole(), Path(), Card(), read_verdict(None))


def test_before_and_after_puts_borrowed_images_beside_the_plain_attack() -> None:
    (*_, shown) = load_panels()["defence_pairs"](material())
    assert isinstance(shown, Table)
    rows = {str(row[0]): row for row in shown.rows}
    start, what = "PGD, ε = 2/255", "robust sensitivity"
    (_, through) = rows[f"{start}: {what}"]
    (_, carried) = rows[f"{start}, made on the model without its defence: {what}"]
    assert isinstance(through, Cell)
    assert isinstance(carried, Cell)
    # Both beside the attack on the model as given, 15/30; then 18/30 and 16/30.
    assert through.text == "50.0% → 60.0%"
    assert carried.text == "50.0% → 53.3%"
    assert through.sub.startswith("+10.0 (")
    assert carried.sub.startswith("+3.3 (")
    assert through.sub.endswith("n = 30")
    assert carried.sub.endswith("n = 30")
    assert "paired difference in points" in shown.note


def test_a_line_over_radii_holds_what_was_made_on_the_model_itself() -> None:
    (points,) = [p for name, p in material().sweeps("robust_accuracy").items() if name == "pgd"]
    assert [(level, f.events) for level, f in points] == [(2.0, 45), (8.0, 45)]
