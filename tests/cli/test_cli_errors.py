from __future__ import annotations

import errno

import pytest

from audit.errors import HipauditError
from hipaudit import cli
from hipaudit.cli import Session, _answer


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["gaet", "x"], 'no command "gaet". Did you mean "gate"?'),
        (["run", "m.pt", "--dta", "x"], 'no option "--dta". Did you mean "--data"?'),
        (["run", "m.pt", "--data", "x", "--preset", "quik"], 'Did you mean "quick"?'),
        (["run", "m.pt", "--data", "x", "--eps", "2"], 'such as "1/255,2/255", found "2"'),
        (["run", "m.pt", "--data", "x", "--eps", "1/0"], 'found "1/0"'),
        (["run", "m.pt", "--data", "x", "--max-time", "soon"], "such as 30m, 90s or 2h"),
        (["run", "m.pt", "--data", "x", "--output", "pfd=x.pdf"], 'Did you mean "pdf"?'),
        (["run", "m.pt", "--data", "x", "--output", "xslx=x"], '"xslx" is not one of'),
        (["run", "m.pt", "--data", "x", "--classes", "a,a"], "different names"),
        (["run", "m.pt", "--data", "x", "--max-samples", "0"], "--max-samples"),
        (["run", "m.pt"], "--data"),
        (["run"], "MODEL"),
        (["gate", "nothing.json"], "no file named nothing.json"),
        (["run", "m.pt", "--data", "x"], 'nothing at "m.pt"'),
        (["run", "m.pt", "--data", "x", "--config", "no.toml"], "no file named no.toml"),
        (["list", "stress"], 'Did you mean "stresses"?'),
        (["list"], "Missing argument 'KIND'. Choose from: stresses,"),
        (["run", "m.pt", "--data"], "requires an argument. Type: hipaudit run --help"),
        (["run", "m.pt", "--data", "x", "--output", "report"], 'such as "pdf=board.pdf"'),
        (["run", "m.pt", "--data", "x", "--xyzzyq"], '"--xyzzyq". Type: hipaudit run --help'),
        (["--quiet", "run", "m.pt"], "Options follow the command"),
        (["--versoin"], 'Did you mean "--version"?'),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(hipaudit, args, said):
    code, out, err = hipaudit(*args)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert ". ." not in err
    assert "?." not in err


def test_a_mistyped_choice_is_told_the_choices_once(hipaudit):
    _, _, err = hipaudit("run", "m.pt", "--data", "x", "--preset", "zzz")
    assert err.count("standard") == 1


def test_a_bare_command_shows_the_help_and_is_not_green(hipaudit):
    code, out, err = hipaudit()
    assert (code, out) == (2, "")
    assert "hipaudit run model.pt --data val/" in err


def test_a_malformed_rule_file_is_refused_before_the_model_is_opened(hipaudit, write_rules):
    write_rules("[gate]", "on_inconclusiv = 'fail'")
    code, _, err = hipaudit("run", "m.pt", "--data", "x")
    assert code == 2
    assert 'line 3), but found "on_inconclusiv"' in err


def test_an_audit_json_of_another_schema_is_refused(hipaudit, tmp_path):
    (tmp_path / "audit.json").write_text('{"schema_version": 99}')
    code, _, err = hipaudit("gate", "audit.json")
    assert code == 2
    assert "schema_version 99" in err


def failing(error: BaseException, *, started: bool):
    def fail(args, prog_name, standalone_mode, obj):
        obj.started = started
        raise error

    return fail


@pytest.mark.parametrize(("started", "expected"), [(True, 3), (False, 2)])
def test_an_unexpected_error_is_one_line_without_its_message(
    monkeypatch, capsys, started, expected
):
    secret = ValueError("/patients/Jansen_1950.dcm")
    monkeypatch.setattr(cli.commands, "main", failing(secret, started=started))
    assert _answer([], Session()) == expected
    err = capsys.readouterr().err
    assert "Jansen" not in err
    assert "internal error: ValueError at " in err
    assert err.count("\n") == 1


def test_a_full_disk_is_named_and_never_a_pass_or_a_failed_gate(monkeypatch, capsys):
    full = OSError(errno.ENOSPC, "No space left on device", "/patients/Jansen.dcm")
    monkeypatch.setattr(cli.commands, "main", failing(full, started=True))
    assert _answer([], Session()) == 3
    err = capsys.readouterr().err
    assert "full disk" in err
    assert "Jansen" not in err


def test_a_place_for_an_output_is_looked_at_before_any_work(hipaudit, tmp_path):
    (tmp_path / "notes.txt").write_text("")
    code, _, err = hipaudit("run", "m.pt", "--data", "x", "--output", "pdf=notes.txt/a.pdf")
    assert code == 2
    assert 'a folder for --output pdf, but found a file at "notes.txt"' in err


def test_an_interrupted_audit_says_how_to_resume_and_exits_130(monkeypatch, capsys):
    monkeypatch.setattr(cli.commands, "main", failing(KeyboardInterrupt(), started=True))
    assert _answer([], Session()) == 130
    assert "the same command resumes" in capsys.readouterr().err


def test_a_hipaudit_error_keeps_its_own_exit_code_and_line(monkeypatch, capsys):
    error = HipauditError("a thing", "another", "Do this.")
    monkeypatch.setattr(cli.commands, "main", failing(error, started=False))
    assert _answer([], Session()) == 2
    assert capsys.readouterr().err == "error: Expected a thing, but found another. Do this.\n"


def test_options_come_from_the_environment(hipaudit, monkeypatch):
    monkeypatch.setenv("HIPAUDIT_PRESET", "quik")
    code, _, err = hipaudit("run", "m.pt", "--data", "x")
    assert code == 2
    assert 'Did you mean "quick"?' in err
