"""Defences in section 8: on the same images, with their cost, and only what was examined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.results import Finding
from reports.blocks import Cell, Figure, Table, Text
from reports.card import Card
from reports.defences import settings
from reports.material import Material
from reports.panels.registry import load_panels
from reports.verdict import read_verdict
from tests.sample_results import proportion, sample_results

FGSM = {"stress": "fgsm", "params": {"epsilon": 2 / 255}}


def pair(
    metric: str, before: int, after: int, n: int, defence: str, **rest: object
) -> list[Finding]:
    """The rate with the defence and its paired difference from none, on the same n cases."""
    change = Finding(
        metric=metric, value=(after - before) / n, low=(after - before) / n - 0.1,
        high=(after - before) / n + 0.1, n=n, defence=defence, contrast="defence=none",
        p=0.01, p_holm=0.02 if abs(after - before) > 10 else 0.6, **rest,  # type: ignore[arg-type]
    )  # fmt: skip
    return [proportion(metric, after, n, defence=defence, **rest), change]


def material(findings: Sequence[Finding]) -> Material:
    base = sample_results()
    clean = [f for f in base.findings if f.defence == "none" and not f.contrast]
    results = base.model_copy(update={"findings": (*clean, *findings)})
    return Material(results, Path(), Card(), read_verdict(None))


def shown(findings: Sequence[Finding]) -> tuple[Figure, Table]:
    figure, table = load_panels()["defence_pairs"](material(findings))
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    return figure, table


def test_cost_comes_first_and_each_cell_tells_without_with_and_the_paired_difference() -> None:
    found = [
        *pair("robust_sensitivity", 5, 35, 61, "jpeg", **FGSM),
        *pair("sensitivity", 46, 44, 61, "jpeg"),
    ]
    figure, table = shown(found)
    cost, attacked = table.rows
    assert cost[0] == "Sensitivity"
    assert attacked[0] == "FGSM, ε = 2/255: robust sensitivity"
    assert isinstance(cost[1], Cell)
    assert isinstance(attacked[1], Cell)
    # By hand: 46/61, 44/61 and −2/61; 5/61, 35/61 and 30/61.
    assert cost[1].text == "75.4% → 72.1%"
    assert cost[1].sub == "−3.3 (−13.3 to +6.7) · n = 61"
    assert not cost[1].strong
    assert attacked[1].text == "8.2% → 57.4%"
    assert attacked[1].strong
    assert "Filled squares" in figure.caption


def test_the_value_without_the_defence_is_of_the_same_images_not_of_all() -> None:
    # Overall FGSM left other numbers: only the 20 that the defence saw count here.
    (one,) = settings(material(pair("robust_sensitivity", 4, 9, 20, "jpeg", **FGSM)), ["jpeg"])
    assert one.pairs["jpeg"].before == pytest.approx(4 / 20)


def test_accuracy_stands_in_where_positives_were_too_few_for_sensitivity() -> None:
    few = Finding(metric="robust_sensitivity", n=5, defence="jpeg", reason="fewer than 10", **FGSM)  # type: ignore[arg-type]
    _, table = shown([few, *pair("robust_accuracy", 2, 20, 32, "jpeg", **FGSM)])
    (row,) = table.rows
    assert row[0] == "FGSM, ε = 2/255: robust accuracy"


def test_defences_stand_side_by_side_and_a_setting_one_did_not_meet_is_a_dash() -> None:
    found = [
        *pair("sensitivity", 46, 44, 61, "jpeg"),
        *pair("robust_sensitivity", 5, 35, 61, "jpeg", **FGSM),
        *pair("sensitivity", 46, 40, 61, "tta"),
    ]
    _, table = shown(found)
    assert table.columns == ["Setting", "JPEG compression", "TTA (test-time augmentation)"]
    assert table.rows[1][2] == Cell("–")


def test_a_defence_that_met_too_few_images_is_said_to_have_been_compared_on_none() -> None:
    few = Finding(metric="robust_accuracy", n=4, defence="jpeg", reason="fewer than 10", **FGSM)  # type: ignore[arg-type]
    (words,) = load_panels()["defence_pairs"](material([few]))
    assert isinstance(words, Text)
    assert "JPEG compression" in words.text
    assert words.text.startswith("No setting was examined")
