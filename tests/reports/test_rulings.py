"""Rules as a board reads them: asked, found, and what the gate adds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from audit.gate.rules import GateRules
from audit.results import Finding, GateFile
from reports.card import Card
from reports.language import speaking
from reports.material import Material
from reports.rulings import asked, found, in_short
from reports.threshold_file import threshold_file
from reports.verdict import Ruling, read_verdict
from tests.sample_results import sample_results


def ruling(**parts: object) -> Ruling:
    """One ruling read from a verdict.json that holds these parts."""
    return read_verdict({"outcome": "fail", "rules": [{"id": "R1", **parts}]}).rulings[0]


def judged(rule: dict[str, object], finding: Finding) -> Ruling:
    """What the real gate says of a rule on one finding, as the report reads it."""
    from audit.gate.judge import judge

    rules = GateRules.model_validate(
        {"schema": 1, "gate": {"assume_independent": True, "rule": [rule]}}
    )
    results = sample_results().model_copy(update={"findings": (finding,)})
    verdict = judge(results, rules, today=date(2026, 11, 23))
    return read_verdict(verdict.model_dump(mode="json")).rulings[0]


SENSITIVITY = Finding(
    metric="robust_sensitivity",
    stress="fgsm",
    params={"epsilon": 2 / 255},
    value=23 / 61,
    low=0.256,
    high=0.51,
    n=61,
    events=23,
)


def test_what_the_gate_writes_is_told_in_words_with_shares_as_per_cent() -> None:
    told = judged(
        {
            "id": "HA201",
            "metric": "robust_sensitivity",
            "where": {"stress": "fgsm", "epsilon": "2/255"},
            "min": 0.3,
        },
        SENSITIVITY,
    )
    assert told.outcome == "fail"
    assert asked(told) == (
        "robust sensitivity, under FGSM, ε = 2/255: at least 30%, judged by its lower 95% limit"
    )
    assert found(told) == "37.7% (95% CI 25.6–51.0%)"
    assert in_short(told) == (
        "robust sensitivity, under FGSM, ε = 2/255 at least 30%: 37.7% (95% CI 25.6–51.0%)"
    )


def test_the_same_rule_in_dutch_has_a_decimal_comma_and_dutch_words() -> None:
    rule = {"id": "A", "metric": "sensitivity", "min": 0.305, "where": {"view": "lateral"}}
    group = {"view": "lateral"}
    one = SENSITIVITY.model_copy(
        update={"metric": "sensitivity", "stress": "clean", "params": {}, "group": group}
    )
    with speaking("nl"):
        told = judged(rule, one)
        assert asked(told) == (
            "sensitiviteit, view lateral: minstens 30,5%, getoetst aan de ondergrens van het 95%-BI"
        )
        assert found(told) == "37,7% (95%-BI 25,6–51,0%)"


def test_a_gap_and_a_drop_are_in_points() -> None:
    gap = ruling(
        metric="sensitivity",
        outcome="inconclusive",
        text="gap in sensitivity by view between frontal and lateral ≤ 0.1 "
        "(n at least 50; judged by its upper 95% limit)",
        reason="sensitivity view frontal: n = 21, fewer than 50",
    )
    assert asked(gap) == (
        "gap in sensitivity by view between frontal and lateral: at most 10 points, "
        "n at least 50, judged by its upper 95% limit"
    )
    assert found(gap) == "sensitivity view frontal: n = 21, fewer than 50"
    drop = ruling(
        metric="auroc",
        outcome="pass",
        text="drop in auroc from the baseline ≤ 0.02 (judged by its upper 95% limit)",
    )
    assert asked(drop).startswith("drop in AUROC from the baseline: at most 0.02, judged")


def test_what_the_gate_adds_to_a_comparison_is_not_lost() -> None:
    told = ruling(
        metric="sensitivity",
        outcome="fail",
        observed=0.7,
        low=0.6,
        high=0.8,
        text="sensitivity ≥ 0.9 (judged by its lower 95% limit)",
        reason="sensitivity: lower 95% limit 0.6, at least 0.9 asked; "
        "the waiver of physics expired on 2026-01-01",
    )
    assert found(told) == ("70.0% (95% CI 60.0–80.0%); the waiver of physics expired on 2026-01-01")
    assert "expired" not in in_short(told)


def test_a_reason_why_nothing_could_be_judged_stands_on_page_one() -> None:
    told = ruling(
        metric="sensitivity",
        outcome="inconclusive",
        text="sensitivity ≥ 0.9 (judged by its lower 95% limit)",
        reason="the plan has no run without stress",
    )
    assert in_short(told) == "sensitivity at least 90%: the plan has no run without stress"
    with speaking("nl"):
        assert in_short(told).endswith("het plan heeft geen run zonder verstoring")


@pytest.mark.parametrize("text", ["accuracy beats the old model", "gap in ≥ (", "x" * 5000])
def test_a_text_of_another_form_is_printed_as_it_stands(text: str) -> None:
    told = ruling(metric="accuracy", outcome="pass", text=text)
    assert asked(told) == text
    assert in_short(told) == text


def told_of(verdict_hash: str | None, recorded: GateFile | None, before: bool | None) -> str:
    results = sample_results()
    provenance = results.provenance.model_copy(update={"gate_file": recorded})
    verdict = {
        "outcome": "pass",
        "gate_file_sha256": verdict_hash,
        "gate_file_recorded_before": before,
    }
    changed = results.model_copy(update={"provenance": provenance})
    return threshold_file(Material(changed, Path(), Card(), read_verdict(verdict)))


def test_a_file_recorded_before_the_run_is_said_to_be_with_its_day() -> None:
    told = told_of("ab" * 32, GateFile(sha256="ab" * 32, recorded="2026-11-22"), True)
    assert told.endswith("recorded before the run (2026-11-22)")
    assert "abababab abababab" in told
    assert "changed" not in told


def test_another_file_than_the_one_recorded_is_said_to_be_changed_since() -> None:
    told = told_of("cd" * 32, GateFile(sha256="ab" * 32, recorded="2026-11-22"), False)
    assert "changed since" in told
    assert "cdcdcdcd" in told
    assert "abababab" in told


def test_a_verdict_that_denies_it_outweighs_equal_hashes() -> None:
    told = told_of("ab" * 32, GateFile(sha256="ab" * 32, recorded="2026-11-22"), False)
    assert told.endswith("not recorded before the run")


def test_without_a_record_nothing_is_said_to_stand_before_the_run() -> None:
    assert told_of("ab" * 32, None, None).endswith("not recorded before the run")
    assert told_of(None, None, None) == "no hash of it was recorded"
