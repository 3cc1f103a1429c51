from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from hipaudit.cli import Session, _answer
from tests.cli.test_cli_help import imported_by
from tests.compare.audits import logits, predictions, subjects, written
from tests.tables import evidence, rows

N = 200
TARGETS = [i % 2 for i in range(N)]
VIEWS = ["lateral" if i % 4 < 2 else "frontal" for i in range(N)]
PATIENTS = [f"P{i:04d}" for i in range(N)]
RULE = ["[[gate.rule]]", 'id = "HA901"', 'metric = "accuracy"', "max_drop = 0.05"]


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
    _, out, _ = hipaudit("compare", *audits, "--out", tmp_path / "c", "--no-report")
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


def test_words_come_before_numbers(hipaudit, audits):
    """200 cases, half of them positive: 30 lateral views lost of 198 that were right."""
    _, out, _ = hipaudit("compare", *audits)
    said = " ".join(out.split())
    assert "Accuracy fell from 99.0% (198/200) to 84.0% (168/200): −15.0 points" in said
    assert out.index("In words") < out.index("metric ")


def test_without_a_difference_the_words_say_what_could_have_been_shown(hipaudit, audits):
    said = " ".join(hipaudit("compare", audits[0], audits[0])[1].split())
    assert "Accuracy: no difference found in 200 paired cases (95% CI" in said
    assert "they could not have shown" in said


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two audits and everything a comparison of them writes, with one rule on a drop."""
    place = tmp_path_factory.mktemp("whole")
    lateral = [i for i, view in enumerate(VIEWS) if view == "lateral"]
    folder(place / "v1", {2, 3})
    folder(place / "v2", {2, 3, *lateral[10:40]})
    rules = place / "hipaudit.toml"
    rules.write_text("\n".join(["schema = 1", *RULE, ""]))
    args = ["compare", place / "v1", place / "v2", "--out", place / "c", "--config", rules, "-q"]
    with contextlib.redirect_stdout(io.StringIO()):
        assert _answer([str(arg) for arg in args], Session()) == 0
    return place


@pytest.fixture
def compared(whole, tmp_path):
    """A copy of the comparison's folder."""
    return Path(shutil.copytree(whole / "c", tmp_path / "c"))


def test_the_report_and_all_it_is_made_from_lie_in_one_folder(whole, compared):
    names = {path.name for path in compared.iterdir()}
    assert names == {
        "base-audit.json", "compare.html", "compare.json", "compare.md", "compare.pdf",
        "flips.csv", "hipaudit.toml", "new-audit.json", "verdict.json",
    }  # fmt: skip
    for name, place in (("base", "v1"), ("new", "v2")):
        kept = (compared / f"{name}-audit.json").read_bytes()
        assert kept == (whole / place / "audit.json").read_bytes()
    page = (compared / "compare.html").read_text()
    assert "Rules on a drop: fail" in page
    assert "HA901" in page


def test_the_pdf_carries_both_audits_and_verifies(hipaudit, compared):
    inside = PdfReader(compared / "compare.pdf").attachments
    for name in ("base-audit.json", "new-audit.json", "compare.json", "hipaudit.toml"):
        assert inside[name][0] == (compared / name).read_bytes()
    assert inside["base-environment.txt"][0].startswith(b"# Python")
    code, out, _ = hipaudit("verify", compared / "compare.pdf", "--format", "json")
    checks = {check["what"]: check["state"] for check in json.loads(out)}
    assert code == 0
    assert checks["attached compare.json"] == "ok"
    assert checks["attached base-audit.json"] == "ok"
    assert checks["attached new-audit.json"] == "ok"
    assert checks["compare.json beside the report"] == "ok"
    assert checks["thresholds"] == "ok"


def test_another_comparison_beside_it_is_found_out(hipaudit, compared):
    other = json.loads((compared / "compare.json").read_text())
    other["pairs"]["paired"] = 199
    (compared / "compare.json").write_text(json.dumps(other))
    code, out, _ = hipaudit("verify", compared / "compare.pdf")
    assert code == 1
    assert "another comparison" in out


def test_a_comparison_is_rendered_again_in_another_language(hipaudit, compared):
    (compared / "compare.pdf").unlink()
    code, _, err = hipaudit("report", compared / "compare.json", "--language", "nl")
    assert (code, err) == (0, "")
    assert (compared / "compare.nl.pdf").read_bytes().startswith(b"%PDF")
    assert "Vergelijkingsrapport" in (compared / "compare.nl.html").read_text()
    assert not (compared / "compare.pdf").exists()


def test_an_audit_that_is_not_the_compared_one_is_not_attached(hipaudit, compared):
    changed = (compared / "new-audit.json").read_text().replace('"toy"', '"toy2"')
    (compared / "new-audit.json").write_text(changed)
    code, out, _ = hipaudit("report", compared / "compare.json", "--format", "json")
    told = json.loads(out)
    assert code == 0
    assert told["problems"] == ["new-audit.json is not the one that was compared: not attached"]
    assert "new-audit.json" not in PdfReader(compared / "compare.pdf").attachments


def test_without_small_counts_neither_audit_is_attached_and_it_still_verifies(hipaudit, compared):
    hipaudit("report", compared / "compare.json", "--suppress", "5", "-q")
    inside = PdfReader(compared / "compare.pdf").attachments
    assert not {"base-audit.json", "new-audit.json", "verdict.json"} & set(inside)
    assert json.loads(inside["compare.json"][0])["flips"] == []
    code, out, _ = hipaudit("verify", compared / "compare.pdf", "--format", "json")
    checks = {check["what"]: check["state"] for check in json.loads(out)}
    assert (code, checks["compare.json beside the report"]) == (0, "ok")


def test_a_copy_of_a_comparison_may_be_asked_for(hipaudit, compared, tmp_path):
    place = tmp_path / "board" / "march.pdf"
    assert hipaudit("report", compared / "compare.json", "--output", place, "-q")[0] == 0
    assert place.read_bytes() == (compared / "compare.pdf").read_bytes()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--output", "x.csv"), "html, pdf, json or md"),
        (("--baseline", "a.json"), "a compare.json alone"),
        (("--card", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_a_comparison_cannot_give_is_one_line_and_exit_2(
    hipaudit, audits, tmp_path, more, words
):
    hipaudit("compare", *audits, "--out", tmp_path / "c", "--no-report")
    code, _, err = hipaudit("report", tmp_path / "c" / "compare.json", "-q", *more)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_a_card_that_is_not_there_is_refused_before_any_work(hipaudit, audits, tmp_path):
    args = ("compare", *audits, "--out", tmp_path / "c", "--card-new", tmp_path / "no.yaml")
    code, _, err = hipaudit(*args)
    assert (code, err.count("\n")) == (2, 1)
    assert not (tmp_path / "c").exists()


def test_the_gate_judges_a_drop_case_by_case_when_both_predictions_are_there(
    hipaudit, audits, write_rules
):
    base, new = audits
    write_rules(*RULE)
    code, out, _ = hipaudit("gate", new / "audit.json", "--baseline", base / "audit.json")
    assert code == 1
    assert "drop of accuracy, paired" in " ".join(out.split())
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
