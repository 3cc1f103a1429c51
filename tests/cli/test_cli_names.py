"""Every name that can stand in an audit.json is explained; every mistyped one is answered."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest

from audit.gate.rules import DataSettings, Gate, Rule, Waiver
from audit.probes.registry import load_probes
from audit.results import Curve, Finding, Note, PlannedRun
from hipaudit.cli import COMMANDS, commands
from hipaudit.commands.listing import KINDS
from hipaudit.field_words import FIELDS
from hipaudit.method_words import METHODS
from hipaudit.metric_words import METRICS
from hipaudit.note_words import NOTES
from tests.sample_results import sample_results

ROOT = Path(__file__).parents[2]
AUDIT = [path for path in sorted((ROOT / "audit").rglob("*.py")) if "compare" not in path.parts]


# Constants of the modules that compute limits, which hold the name of a method.
NAMED = {
    "METHOD",
    "EXACT",
    "PATIENTS",
    "BOOTSTRAP",
    "NEWCOMBE",
    "NEWCOMBE_PATIENTS",
    "KOOPMAN",
    "KOOPMAN_PATIENTS",
    "PAIRED",
    "PAIRED_PATIENTS",
    "SANDWICH",
    "LINEAR",
    "NOISE",
    "SQUARE_AND_ADD",
    "SQUARE_AND_ADD_PATIENTS",
    "DECLARED",
    "ORDER",
}


def calls(paths: list[Path]) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a named function in the sources."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield getattr(node.func, "id", getattr(node.func, "attr", "")), node


def word(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def codes_of_notes() -> set[str]:
    """Literal codes, of notes and of the flags and counts that become notes."""
    found = set()
    for name, call in calls(sorted((ROOT / "audit").rglob("*.py"))):
        given = next((pair.value for pair in call.keywords if pair.arg == "code"), None)
        if name in {"Note", "Flag", "_info"}:
            given = given or (call.args[0] if call.args else None)
        if name == "_counted" and len(call.args) > 2:
            given = call.args[2]
        found.add(word(given))
    return {code for code in found if code}


def methods_in_the_code() -> set[str]:
    """Third arguments of Interval, and constants of the modules that name methods."""
    thirds = [c.args[2] for name, c in calls(AUDIT) if name == "Interval" and c.args[2:]]
    found = {word(node) for third in thirds for node in ast.walk(third)}  # "a" if … else "b"
    for path in [*(ROOT / "audit/findings").glob("*.py"), *(ROOT / "audit/metrics").glob("*.py")]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in NAMED:
                found.add(word(node.value))
    return {method for method in found if method}


def test_every_method_of_an_interval_is_explained():
    named = methods_in_the_code()
    assert {"Clopper-Pearson", "Koopman", "clustered DeLong", "order statistics"} <= named
    assert named <= set(METHODS)


def test_every_code_of_a_note_is_explained(hipaudit):
    named = codes_of_notes()
    assert {"no-patients", "masking-half", "window", "golden-missed"} <= named
    assert len(named) > 80
    assert sorted(code for code in named if "." not in code and code not in NOTES) == []
    assert hipaudit("explain", "tta.views")[0] == 0


def test_every_value_of_a_field_that_has_few_is_explained():
    states = get_args(PlannedRun.model_fields["state"].annotation)
    levels = get_args(Note.model_fields["level"].annotation)
    kinds = get_args(PlannedRun.model_fields["kind"].annotation)
    curves = get_args(Curve.model_fields["kind"].annotation)
    assert {*states, *levels, *kinds, *curves} <= set(FIELDS)


def test_every_field_of_a_finding_and_every_key_of_a_rule_file_is_explained():
    keys = {
        field.alias or name
        for part in (Rule, Waiver, Gate, DataSettings)
        for name, field in part.model_fields.items()
    }
    assert {"min", "max_drop", "on_inconclusive", "cluster_by"} <= keys
    tables = {"rule", "waiver"}
    assert {*Finding.model_fields, *keys} - tables <= set(FIELDS)


def test_a_parameter_of_a_defence_is_explained_by_those_that_have_it(hipaudit):
    code, out, _ = hipaudit("explain", "sigma")
    assert code == 0
    assert "smoothing:" in out


@pytest.mark.parametrize("name", sorted(load_probes()))
def test_every_probe_is_explained(hipaudit, name):
    code, out, _ = hipaudit("explain", name)
    assert code == 0
    assert f"{name} (probe)" in out
    assert len(out.split()) > 10


def test_every_name_of_a_whole_audit_is_explained(hipaudit):
    results = sample_results()
    names = {name for f in results.findings for name in (f.metric, f.stress, f.defence)}
    names |= {f.variant for f in results.findings if f.variant and "=" not in f.variant}
    names |= {probe.probe for probe in results.probes}
    names |= {f.method for f in results.findings if f.method and f.method != "bootstrap"}
    assert len(names) > 20
    assert {name: code for name in sorted(names) if (code := hipaudit("explain", name)[0])} == {}


def test_every_kind_that_is_listed_has_a_line_for_each(hipaudit):
    for kind in KINDS:
        code, out, _ = hipaudit("list", kind)
        assert code == 0
        assert len(out.splitlines()) >= len(list(KINDS[kind]()))


@pytest.mark.parametrize("known", [METHODS, METRICS], ids=["methods", "metrics"])
def test_every_explanation_says_how_and_with_which_limits(known):
    for name, words in known.items():
        assert words.meaning, name
        assert words.how, name
        assert words.limits.endswith((".", "!")), name


def test_a_metric_is_explained_without_the_seconds_that_torch_takes():
    import subprocess
    import sys

    code = (
        "import sys; from hipaudit.cli import _answer, Session; "
        "_answer(['explain', 'Clopper-pearson'], Session()); "
        "_answer(['explain', 'net_benefit'], Session()); sys.exit('torch' in sys.modules)"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (child.returncode, "net_benefit (metric)" in child.stdout) == (0, True)


def mistyped(name: str) -> str:
    """Two neighbouring letters exchanged, as fingers do."""
    letters = name.lstrip("-")
    place = next(i for i in range(len(letters)) if letters[i] != letters[i + 1])
    wrong = letters[:place] + letters[place + 1] + letters[place] + letters[place + 2 :]
    return "-" * (len(name) - len(letters)) + wrong


@pytest.mark.parametrize("name", COMMANDS)
def test_every_mistyped_command_is_answered_with_the_right_one(hipaudit, name):
    code, _, err = hipaudit(mistyped(name))
    assert (code, f'Did you mean "{name}"?' in err) == (2, True), err


def long_flags(name: str) -> list[str]:
    command = commands.get_command(click.Context(commands), name)
    return [flag for param in command.params for flag in param.opts if flag.startswith("--")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_mistyped_option_is_answered_with_one_it_has(hipaudit, name):
    flags = [*long_flags(name), "--help"]
    for flag in flags:
        wrong = mistyped(flag)
        if wrong in flags:
            continue
        code, out, err = hipaudit(name, wrong)
        assert (code, out) == (2, ""), flag
        assert f'no option "{wrong}". Did you mean "' in err, flag
        assert err.partition('Did you mean "')[2].partition('"')[0] in flags


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["explain", "robust_sensitvity"], '"robust_sensitivity"'),
        (["explain", "Cloper-Pearson"], '"Clopper-Pearson"'),
        (["explain", "no-patient"], '"no-patients"'),
        (["explain", "zzzzzzzz"], "See: hipaudit list"),
        (["list", "metric"], '"metrics"'),
        (["completion", "fsh"], '"fish"'),
        (["doctor", "--format", "jsn"], '"json"'),
    ],
)
def test_every_mistyped_name_is_answered(hipaudit, args, hint):
    code, _, err = hipaudit(*args)
    assert (code, hint in err) == (2, True), err
    assert err.count("\n") == 1


def test_a_rule_that_is_mistyped_is_answered_with_the_rule(hipaudit, write_rules):
    write_rules("[[gate.rule]]", 'id = "HA301"', 'metric = "sensitivity"', "min = 0.8")
    assert '"HA301"' in hipaudit("explain", "HA310")[2]
    code, out, _ = hipaudit("explain", "HA301")
    assert (code, "line 2" in out, "sensitivity (metric)" in out) == (0, True, True)
