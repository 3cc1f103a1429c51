"""The field on repeatability says what was repeated in the run and claims nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

from audit.results import Note, ProbeReport, Results
from reports.card import Card
from reports.material import Material
from reports.values import natural
from reports.values.registry import load_values
from reports.verdict import read_verdict
from tests.sample_results import sample_results

PREFLIGHT = Path(__file__).parents[2] / "audit" / "preflight.py"


def told(**changes: object) -> list[str]:
    results: Results = sample_results().model_copy(update=changes)
    one = Material(results, Path(), Card(), read_verdict(None))
    lines = load_values()["natural.repeatability"](one)
    assert isinstance(lines, list)
    return lines


def test_the_numbers_told_are_those_of_the_check_before_the_audit() -> None:
    tree = ast.parse(PREFLIGHT.read_text(encoding="utf-8"))
    numbers = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    assert numbers["PASSES"] == natural.PASSES
    assert numbers["REPEATED"] == natural.IMAGES
    assert numbers["TOLERANCE"] == natural.AGAIN
    assert numbers["COMPANY"] == natural.COMPANY
    text = PREFLIGHT.read_text(encoding="utf-8")
    assert f'"{natural.RANDOM}"' in text
    assert f'"{natural.BATCHED}"' in text


def test_agreement_is_told_with_its_images_and_tolerances_and_what_is_not_covered() -> None:
    text = " ".join(told())
    assert "16 images went through 3 times" in text
    assert "to within 0.00001 of the largest" in text
    assert "two by two instead of together, they agreed to within 0.001" in text
    assert "no re-acquisition" in text
    assert "was not checked in this run" in text


def test_a_random_model_is_not_called_repeatable() -> None:
    fault = Note(code="random-model", level="fault", text="The same images get other logits.")
    lines = told(notes=(fault,))
    assert lines[0] == "Not repeatable. The same images get other logits."
    assert not any("agreed" in line for line in lines)


def test_answers_that_depend_on_company_are_told_beside_passes_that_agreed() -> None:
    fault = Note(code="batch-dependent", level="fault", text="It looks at a batch together.")
    first, second, *_ = told(notes=(fault,))
    assert "agreed to within" in first
    assert second == "But not when sent through two by two. It looks at a batch together."


def test_a_defence_whose_answers_are_random_is_named_with_its_counts() -> None:
    flag = {"code": "masking-random", "defence": "randomised-smoothing", "count": 7, "of": 16}
    details = {"flags": [flag], "compared": {"none": [], "randomised-smoothing": []}}
    lines = told(probes=(ProbeReport(probe="masking", details={**details, "not_tried": {}}),))
    assert "The same images twice got other answers under randomised smoothing: 7/16." in lines
    same = "After the attacks the same images twice got the same logits without a defence."
    assert same in lines


def test_a_faster_search_is_told_with_its_drift() -> None:
    base = sample_results().provenance
    fast = base.model_copy(update={"search": "fused", "search_drift": 1e-6})
    assert any(
        "(fused), whose logits differed by at most 0.000001" in x for x in told(provenance=fast)
    )
    assert "Attacks searched with the audited network itself." in told()
