"""Section 8: attacks in one table, curves that begin at the clean value, and what found nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.results import Finding, PlannedRun
from reports.blocks import Block, Cell, Figure, Items, Table
from reports.card import Card
from reports.material import Material
from reports.panels import curves
from reports.panels.registry import load_panels
from reports.panels.stressed import MOST_ROWS
from reports.values.registry import load_values
from reports.verdict import read_verdict
from tests.sample_results import proportion, sample_results


def material(findings: Sequence[Finding] = (), runs: Sequence[PlannedRun] = ()) -> Material:
    base = sample_results()
    if not findings:
        return Material(base, Path(), Card(), read_verdict(None))
    clean = [f for f in base.findings if f.stress == "clean"]
    changes: dict[str, object] = {"findings": (*clean, *findings)}
    if runs:
        changes["plan"] = base.plan.model_copy(update={"runs": tuple(runs)})
    return Material(base.model_copy(update=changes), Path(), Card(), read_verdict(None))


def attacked(stress: str, left: int, fooled: int, n: int, **params: float) -> list[Finding]:
    """`left` + `fooled` of n were right without the attack."""
    where = {"stress": stress, "params": params}
    return [
        proportion("robust_accuracy", left, n, **where),
        proportion("attack_success", fooled, left + fooled, **where),
        proportion("attack_success_8bit", fooled, left + fooled, **where),
    ]


def table_of(blocks: Sequence[Block]) -> Table:
    (found,) = [block for block in blocks if isinstance(block, Table)]
    return found


def names(found: Table) -> list[str]:
    first = [row[0] for row in found.rows]
    return [cell.text if isinstance(cell, Cell) else cell for cell in first]


def test_attacks_of_all_kinds_stand_in_one_table_with_the_worst_case() -> None:
    told = names(table_of(load_panels()["attack_table"](material())))
    assert "FGSM, ε = 2/255" in told
    assert "Worst case over attacks, FGSM and PGD, ε = 1/255" in told
    assert "One pixel, queries 2000" in told
    assert not any("quantum" in name.lower() for name in told)


def test_what_found_nothing_is_said_in_the_words_agreed_with_its_denominator() -> None:
    found = [
        *attacked("square", 29, 0, 32, epsilon=8 / 255, queries=500),
        *attacked("one_pixel", 20, 9, 32, queries=2000),
    ]
    *_, told = load_panels()["attack_table"](material(found))
    assert isinstance(told, Items)
    # The upper limit of 0 of 29: 1 − 0.025 ** (1 / 29) = 11.9%
    assert list(told.items) == [
        "No failure found by Square at ε = 8/255, queries 500 in 29 images decided correctly "
        "(upper 95% limit of its success: 11.9%)."
    ]


def test_the_spread_of_the_smallest_radius_stands_beside_its_attack() -> None:
    params = {"epsilon": 16 / 255, "max_epsilon": 16 / 255}
    found = attacked("smallest_epsilon", 30, 149, 200, **params)
    for metric, value in (
        ("smallest_epsilon_lower_quartile", 1 / 255),
        ("smallest_epsilon", 2 / 255),
        ("smallest_epsilon_upper_quartile", None),
    ):
        f = Finding(metric=metric, stress="smallest_epsilon", params=params, value=value, n=179)
        found.append(f)
    table = table_of(load_panels()["attack_table"](material(found)))
    first = table.rows[0][0]
    assert isinstance(first, Cell)
    assert first.sub == (
        "smallest ε per image, of 179: median 2/255; quartiles 1/255 and above 16/255"
    )


def test_a_hundred_attacks_are_cut_to_those_that_left_least_standing() -> None:
    many = [f for i in range(100) for f in attacked(f"new_{i}", i, 200 - i, 300, level=i)]
    table = table_of(load_panels()["attack_table"](material(many)))
    assert names(table) == [f"New {i}, level {i}" for i in range(MOST_ROWS)]
    assert f"The {MOST_ROWS} that left the fewest decisions standing; all 100" in table.note


def test_a_curve_begins_at_the_clean_value_of_the_very_images_that_were_attacked() -> None:
    # 115 of the 128 were right without the attack: what success is counted over.
    found = [f for e in (2, 4) for f in attacked("pgd", 115 - 20 * e, 20 * e, 128, epsilon=e / 255)]
    pane = curves._by_stress(material(found), "robust_accuracy")
    (points,) = pane.series.values()
    assert points[0][0] == 0
    assert points[0][1].value == pytest.approx(115 / 128)
    assert [round(128 * (f.value or 0)) for _, f in points[1:]] == [75, 35]


def test_by_view_one_attack_is_drawn_and_its_table_holds_both_metrics() -> None:
    figure, table = load_panels()["attack_curves_by_group"](material())
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    assert table.columns == ["Metric, level", "view frontal", "view lateral", "view oblique"]
    told = names(table)
    assert told[0] == "Robust sensitivity, ε = 0.5/255"
    assert told[5] == "Robust specificity, ε = 0.5/255"
    assert len(told) == 10


def test_the_threat_is_told_by_what_the_attacks_of_this_run_could_do() -> None:
    told = load_values()["adversarial.threat"](material())
    assert isinstance(told, list)
    text = " ".join(told)
    assert "knows the weights" in text
    assert "every pixel by up to 8 of 255 grey levels" in text
    assert "one pixel by any amount" in text


def test_attacks_are_listed_a_line_per_defence_with_their_denominators() -> None:
    lines = load_values()["adversarial.attacks"](material())
    assert isinstance(lines, list)
    assert lines[0] == (
        "Without a defence: FGSM 400/400; PGD 400/400; rotation–translation 400/400; "
        "one pixel 32/400."
    )
    assert lines[1] == "Under TTA (test-time augmentation): FGSM 400/400."
    assert lines[2] == "Samples: proportional to the labels, in seeded order."
    assert not any("square" in line.lower() for line in lines)  # it failed: section 17


def test_a_worst_case_over_one_attack_is_not_told_beside_that_attack() -> None:
    params = {"norm": "linf", "epsilon": 16 / 255, "attacks": "fgsm"}
    alone = proportion("robust_accuracy", 3, 400, stress="worst_case", params=params)
    together = alone.model_copy(update={"params": {**params, "attacks": "fgsm, pgd"}})
    for f, told in ((alone, 0), (together, 1)):
        found = material([f])
        lines = [b for b in load_panels()["attack_table"](found) if isinstance(b, Table)]
        assert len(lines) == told
        assert len(found.stressed("robust_accuracy")) == told
