"""Section 7: corruptions by severity, where accuracy falls, and what was sought and not found."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from audit.results import Finding, PlannedRun, Results
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.card import Card
from reports.corruptions import RATES, clean_of, doses
from reports.figures.style import WIDTH
from reports.material import Material
from reports.numbers import level
from reports.panels.corruption_matrix import MOST_ROWS
from reports.panels.registry import load_panels
from reports.verdict import read_verdict
from tests.sample_results import proportion, sample_results

COUNTS = {0.8: 58, 0.4: 48, 0.2: 30}  # right of 64, mild to gross
CLEAN = 60


def contrast(metric: str, value: float | None, **rest: object) -> Finding:
    limits = {} if value is None else {"low": value - 0.05, "high": value + 0.05}
    return Finding(metric=metric, value=value, contrast="stress=clean", n=64, **limits, **rest)  # type: ignore[arg-type]


def loss_of(stress: str, less: int = 0) -> list[Finding]:
    """A sample of 64 of the cases, 60 of them right without stress."""
    found = []
    for kept, k in sorted(COUNTS.items()):  # an audit sorts its levels by their names
        where = {"stress": stress, "params": {"depth": 4.0, "kept": kept}}
        found += [proportion(metric, k - less, 64, **where) for metric in RATES]
        found += [contrast(metric, (k - less - CLEAN) / 64, **where) for metric in RATES]
        found.append(proportion("robust_accuracy", k - less - 1, 64, **where))
        found.append(proportion("robust_sensitivity", (k - less) // 4, 16, **where))
    first, last = ({"depth": 4.0, "kept": kept} for kept in (0.4, 0.2))
    found.append(contrast("first_loss", (48 - less - CLEAN) / 64, stress=stress, params=first))
    found.append(contrast("change_per_step", -10 / 64, stress=stress, params=last))
    return found


def without_loss(stress: str) -> list[Finding]:
    """Three levels at which all that was right stays right, and no first loss."""
    found = []
    for kept in COUNTS:
        where = {"stress": stress, "params": {"depth": 4.0, "kept": kept}}
        found += [proportion(metric, CLEAN, 64, **where) for metric in RATES]
        found += [
            contrast("accuracy", 0.0, **where),
            proportion("robust_accuracy", 60, 64, **where),
        ]
    none = contrast("first_loss", None, stress=stress, params={"depth": 4.0, "kept": 0.2})
    reason = "no loss of accuracy detected up to kept = 0.2"
    return [*found, none.model_copy(update={"reason": reason})]


def material(findings: Sequence[Finding]) -> Material:
    base = sample_results()
    clean = [f for f in base.findings if f.stress == "clean"]
    params = {"depth": 4.0, "kept": list(COUNTS)}
    runs = [
        PlannedRun(id=n, stress=n, kind="corruption", params=params, sample=64, of=400)
        for n in dict.fromkeys(f.stress for f in findings)
    ]
    plan = base.plan.model_copy(update={"runs": tuple(runs)})
    results: Results = base.model_copy(update={"findings": (*clean, *findings), "plan": plan})
    return Material(results, Path(), Card(), read_verdict(None))


def panel(name: str, findings: Sequence[Finding]) -> Sequence[Block]:
    return load_panels()[name](material(findings))


def size(figure: Figure) -> tuple[float, float]:
    """Inches."""
    root = ET.fromstring(base64.b64decode(figure.source.partition(",")[2]))  # noqa: S314 our own
    width, height = (float(root.attrib[k].removesuffix("pt")) / 72 for k in ("width", "height"))
    return width, height


def texts(row: Sequence[str | Cell]) -> list[str]:
    return [cell.text if isinstance(cell, Cell) else cell for cell in row]


def test_severities_go_from_mild_to_gross_in_the_order_of_the_run() -> None:
    (dose,) = doses(material(loss_of("contrast_loss")))
    assert dose.levels == (0.8, 0.4, 0.2)
    assert [round(64 * (f.value or 0)) for f in dose.rates["accuracy"] if f] == [58, 48, 30]
    assert dose.falls_at == 1


def test_the_value_without_stress_is_that_of_the_same_cases_not_of_all() -> None:
    one = material(loss_of("contrast_loss"))
    overall = one.clean("accuracy")
    assert overall is not None
    assert overall.n != 64
    (dose,) = doses(one)
    clean = clean_of(one, dose, "accuracy")
    assert clean.value == pytest.approx(CLEAN / 64)
    assert clean.low is None  # of a sample there is no interval of its own


def test_the_matrix_has_a_row_per_corruption_and_the_most_affected_first() -> None:
    figure, table = panel("corruption_matrix", [*loss_of("metal"), *loss_of("gamma", less=8)])
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    assert [texts(row)[0] for row in table.rows] == ["Gamma", "Metal"]
    # By hand, of the 16 positives: a quarter of 50, 40, 22 and of 58, 48, 30.
    assert texts(table.rows[0])[1:4] == ["75.0% †", "62.5% †", "31.2% †"]
    assert texts(table.rows[1])[1:4] == ["87.5% †", "75.0% †", "43.8% †"]
    assert table.caption.startswith("Robust sensitivity")
    name = table.rows[0][0]
    assert isinstance(name, Cell)
    assert name.sub == "part of the contrast kept: .8 · .4 · .2"


def test_without_positives_enough_the_matrix_tells_accuracy_and_says_so() -> None:
    few = [f for f in loss_of("metal") if f.metric != "robust_sensitivity"]
    where = {"stress": "metal", "metric": "robust_sensitivity", "n": 4}
    few += [
        Finding(params={"depth": 4.0, "kept": kept}, reason="fewer than 10 positives", **where)  # type: ignore[arg-type]
        for kept in COUNTS
    ]
    figure, table = panel("corruption_matrix", few)
    assert isinstance(table, Table)
    assert isinstance(figure, Figure)
    assert "too few positives" in figure.caption
    # One right answer of each level was wrong without the change: 57, 47 and 29 of 64.
    assert texts(table.rows[0])[1:4] == ["89.1%", "73.4% †", "45.3% †"]


def test_a_corruption_that_has_no_severity_fills_one_column() -> None:
    found = [proportion(m, 50, 64, stress="inverted") for m in (*RATES, "robust_accuracy")]
    (dose,) = doses(material(found))
    assert (dose.parameter, dose.levels, dose.falls_at) == ("", (), None)
    table = panel("corruption_matrix", found)[1]
    assert isinstance(table, Table)
    assert texts(table.rows[0])[2:] == [""] * 2


def test_where_accuracy_falls_the_table_tells_the_first_loss_and_the_grossest_level() -> None:
    figure, table = panel("corruption_curves", loss_of("contrast_loss"))
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    first, last = table.rows
    assert isinstance(first[0], Cell)
    assert (first[0].text, first[0].sub) == ("Contrast loss", ".4 (first loss)")
    # 48 − 60 and 30 − 60 of 64, in points.
    assert texts(first)[1:3] == ["−18.8", "75.0% †"]
    assert texts(last)[:3] == [".2 (grossest)", "−46.9", "46.9% †"]
    assert isinstance(first[1], Cell)
    assert first[1].sub == "−23.8 to −13.8"


def test_only_what_falls_is_drawn_and_the_rest_is_said_with_its_denominator() -> None:
    found = panel("corruption_curves", [*loss_of("metal"), *without_loss("gamma")])
    figure, table, words = found
    assert isinstance(figure, Figure)
    assert "Metal" in figure.alt
    assert "Gamma" not in figure.alt
    assert isinstance(table, Table)
    assert not any("Gamma" in texts(row)[0] for row in table.rows)
    assert isinstance(words, Text)
    assert words.text.startswith("No loss of accuracy found in 64 images up to")
    assert "gamma (.2)" in words.text


def test_a_suppressed_edition_does_not_say_that_no_loss_was_found() -> None:
    """61 of 64 right without stress: what is counted beside it is hidden, found or not found."""
    hidden = {"value": None, "low": None, "high": None, "reason": "suppressed: fewer than 5"}
    both = [
        f.model_copy(update=hidden) if f.metric == "first_loss" else f
        for f in [*loss_of("metal"), *without_loss("gamma")]
    ]
    (words,) = panel("corruption_curves", both)
    assert isinstance(words, Text)
    assert "leaves out whether accuracy falls under metal and gamma" in words.text


def test_a_corruption_at_two_severities_is_said_not_to_have_been_searched() -> None:
    two = [f for f in without_loss("gamma") if f.params["kept"] != 0.4 and f.metric != "first_loss"]
    (words,) = panel("corruption_curves", two)
    assert isinstance(words, Text)
    assert words.text.endswith("no first loss was looked for: gamma.")


def test_forty_corruptions_are_cut_by_a_stated_rule_and_fit_on_a_page() -> None:
    several = [f for i in range(40) for f in loss_of(f"corruption_{i}", less=i % 9)]
    figure, table = panel("corruption_matrix", several)
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    assert len(table.rows) == MOST_ROWS
    assert f"The {MOST_ROWS} most affected; all 40 are in audit.json." in table.note
    width, height = size(figure)
    assert width == pytest.approx(WIDTH, abs=0.01)
    assert height < 8.5  # of A4's 11.7 inches, margins and caption off


def test_nine_panes_of_what_falls_fit_on_a_page() -> None:
    several = [f for i in range(14) for f in loss_of(f"corruption_{i}")]
    figure, table = panel("corruption_curves", several)
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    assert size(figure)[1] < 8.5
    assert "The 9 with the largest loss; all 14 are in audit.json." in table.note


def test_without_corruptions_nothing_is_printed() -> None:
    assert not panel("corruption_curves", [])
    assert not panel("corruption_matrix", [])


@pytest.mark.parametrize(
    ("value", "text"), [(0.002, ".002"), (1.0, "1"), (2.5, "2.5"), ("inverted", "inverted")]
)
def test_levels_are_short_below_an_axis(value, text) -> None:
    assert level(value) == text
