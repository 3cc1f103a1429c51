"""Failure modes: observed rates from the findings, everything else from people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit.results import Finding, ProbeReport, Results
from reports.blocks import Cell, Table
from reports.card import Card
from reports.failures import LOOKS, observations
from reports.language import speaking
from reports.material import Material
from reports.modes import MODES
from reports.panels.registry import load_panels
from reports.verdict import read_verdict
from tests.sample_results import CLEAN, VIEWS, proportion, sample_results


def material(results: Results | None = None, **card: Any) -> Material:
    return Material(
        results or sample_results(), Path(), Card.model_validate(card), read_verdict(None)
    )


def with_findings(*more: Finding) -> Results:
    sample = sample_results()
    return sample.model_copy(update={"findings": (*sample.findings, *more)})


def with_probe(name: str, *findings: Finding, state: str = "done") -> Results:
    report = ProbeReport(probe=name, state=state, findings=findings)  # type: ignore[arg-type]
    return sample_results().model_copy(update={"probes": (report,)})


def table(found: Material) -> Table:
    (block,) = load_panels()["fmea"](found)
    assert isinstance(block, Table)
    return block


def row(found: Material, mode: str) -> list[str]:
    """The texts of a mode's row, what stands small below them included."""
    for cells in table(found).rows:
        told = [f"{c.text} {c.sub}".strip() if isinstance(c, Cell) else c for c in cells]
        if told[0].startswith(MODES[mode]):
            return told
    raise AssertionError(f"no row for {mode}")


def test_what_is_not_found_is_missed_with_the_limits_turned_round() -> None:
    found, positives = CLEAN[""][0], VIEWS[""][0]
    # scipy.stats.beta.ppf of 15 missed in 61: 14.5 to 37.3 per cent
    told = observations(material())["missed_positive"].rate
    assert told.startswith(f"{100 * (1 - found / positives):.1f}% (95% CI 14.5–37.3%;")
    assert f"{positives - found}/{positives}" in told


def test_a_false_alarm_is_counted_among_the_negatives() -> None:
    assert "27/339" in observations(material())["false_alarm"].rate


def test_the_worst_group_is_the_one_with_the_lowest_sensitivity() -> None:
    # frontal 31/36, lateral 12/21; oblique has 4 positives and no rate
    seen = observations(material())["missed_in_group"]
    assert "9/21" in seen.rate
    assert seen.where == "view lateral; the worst of 2 groups"


def test_the_worst_attack_is_the_one_that_succeeds_most_often_without_a_defence() -> None:
    sample = sample_results()
    rates = [
        f.value or 0
        for f in sample.findings
        if f.metric == "attack_success" and f.defence == "none"
    ]
    told = observations(material())["attack"].rate
    assert told.startswith(f"{100 * max(rates):.1f}%")


def test_a_natural_change_is_told_by_what_it_makes_the_model_miss() -> None:
    # quantum noise keeps int(46 × (.8 + dose / 5)) of 61: 37 at a tenth of the dose
    assert CLEAN[""][0] == 46
    seen = observations(material())["natural_change"]
    assert "24/61" in seen.rate
    assert "dose" in seen.where


def test_a_miss_above_the_cut_off_has_its_one_sided_bound() -> None:
    above = Finding(
        metric="missed_above", params={"cutoff": 0.995}, value=0.0, low=0.0, high=0.0418, n=70,
        events=0,
    )  # fmt: skip
    seen = observations(material(with_findings(above)))["confident_miss"]
    assert seen.rate == "0/70, at most 4.18%"
    assert "99.5%" in seen.where


@pytest.mark.parametrize(
    ("mode", "probe", "finding", "told"),
    [
        ("leakage", "leakage",
         proportion("near_duplicates", 5, 400, params={"where": "across"}), "5/400"),
        ("label_error", "label_errors", proportion("label_errors_suspected", 29, 400), "29/400"),
        ("poor_image", "quality", proportion("accuracy_poor", 12, 20), "8/20"),
        ("misleading_map", "explanations",
         proportion("pointing_game", 4, 29, params={"method": "grad-cam"}), "25/29"),
    ],
)  # fmt: skip
def test_what_a_probe_counted_stands_in_the_row_of_its_mode(
    mode: str, probe: str, finding: Finding, told: str
) -> None:
    assert told in observations(material(with_probe(probe, finding)))[mode].rate
    assert mode not in observations(material(with_probe(probe, finding, state="failed")))


def test_duplicates_within_the_set_are_no_leak_from_training() -> None:
    within = proportion("shared_images", 6, 400, params={"where": "within"})
    assert "leakage" not in observations(material(with_probe("leakage", within)))


def test_the_centre_of_the_image_is_no_heat_map() -> None:
    centre = proportion("pointing_game", 10, 29, params={"method": "centre of the image"})
    assert "misleading_map" not in observations(material(with_probe("explanations", centre)))


def test_without_a_card_every_judgement_is_not_supplied() -> None:
    rows = table(material()).rows
    assert len(rows) == len(observations(material()))
    assert all(list(cells[2:]) == ["NOT SUPPLIED"] * 4 for cells in rows)


def test_a_risk_that_names_a_mode_stands_in_its_row_beside_the_observed_rate() -> None:
    risk = {
        "mode": "missed_positive",
        "failure_mode": "Femoral neck",
        "severity": "High",
        "control": "CT",
        "owner": "Radiology",
    }
    told = row(material(risks=[risk]), "missed_positive")
    assert told[0].endswith("Femoral neck")
    assert "15/61" in told[1]
    assert told[2:] == ["High", "NOT SUPPLIED", "CT Owner: Radiology", "NOT SUPPLIED"]
    assert len(table(material(risks=[risk])).rows) == len(table(material()).rows)


def test_a_mode_that_was_stated_but_not_counted_says_so() -> None:
    told = row(material(risks=[{"mode": "drift", "severity": "High"}]), "drift")
    assert told[1] == "not computed in this run"
    assert "Images or scores change" not in table(material(risks=[{"mode": "drift"}])).note
    assert "Images or scores change" in table(material()).note


def test_two_hundred_stated_risks_are_cut_by_a_stated_rule() -> None:
    risks = [{"failure_mode": f"risk {n}"} for n in range(200)]
    found = table(material(risks=risks))
    total = 200 + len(observations(material()))
    assert len(found.rows) == 40
    assert f"The first 40 of {total} rows" in found.note


def test_an_audit_without_a_finding_still_has_its_table() -> None:
    bare = sample_results().model_copy(update={"findings": (), "probes": ()})
    assert observations(material(bare)) == {}
    assert table(material(bare, risks=[{"failure_mode": "x"}])).rows[0][0] == "x"


def test_every_look_is_a_mode_and_only_drift_cannot_be_counted() -> None:
    assert set(MODES) - set(LOOKS) == {"drift"}
    assert set(LOOKS) <= set(MODES)


def test_the_dutch_table_is_dutch() -> None:
    with speaking("nl"):
        found = table(material())
    assert found.caption == "Faalwijzen"
    assert found.rows[0][2] == "NIET OPGEGEVEN"
