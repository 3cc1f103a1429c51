from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.test_cli_help import imported_by
from tests.compare.audits import logits, predictions, subjects, written
from tests.tables import evidence, rows

N = 200
TARGETS = [i % 2 for i in range(N)]
VIEWS = ["lateral" if i % 4 < 2 else "frontal" for i in range(N)]
PATIENTS = [f"P{i:04d}" for i in range(N)]


def folder(place: Path, wrong: set[int]) -> Path:
    called = [1 - t if i in wrong else t for i, t in enumerate(TARGETS)]
    return written(place, predictions(subjects(TARGETS, PATIENTS, VIEWS), called))


@pytest.fixture
def audits(tmp_path):
    """Two audits; the second lost 30 lateral views."""
    lateral = [i for i, view in enumerate(VIEWS) if view == "lateral"]
    return folder(tmp_path / "v1", {2, 3}), folder(tmp_path / "v2", {2, 3, *lateral[10:40]})


def test_a_comparison_is_exit_0_and_says_where_it_became_worse(hipaudit, audits):
    code, out, err = hipaudit("compare", *audits)
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if line.startswith("accuracy")]
    assert [("view lateral" in line, "worse, shown" in line) for line in lines] == [
        (False, True),
        (True, True),
    ]
    assert "30 of 200 right before and wrong now, 0 the reverse" in out
    assert "200 cases paired; patients: 200" in out


def test_at_most_ten_flips_are_shown_and_all_are_written(hipaudit, audits, tmp_path):
    _, out, _ = hipaudit("compare", *audits, "--out", tmp_path / "c")
    assert len([line for line in out.splitlines() if line.startswith("c0")]) == 10
    table = list(csv.DictReader(io.StringIO((tmp_path / "c" / "flips.csv").read_text())))
    assert len(table) == 30
    assert {row["attribute_view"] for row in table} == {"lateral"}
    assert {row["change"] for row in table} == {"lost"}
    found = json.loads((tmp_path / "c" / "compare.json").read_text())
    assert len(found["flips"]) == 30
    assert (tmp_path / "c" / "compare.md").read_text().startswith("## hipaudit compare")


def test_an_audit_json_may_be_named_instead_of_its_folder(hipaudit, audits):
    files = [place / "audit.json" for place in audits]
    assert hipaudit("compare", *files)[1] == hipaudit("compare", *audits)[1]


def test_fail_on_worse_is_exit_1_only_when_a_regression_is_shown(hipaudit, audits):
    base, new = audits
    assert hipaudit("compare", base, new, "--fail-on", "worse")[0] == 1
    assert hipaudit("compare", new, base, "--fail-on", "worse")[0] == 0
    assert hipaudit("compare", base, base, "--fail-on", "worse")[0] == 0


def test_fail_on_worse_is_inconclusive_where_there_was_too_little_to_compare(hipaudit, tmp_path):
    known = subjects([0, 1] * 4)
    place = written(tmp_path / "few", predictions(known, [0, 1] * 4))
    assert hipaudit("compare", place, place)[0] == 0
    assert hipaudit("compare", place, place, "--fail-on", "worse")[0] == 3


