"""Bars are for a terminal; a log and a pipe get none."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from audit.results import PlannedRun
from hipaudit.bars import counted, working
from hipaudit.progress import COMPUTING, OPENING, Talking

COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|38;)[0-9;]*m")

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@pytest.fixture
def terminal(monkeypatch):
    """stderr and stdout as a terminal of 80 columns, as far as rich can tell."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


def test_a_pipe_gets_the_items_and_nothing_else(capsys):
    assert list(counted("checking", ["a", "b"])) == ["a", "b"]
    with working("rendering"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_with_the_time_left_on_stderr(terminal, capsys):
    assert list(counted("checking [it]", ["a", "b"])) == ["a", "b"]
    said = capsys.readouterr()
    assert said.out == ""
    assert "checking [it]" in said.err
    assert re.search(r"\d:\d\d:\d\d|-:--:--", said.err)


def test_work_of_unknown_length_shows_the_time_so_far_unless_quiet(terminal, capsys):
    with working("rendering"):
        pass
    assert "rendering" in capsys.readouterr().err
    with working("rendering", quiet=True):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("wanted", [True, False])
def test_no_color_takes_the_colours_away(
    hipaudit, audit_json, write_rules, terminal, monkeypatch, wanted
):
    if wanted:
        monkeypatch.delenv("NO_COLOR")
    write_rules("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"', "min = 0.85")
    code, out, _ = hipaudit("gate", audit_json)
    assert code == 1
    assert "NOT MET HA1" in out
    assert bool(COLOUR.search(out)) is wanted


def planned(name):
    return PlannedRun(
        id=name, stress=name, kind="corruption", defence="none", sample=8, of=8, state="planned"
    )


def test_a_run_leaves_a_line_and_a_window_is_never_fuller_than_what_is_going_on(terminal, capsys):
    with Talking(started=lambda: None) as progress:
        progress.reading(8, 8)
        assert shown(progress) == [OPENING]
        progress.plan([planned(f"run{n}") for n in range(60)], 100.0, 480.0)
        for n in range(60):
            progress.run(f"run{n}", 0, 8)
            assert shown(progress) == [f"run{n}"]
            progress.run(f"run{n}", 8, 8)
            assert shown(progress) == [COMPUTING]
    said = capsys.readouterr()
    assert said.out == ""
    assert all(f"run{n}: 8 images, 1 s" in said.err for n in range(60))


def test_probes_share_a_bar_that_names_the_one_at_work(terminal):
    with Talking(started=lambda: None) as progress:
        progress.run("probe cam", 0, 2)
        progress.run("probe cam", 1, 2)
        progress.run("probe flips", 1, 2)
        assert shown(progress) == ["probe flips"]


def test_a_log_gets_the_same_lines_without_bars(capsys):
    with Talking(started=lambda: None) as progress:
        progress.reading(8, 8)
        progress.plan([planned("fgsm")], 100.0, 480.0)
        progress.run("fgsm", 0, 8)
        progress.run("fgsm", 8, 8)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  fgsm: all 8 images",
        "fgsm: 8 images, 1 s",
    ]


def test_what_stdout_gets_goes_through_the_bars_only_on_the_same_screen(terminal):
    with Talking(started=lambda: None) as progress:
        screen, pipe = Console(force_terminal=True), Console(force_terminal=False)
        assert progress.beside(pipe) is pipe
        assert progress.beside(screen) is not screen


def test_a_long_line_breaks_between_words(terminal, capsys):
    with Talking(started=lambda: None) as progress:
        progress.note("  square: " + "12 of 250 images, in seeded order, " * 4)
    plain = CONTROL.sub("", capsys.readouterr().err).splitlines()
    lines = [line for line in plain if "seeded" in line]
    assert len(lines) > 1
    assert all(line.startswith("    ") for line in lines[1:])
    assert all(cell_len(line) <= 80 for line in lines)


def shown(progress):
    return [task.description for task in progress._bars.tasks]
