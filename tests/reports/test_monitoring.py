"""Section 16: the baselines as a file and as a short table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audit.results import ProbeReport, Results
from reports.baselines import baselines_json
from reports.blocks import Table
from reports.card import Card
from reports.language import speaking
from reports.material import Material
from reports.panels.registry import load_panels
from reports.values.registry import load_values
from reports.verdict import read_verdict
from tests.sample_results import sample_results

POINTS = ("0.05", "0.1", "0.2", "0.25", "0.3", "0.4", "0.5", "0.6", "0.7", "0.75", "0.8", "0.9")


def quantiles(step: float) -> dict[str, Any]:
    told = {q: round(step * float(q), 6) for q in (*POINTS, "0.95")}
    return {"cases": 400, "quantiles": told}


def details() -> dict[str, Any]:
    score = {"all": quantiles(1.0), "called_positive": None, "called_otherwise": quantiles(0.5)}
    return {
        "schema_version": 1,
        "positive_class": "fractured",
        "cases": 400,
        "labelled_positive": 0.153,
        "decisions": {"none": {"called_positive": 0.2, "referred": None, "score": score}},
        "attributes": {"view": {"frontal": 0.6, "other": 0.4}},
        "pictures": {"cases": 400, "seed": 1, "measures": {"contrast": quantiles(0.8)}},
    }


@pytest.fixture
def results() -> Results:
    report = ProbeReport(probe="drift_baselines", details=details())
    return sample_results().model_copy(update={"probes": (report,)})


def material(results: Results) -> Material:
    return Material(results, Path(), Card(), read_verdict(None))


def test_the_file_says_of_what_it_is_a_baseline(results: Results) -> None:
    told = json.loads(baselines_json(results) or "")
    assert (told["schema"], told["schema_version"]) == ("hipaudit baselines", 1)
    assert told["model"]["sha256"] == list(results.model.sha256)
    assert (told["run_id"], told["date"]) == (results.run_id, results.provenance.date)
    assert told["attributes"] == {"view": {"frontal": 0.6, "other": 0.4}}
    assert baselines_json(results) == baselines_json(results)


def test_a_run_without_the_probe_has_neither_file_nor_table_nor_value() -> None:
    sample = sample_results()
    assert baselines_json(sample) is None
    assert list(load_panels()["drift_baselines"](material(sample))) == []
    assert load_values()["monitoring.baselines"](material(sample)) is None


def test_the_table_holds_five_quantiles_of_what_was_measured_and_names_the_index(
    results: Results,
) -> None:
    (table,) = load_panels()["drift_baselines"](material(results))
    assert isinstance(table, Table)
    rows = {str(row[0]): list(row[1:]) for row in table.rows}
    assert list(rows) == ["Score for fractured, all images", "… of the others", "Contrast"]
    assert rows["Contrast"] == ["400", "0.04", "0.2", "0.4", "0.6", "0.76"]
    assert "PSI = Σ (new − old) · ln(new / old)" in table.note
    assert "for the site to set" in table.note


def test_a_share_that_was_withheld_is_not_printed(results: Results) -> None:
    told = load_values()["monitoring.baselines"](material(results))
    assert told is not None
    assert told[0] == "Labelled fractured: 15.3%. Called fractured: 20.0%."
    assert "baselines.json" in told[1]


def test_dutch_numbers_have_a_decimal_comma(results: Results) -> None:
    with speaking("nl"):
        (table,) = load_panels()["drift_baselines"](material(results))
    assert isinstance(table, Table)
    assert table.rows[-1][2] == "0,04"