def test_json_on_stdout_is_json_and_nothing_else(hipaudit, audits):
    code, out, err = hipaudit("compare", *audits, "--format", "json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["schema_version"] == 1
    assert found["pairs"]["paired"] == N


def test_markdown_names_both_models_and_the_limits_of_the_evidence(hipaudit, audits):
    _, out, _ = hipaudit("compare", *audits, "--format", "markdown")
    assert "| accuracy | no stress | view lateral |" in out
    assert "Not certification" in out


def test_quiet_is_one_line(hipaudit, audits):
    _, out, _ = hipaudit("compare", *audits, "-q")
    assert out.count("\n") == 1
    assert "regressions" in out


def test_a_subgroup_can_be_chosen(hipaudit, audits):
    _, out, _ = hipaudit("compare", *audits, "--subgroup", "view", "--format", "json")
    assert json.loads(out)["subgroups"] == ["view"]


def test_levels_of_one_stress_are_told_apart_in_the_table(hipaudit, tmp_path):
    """Severity 3 loses half of the cases, severity 1 none."""
    places = []
    for name, lost in (("v1", set()), ("v2", set(range(N // 2)))):
        said = [[TARGETS[i], 1 - TARGETS[i] if i in lost else TARGETS[i]] for i in range(N)]
        part = rows(
            [i for i in range(N) for _ in range(2)],
            logits([c for pair in said for c in pair]),
            ({"severity": 1}, {"severity": 3}),
            [0, 1] * N,
        )
        run = evidence(part, range(N), "blur", kind="corruption", params={"severities": [1, 3]})
        table = predictions(subjects(TARGETS, PATIENTS), TARGETS, run)
        places.append(written(tmp_path / name, table))
    _, out, _ = hipaudit("compare", *places)
    (line,) = [line for line in out.splitlines() if line.startswith("robust_accuracy")]
    assert "blur severity 3 " in line


BAD = {
    "no such path": (lambda a, b: (a, b / "nowhere"), 'nothing at "'),
    "a folder without an audit": (lambda a, b: (a, b.parent), "no audit.json in it"),
    "an unknown subgroup": (lambda a, b: (a, b, "--subgroup", "scanner"), "subgroup"),
    "an unknown verdict": (lambda a, b: (a, b, "--fail-on", "better"), "not one of worse"),
    "one audit": (lambda a, _: (a,), "Missing argument"),
}


@pytest.mark.parametrize(("args", "words"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_exit_2(hipaudit, audits, args, words):
    code, out, err = hipaudit("compare", *args(*audits))
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_neither_torch_nor_art_is_imported(audits):
    code, _, modules = imported_by("compare", *map(str, audits), "-q")
    assert code == 0
    assert not modules & {"torch", "art", "matplotlib", "weasyprint"}


RULE = ["[[gate.rule]]", 'id = "HA901"', 'metric = "accuracy"', "max_drop = 0.05"]


def test_the_gate_judges_a_drop_case_by_case_when_both_predictions_are_there(
    hipaudit, audits, write_rules
):
    base, new = audits
    write_rules(*RULE)
    code, out, _ = hipaudit("gate", new / "audit.json", "--baseline", base / "audit.json")
    assert code == 1
    assert "drop of accuracy, paired" in out
    code, out, _ = hipaudit("gate", base / "audit.json", "--baseline", base / "audit.json")
    assert code == 0


def test_a_damaged_file_beside_the_baseline_is_inconclusive(hipaudit, audits, write_rules):
    base, new = audits
    write_rules(*RULE)
    (base / "predictions.csv").write_text("case,patient\n")
    code, out, _ = hipaudit("gate", new / "audit.json", "--baseline", base / "audit.json")
    assert code == 3
    assert "predictions.csv of the baseline cannot be used" in out


def test_without_the_baselines_predictions_a_drop_is_judged_from_both_intervals(
    hipaudit, audits, write_rules
):
    base, _ = audits
    write_rules(*RULE[:-1], "max_drop = 0.001")
    (base / "predictions.csv").unlink()
    code, out, _ = hipaudit("gate", base / "audit.json", "--baseline", base / "audit.json")
    assert code == 3
    assert "unpaired" in out


def test_a_gate_without_max_drop_reads_no_predictions(audits, write_rules):
    base, new = audits
    write_rules(*RULE[:-1], "min = 0.5")
    (base / "predictions.csv").write_text("damaged")
    args = ("gate", str(new / "audit.json"), "--baseline", str(base / "audit.json"))
    code, _, modules = imported_by(*args)
    assert code == 0
    assert not modules & {"numpy", "scipy", "torch"}
