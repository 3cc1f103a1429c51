"""Page one: the headlines, the three worst findings by the printed rule, at most seven marks."""

from __future__ import annotations

from pathlib import Path

from audit.results import Note
from reports.card import Card
from reports.edition import Edition
from reports.material import Material
from reports.render import render_html
from reports.summary import summary, worst_findings
from reports.suppression import suppressed
from reports.verdict import read_verdict
from tests.sample_results import sample_results, sample_verdict


def material(verdict: dict[str, object] | None = None, **changes: object) -> Material:
    results = sample_results().model_copy(update=changes)
    return Material(results, Path(), Card(), read_verdict(verdict))


def test_the_headlines_are_sensitivity_and_specificity_with_interval_and_counts() -> None:
    first, second = summary(material()).headlines
    assert (first.value, first.limits, first.counts) == ("75.4%", "95% CI 62.7–85.5%", "46/61")
    assert (second.value, second.counts) == ("92.0%", "312/339")


def test_the_three_worst_are_one_of_attack_nature_and_subgroup() -> None:
    # By hand: PGD at 8/255 keeps 1 of 61; noise at dose 0.1 keeps 37; lateral views 12 of 21.
    found = worst_findings(material())
    assert len(found) == 3
    assert "1.6% (95% CI" in found[0]
    assert "PGD, ε = 8/255" in found[0]
    assert "view lateral" in found[1]
    assert "12/21" in found[1]
    assert "quantum noise" in found[2]
    assert "37/61" in found[2]


def test_an_edition_without_small_counts_says_that_a_worse_finding_may_be_left_out() -> None:
    words = "Small counts are left out; a worse finding may be among them."
    whole = sample_results()
    clean = [f for f in whole.findings if f.stress == "clean" and not f.group]
    hidden = suppressed(whole.model_copy(update={"findings": tuple(clean)}), 5)
    page = render_html(hidden, Path(), edition=Edition(images=False))
    assert words in page
    assert "No number that this edition tells fell below its clean value." in page
    assert "No number fell below its clean value" not in page
    assert words not in render_html(whole, Path(), edition=Edition(images=False))


def test_a_fault_of_the_run_comes_before_any_number() -> None:
    fault = Note(code="constant", level="fault", text="The model answers the same to every image.")
    assert worst_findings(material(notes=(fault,)))[0].startswith("Fault: The model answers")


def test_a_rule_that_judged_that_number_is_named_and_no_other() -> None:
    rule = {"id": "HA9", "metric": "robust_sensitivity", "outcome": "fail"}
    there = {**rule, "where": {"stress": "pgd"}, "observed": 1 / 61}
    found = worst_findings(material({"outcome": "fail", "rules": [there]}))
    assert found[0].endswith("rule HA9, not met.")
    assert found[1].endswith("no rule judged this number.")
    gap = {**there, "observed": 0.31}  # the same metric and place, another number
    found = worst_findings(material({"outcome": "fail", "rules": [gap]}))
    assert found[0].endswith("no rule judged this number.")


def test_no_more_than_seven_marks_and_the_worst_first() -> None:
    rules = [{"id": f"R{i}", "metric": "accuracy", "outcome": "pass"} for i in range(12)]
    rules += [{"id": "BAD", "metric": "accuracy", "outcome": "fail"}]
    found = summary(material({"outcome": "fail", "rules": rules}))
    assert len(found.rulings) == 7
    assert found.rulings[0][0].id == "BAD"
    assert found.more_rulings == 6


def test_an_outcome_that_is_unknown_or_missing_is_never_a_pass() -> None:
    verdict = {"outcome": "excellent", "rules": [{"id": "A", "outcome": "great"}, {}, "noise"]}
    judged = read_verdict(verdict)
    assert judged.outcome == "inconclusive"
    assert [ruling.outcome for ruling in judged.rulings] == ["inconclusive", "inconclusive"]


def test_the_report_id_changes_with_evidence_statements_and_verdicts() -> None:
    ids = {
        material().report_id,
        material(run_id="other").report_id,
        material(sample_verdict()).report_id,
    }
    assert len(ids) == 3
    assert material().report_id == material().report_id
