from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from hipaudit.cli import COMMANDS, commands

HEAVY = ("torch", "torchvision", "art", "numpy", "matplotlib", "weasyprint", "pydicom", "pydantic")


def imported_by(*args: str) -> tuple[int, str, set[str]]:
    """Exit code and stdout of the command line in a new process, and what it imported."""
    code = (
        "import sys; from hipaudit.cli import _answer, Session\n"
        f"code = _answer({list(args)!r}, Session())\n"
        "print(' '.join(sorted(m.split('.')[0] for m in sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    return child.returncode, child.stdout, set(child.stderr.split())


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_imports_nothing_heavy_and_shows_an_example(command):
    args = [command, "--help"] if command else ["--help"]
    code, out, modules = imported_by(*args)
    assert code == 0
    assert not modules & {*HEAVY}
    if command not in ("doctor",):
        assert f"hipaudit {command}".strip() in out.split("Examples:")[1]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_and_its_examples_fit_a_terminal_of_80_columns(name):
    context = click.Context(commands, info_name="hipaudit", terminal_width=80)
    command = commands.get_command(context, name) if name else commands
    inner = click.Context(command, info_name=name, parent=context, terminal_width=80)
    assert [line for line in command.get_help(inner).splitlines() if len(line) > 80] == []


def test_every_command_that_is_listed_exists(hipaudit):
    _, out, _ = hipaudit("--help")
    for name in COMMANDS:
        assert f"\n  {name} " in out
        assert hipaudit(name, "--help")[0] == 0


def test_help_names_the_exit_codes(hipaudit):
    _, out, _ = hipaudit("--help")
    for words in ("0 done", "1 gate failed", "2 usage", "3 inconclusive", "130 interrupted"):
        assert words in " ".join(out.split())


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, hipaudit; print(*(m.split('.')[0] for m in sys.modules))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*child.stdout.split()} & {*HEAVY}


def test_gate_imports_neither_torch_nor_art(audit_json):
    _, _, modules = imported_by("gate", str(audit_json))
    assert not modules & {"torch", "art", "numpy"}


def test_every_metric_that_the_code_can_find_is_explained(hipaudit):
    import re
    from pathlib import Path

    from hipaudit.metric_words import METRICS

    root = Path(__file__).parents[2]
    sources = [*(root / "audit/findings").glob("*.py"), *(root / "audit/probes").rglob("*.py")]
    made = r'(?:Rate|_mean|finding)\(\s*"([a-z0-9_]+)"'
    named = {name for path in sources for name in re.findall(made, path.read_text())}
    assert {"accuracy", "referral_rate", "box_area"} <= named
    assert named <= set(METRICS)
    code, out, _ = hipaudit("explain", "cam_energy_in_box")
    assert code == 0
    assert "arXiv:1910.01279" in out


def test_an_ascii_terminal_gets_question_marks_and_the_same_exit_code(audit_json):
    narrow = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    child = subprocess.run(
        [sys.executable, "-m", "hipaudit", "gate", str(audit_json)],
        capture_output=True,
        env=narrow,
        check=False,
    )
    assert (child.returncode, child.stderr) == (0, b"")
    assert b"95% CI 80?95%" in child.stdout
