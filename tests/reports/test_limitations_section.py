"""Section 17 names what was not tested and what limits the evidence, from the plan and the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.results import Finding, Note, ProbeReport, Results, Skipped
from reports.blocks import Items, Table
from reports.card import Card
from reports.language import speaking
from reports.material import Material
from reports.outline import outline
from reports.panels.registry import load_panels
from reports.sections import field
from reports.suppression import suppressed
from reports.verdict import read_verdict
from tests.sample_results import planned_runs, proportion, sample_results


def material(results: Results) -> Material:
    return Material(results, Path(), Card(), read_verdict(None))


def gaps(results: Results) -> list[tuple[str, str, str]]:
    blocks = load_panels()["not_tested"](material(results))
    (table,) = (b for b in blocks if isinstance(b, Table))
    return [(str(kind), str(what), str(why)) for kind, what, why in table.rows]


def limits(results: Results) -> list[str]:
    (block,) = load_panels()["limitations"](material(results))
    assert isinstance(block, Items)
    return list(block.items)


def test_every_run_stress_and_probe_that_was_not_carried_out_is_named_with_why() -> None:
    results = sample_results()
    left_out = {f"stress_{i}": "not in the chosen preset or options" for i in range(25)}
    probes = (
        ProbeReport(probe="leakage", state="not applicable", reason="no training data"),
        ProbeReport(probe="masking", state="failed", reason="past its time"),
    )
    plan = results.plan.model_copy(update={"not_tested": left_out})
    told = gaps(results.model_copy(update={"plan": plan, "probes": probes}))
    stresses = [row for row in told if row[0] == "Stress"]
    assert len(stresses) == 1, "one row per reason"
    assert all(f"stress {i}" in stresses[0][1] for i in range(25))
    failed = [run for run in planned_runs() if run.state == "failed"]
    assert [row[2] for row in told if row[0] == "Run failed"] == [run.reason for run in failed]
    assert ("Probe not applicable", "leakage", "no training data") in told
    assert ("Probe failed", "masking", "past its time") in told


def test_every_computed_field_without_a_value_is_named_and_no_other() -> None:
    results = sample_results()
    told = {what for kind, whats, _why in gaps(results) if kind.startswith("Field")
            for what in whats.split("; ")}  # fmt: skip
    empty = {
        row.label
        for section in outline()
        for row in section.rows
        if row.source == "A" and field(row, material(results)).state == "not computed"
    }
    assert told == empty
    assert empty


def test_attributes_that_the_data_does_not_carry_are_named() -> None:
    results = sample_results()
    data = results.data.model_copy(update={"attributes": {"view": {"frontal": 400}}})
    told = gaps(results.model_copy(update={"data": data}))
    assert ("Attribute", "sex; age band; device; site", "The data does not carry it.") in told


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (100, None),
        (99, "fewer than 100 (our convention for few)"),
        (49, "fewer than 50 (our convention for very few)"),
    ],
)
def test_few_events_are_said_by_our_convention(n: int, words: str | None) -> None:
    findings = (proportion("sensitivity", 20, n), proportion("specificity", 900, 1000))
    told = limits(sample_results().model_copy(update={"findings": findings}))
    found = [line for line in told if "our convention" in line]
    assert bool(found) is (words is not None)
    assert words is None or (str(n) in found[0] and words in found[0])


def test_samples_of_one_rule_stand_in_one_line() -> None:
    told = [line for line in limits(sample_results()) if line.startswith("On ")]
    assert told == [
        "On 64 of 400 cases only (64 cases, proportional to the labels, in seeded order): "
        "rotation–translation map.",
        "On 32 of 400 cases only (32 cases, proportional to the labels, in seeded order): "
        "one pixel.",
    ]


def test_numbers_without_a_value_are_counted_by_their_reason() -> None:
    few = [Finding(metric="sensitivity", n=3, reason="fewer than 10 positives")] * 3
    odd = [Finding(metric="auroc", reason=f"reason {i}") for i in range(5)]
    whole = proportion("accuracy", 40, 80)
    told = limits(sample_results().model_copy(update={"findings": (*few, *odd, whole)}))
    (line,) = (text for text in told if "no value" in text)
    assert line.startswith("8 of 9 numbers have no value: fewer than 10 positives (3);")
    assert line.endswith("other reasons (3).")


def test_names_with_commas_are_told_apart_and_large_counts_grouped() -> None:
    sample = sample_results()
    few = {"sample": 12, "of": 400, "rule": "12 cases"}
    runs = tuple(
        run.model_copy(update=few | {"stress": stress, "defence": "tta", "state": "done"})
        for run, stress in zip(sample.plan.runs, ("pgd", "square"), strict=False)
    )
    findings = tuple(Finding(metric="auroc", reason="too few") for _ in range(1200))
    plan = sample.plan.model_copy(update={"runs": runs})
    told = limits(sample.model_copy(update={"plan": plan, "findings": findings}))
    (line,) = (text for text in told if text.startswith("On 12 of 400"))
    assert line.count("; ") == 1
    assert "1\u202f200 of 1\u202f200 numbers have no value: too few (1\u202f200)." in told


def test_faults_come_first_and_the_rest_is_counted() -> None:
    notes = [Note(code=f"c{i}", level="warning", text=f"warned {i}.") for i in range(20)]
    notes.append(Note(code="f", level="fault", text="broken."))
    told = limits(sample_results().model_copy(update={"notes": tuple(notes)}))
    levelled = [line for line in told if line.startswith(("Fault", "Warning", "Assumed"))]
    assert levelled[0] == "Fault: broken."
    assert len(levelled) == 12
    assert any("more notes are in audit.json" in line for line in told)


def test_a_suppressed_edition_says_so_among_its_limits_in_both_languages() -> None:
    results = suppressed(sample_results(), 5)
    assert any("below 5" in line for line in limits(results))
    with speaking("nl"):
        assert any("onder 5" in line for line in limits(results))


def test_skipped_cases_are_cut_by_a_stated_rule() -> None:
    results = sample_results()
    many = tuple(Skipped(case=f"file {i}", reason="no pixel data") for i in range(1200))
    data = results.data.model_copy(update={"skipped": many})
    (table,) = load_panels()["skipped_cases"](material(results.model_copy(update={"data": data})))
    assert isinstance(table, Table)
    assert len(table.rows) == 15
    assert table.note == "The first 15 of 1\u202f200; all are in audit.json."
