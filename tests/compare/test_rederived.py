"""What the engine wrote is read back as the engine had it: samples, cuts, defences and searches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from doubles import Brightness, cases_of, classifier_of

from audit.cases.case import Cases
from audit.compare.compare import compare
from audit.compare.rebuild import read_predictions
from audit.compare.side import read_side
from audit.conduct import conduct
from audit.findings import derive
from audit.findings.view import Gap
from audit.options import AuditOptions
from audit.results import Finding, Note, Results

LEVELS = [0.3 + 0.4 * i / 59 for i in range(60)]
LABELS = ["fracture" if level > 0.5 else "normal" for level in LEVELS]
NOTES = (Note(code="double", level="info", text="a double, not a model"),)
STRESSES = ("fgsm", "rotation_translation", "rotation_translation_map", "quantum_noise")


def audited(folder: Path, boundary: float, **options: object) -> Results:
    facts = {
        "preset": "quick",
        "stresses": STRESSES,
        "defences": ("bit-depth",),
        "seed": 5,
        "batch_size": 8,
        "probes": (),
        **options,
    }
    classifier = classifier_of(Brightness(boundary=boundary))
    return conduct(classifier, cases(), folder, AuditOptions(**facts), notes=NOTES)


def cases() -> Cases:
    return cases_of(LEVELS, LABELS)


def counted(findings: Sequence[Finding]) -> dict[str, tuple[float | None, ...]]:
    """Numbers that need neither `queries` nor `found`, by all that says what they are of.

    predictions.csv writes ten digits of a shift, so parameters are compared to as many.
    """
    found = {}
    for f in findings:
        if not re.match(r"queries|smallest", f.metric):
            params = {k: v if isinstance(v, str) else f"{v:.9g}" for k, v in f.params.items()}
            plain = dict.fromkeys(("value", "low", "high", "p", "p_holm", "reason"))
            key = f.model_copy(update={**plain, "params": params}).model_dump_json()
            found[key] = (f.value, f.low, f.high, f.p)
    return found


@pytest.mark.parametrize("options", [{}, {"max_samples": 40}, {"max_time": 0.001}])
def test_every_number_of_the_audit_follows_from_what_was_read_back(tmp_path, options):
    results = audited(tmp_path, 0.45, **options)
    cut = [run for run in results.plan.runs if "cut from" in run.rule]
    assert bool(cut) == ("max_time" in options)
    back = read_predictions(tmp_path / "predictions.csv", results)
    said = results.findings
    again: Sequence[Finding] = derive(back, None, 5)
    if "max_samples" in options:  # cases never looked at decide which group is the larger
        said, again = ([f for f in found if f.contrast is None] for found in (said, again))
    mine, theirs = counted(again), counted(said)
    assert len(mine) > 100
    assert mine.keys() == theirs.keys()
    for key, numbers in mine.items():
        for one, other in zip(numbers, theirs[key], strict=True):
            assert (one is None) == (other is None), key
            assert one is None or one == pytest.approx(other, abs=1e-9), key


def test_every_level_of_two_audits_by_the_same_plan_is_compared(tmp_path):
    audited(tmp_path / "base", 0.5)
    audited(tmp_path / "new", 0.45)
    assert not [
        v for v in read_side(tmp_path / "base", "BASE").levels.values() if isinstance(v, Gap)
    ]
    found = compare(tmp_path / "base", tmp_path / "new")
    assert not [level.reason for level in found.levels if level.reason]
    assert {level.defence for level in found.levels} == {"none", "bit-depth"}
    assert {*STRESSES, "clean", "worst_case"} == {level.stress for level in found.levels}
    clean = [
        at
        for at, level in enumerate(found.levels)
        if (level.stress, level.defence) == ("clean", "none")
    ]
    lost = {flip.case for flip in found.flips if [flip.level] == clean}
    assert lost == {case.id for case in cases() if 0.45 < case.load().mean() <= 0.5}
