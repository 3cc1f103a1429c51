"""Section 19 tells how to repeat the audit, explains the words it uses, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit.results import Note, PlannedRun, Results
from reports.blocks import Items, Page, Table
from reports.card import Card
from reports.failures import observations
from reports.language import speaking
from reports.material import Material
from reports.panels.registry import load_panels
from reports.suppression import suppressed
from reports.values.registry import load_values
from reports.verdict import read_verdict
from tests.sample_results import clean_findings, proportion, sample_results, sample_verdict


def material(results: Results, verdict: dict[str, Any] | None = None) -> Material:
    return Material(results, Path(), Card(), read_verdict(verdict))


def table(name: str, results: Results, verdict: dict[str, Any] | None = None) -> Table:
    (found,) = load_panels()[name](material(results, verdict))
    assert isinstance(found, Table)
    return found


def paragraphs(results: Results) -> str:
    (page,) = load_panels()["plain_language"](material(results))
    assert isinstance(page, Page)
    return "\n".join(page.paragraphs)


def test_a_stress_has_one_row_with_its_levels_defences_and_forwards() -> None:
    """FGSM under none (2,800 forwards) and under TTA (11,200)."""
    rows = {str(row[0]): row for row in table("runs_table", sample_results()).rows}
    assert len(rows) == len({run.stress for run in sample_results().plan.runs})
    assert rows["FGSM"][1:] == [
        "ε 0.5/255, 1/255, 2/255, 4/255, 8/255",
        "none and TTA (test-time augmentation)",
        "400/400",
        "14\u202f000",
    ]
    assert rows["Square"][2] == "none (failed)"


def test_many_runs_are_cut_by_a_stated_rule() -> None:
    results = sample_results()
    runs = tuple(
        PlannedRun(id=f"s{i}", stress=f"s{i}", kind="corruption", sample=9, of=9, state="done")
        for i in range(70)
    )
    plan = results.plan.model_copy(update={"runs": runs})
    found = table("runs_table", results.model_copy(update={"plan": plan}))
    assert len(found.rows) == 30
    assert "30 of 70 rows" in found.note


def test_every_method_of_an_interval_is_named_with_its_numbers() -> None:
    results = sample_results()
    told = {str(row[0]): str(row[1]) for row in table("intervals", results).rows}
    used = {f.method for f in results.findings if f.method and f.value is not None}
    used |= {
        f.method for p in results.probes for f in p.findings if f.method and f.value is not None
    }
    assert set(told) == used
    assert "AUROC" in told["DeLong"]
    assert told["Newcombe"] == "differences of sensitivity"


def test_only_terms_that_occur_are_explained() -> None:
    bare = sample_results().model_copy(
        update={
            "findings": tuple(clean_findings()),
            "probes": (),
            "artefacts": (),
            "plan": sample_results().plan.model_copy(update={"runs": ()}),
        }
    )
    few = {str(row[0]) for row in table("glossary", bare).rows}
    many = {str(row[0]) for row in table("glossary", sample_results(), sample_verdict()).rows}
    assert {"sensitivity", "AUROC"} <= few
    assert not {"FGSM", "ε", "TTA", "Grad-CAM", "inconclusive", "points"} & few
    assert {"FGSM", "ε", "TTA", "Grad-CAM", "inconclusive", "points"} <= many
    assert few < many


def test_the_plain_page_counts_what_was_found_and_missed() -> None:
    text = paragraphs(sample_results())
    label = sample_results().model.positive_class
    assert f"Of 61 pictures labelled “{label}” it found 46 and missed 15." in text
    assert "Of the 339 other pictures it wrongly called 27" in text
    assert "between 63 and 86 of every 100" in text, "Clopper-Pearson of 46/61, by hand from scipy"


def test_the_plain_page_tells_the_worst_group_and_the_worst_change() -> None:
    """By view: frontal 31/36, lateral 12/21; of the attacks the joint worst case found least."""
    results = sample_results()
    text = paragraphs(results)
    assert "in “view lateral” it found 12 of 21" in text
    attacked = [
        f
        for f in results.findings
        if f.metric == "robust_sensitivity" and not f.group and f.defence == "none"
        and f.contrast is None and f.stress != "quantum_noise" and f.value is not None
        and f.variant != "average"
    ]  # fmt: skip
    least = min(attacked, key=lambda f: f.events or 0)
    assert f"In the worst such test it still found {least.events} of {least.n}" in text


def test_the_plain_page_and_the_failure_modes_count_one_natural_change_the_same() -> None:
    results = sample_results()
    noise = [f for f in results.findings if f.stress == "quantum_noise" and not f.group]
    params = noise[0].params
    more = proportion("sensitivity", 7, 20, stress="quantum_noise", params=params)
    changed = results.model_copy(update={"findings": (*results.findings, more)})
    assert "In the worst of them it still found 7 of 20." in paragraphs(changed)
    assert "13/20" in observations(material(changed))["natural_change"].rate
    assert "46 of 61; fewer pictures were tried with a change" in paragraphs(changed)


def test_a_sure_error_is_told_and_none_is_no_promise() -> None:
    results = sample_results()
    for events, words in ((0, "That does not mean that it never will be"), (1, "in 1 picture:")):
        sure = proportion("unseen_error_above", events, 400, params={"cutoff": 0.995})
        changed = results.model_copy(update={"findings": (*results.findings, sure)})
        assert words in paragraphs(changed)


def test_what_is_suppressed_is_not_told_in_plain_words_either() -> None:
    findings = (proportion("sensitivity", 58, 61), proportion("specificity", 312, 339))
    results = sample_results().model_copy(update={"findings": findings})
    text = paragraphs(suppressed(results, 5))
    assert "58" not in text
    assert "is left out here" in text


@pytest.mark.parametrize("language", ["en", "nl"])
def test_the_plain_page_uses_no_jargon(language) -> None:
    with speaking(language):
        text = paragraphs(sample_results()).lower()
    for word in ("sensitiv", "specific", "auroc", "95%", "ε", "interval", "fgsm", "robust"):
        assert word not in text, word


def test_the_plain_page_speaks_dutch() -> None:
    with speaking("nl"):
        text = paragraphs(sample_results())
    label = sample_results().model.positive_class
    assert f"Van 61 foto’s met het label “{label}” vond het er 46 en miste het er 15." in text


def test_hashes_versions_and_seed_are_told() -> None:
    results = sample_results().model_copy(update={"predictions_sha256": "0123456789abcdef" * 4})
    told = load_values()
    assert told["provenance.predictions"](material(results)).startswith("01234567 89abcdef")
    assert f"seed {results.plan.seed}" in str(told["plan.preset"](material(results)))
    assert told["provenance.predictions"](material(sample_results())) is None


def test_notes_for_information_stand_here_and_warnings_do_not() -> None:
    said = (
        Note(code="a", level="info", text="Read as told."),
        Note(code="a", level="info", text="Read as told."),
        Note(code="b", level="warning", text="Beware."),
    )
    results = sample_results().model_copy(update={"notes": said})
    (block,) = load_panels()["assumptions"](material(results))
    assert isinstance(block, Items)
    assert list(block.items).count("Read as told.") == 1
    assert "Beware." not in block.items
