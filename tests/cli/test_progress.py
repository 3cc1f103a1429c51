"""Bars are for a terminal; a log and a pipe get none."""

from __future__ import annotations

import re

import pytest

from hipaudit.progress import counted, working

COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|38;)[0-9;]*m")


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
