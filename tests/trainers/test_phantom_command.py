"""hipaudit phantom: from flags and a file to a set of radiographs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields

import pytest
from click.testing import CliRunner

from hipaudit.cli import Session, commands
from trainers.phantom.spec import PhantomSpec, read_spec


def call(*words):
    return CliRunner().invoke(
        commands, ["phantom", *map(str, words)], obj=Session(), standalone_mode=False
    )


def recorded(folder):
    return json.loads((folder / "spec.json").read_text())["spec"]


def test_flags_win_over_the_file_which_wins_over_the_defaults(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("seed = 3\noccult = 0.3\n[shortcuts]\nage = 0.2\n")
    out = tmp_path / "set"
    result = call(
        out, "--spec", file, "--images", 16, "--size", 32, "--seed", 4,
        "--prevalence", 0.5, "--shortcut", "marker=0.6",
    )  # fmt: skip
    assert result.exception is None
    spec = recorded(out)
    assert (spec["seed"], spec["occult"], spec["size"]) == (4, 0.3, 32)
    assert spec["train"] + spec["val"] + spec["test"] == 16
    assert spec["prevalence_val"] == 0.5
    assert spec["shortcuts"] == {"age": 0.2, "marker": 0.6}
    assert spec["frontal"] == PhantomSpec().frontal
    assert len(list(out.rglob("*.png"))) == 16


def test_help_shows_every_field_as_toml_that_reads_back_as_the_default(tmp_path):
    shown = call("--help").stdout
    lines = shown[shown.index("Fields of a specification") :].splitlines()[1:]
    file = tmp_path / "all.toml"
    file.write_text("\n".join(line.strip() for line in lines if "=" in line))
    assert {line.split("=")[0].strip() for line in lines if "=" in line} == {
        field.name for field in fields(PhantomSpec)
    }
    assert read_spec(file) == PhantomSpec()


def test_the_help_of_the_command_needs_no_torch():
    code = "import sys, hipaudit.commands.phantom; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "False", found.stderr


def test_how_large_and_how_long_is_said_before_it_begins(tmp_path):
    result = call(tmp_path / "set", "--images", 16, "--size", 32, "--format", "dicom")
    assert result.exception is None
    assert "16 radiographs (11 train, 2 val, 3 test) of 32 x 32 pixels as DICOM" in result.stderr
    assert "MB" in result.stderr
    assert len(list((tmp_path / "set").rglob("*.dcm"))) == 16
    assert "16 synthetic radiographs" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shortcut", "marker"), "FEATURE=STRENGTH"),
        (("--shortcut", "markr=0.5"), 'Did you mean "marker"'),
        (("--format", "pgn"), "png"),
        (("--images", "2"), "both labels"),
        (("--spec", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(tmp_path, words, said):
    result = call(tmp_path / "set", *words)
    assert said in str(getattr(result.exception, "message", result.exception))
    assert not (tmp_path / "set").exists()


def test_a_set_too_large_for_the_disk_is_not_begun(tmp_path, monkeypatch):
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")  # noqa: PYI024  as shutil's own
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 4096))
    result = call(tmp_path / "new" / "set", "--images", 16, "--size", 32)
    assert "MB of free disk" in str(result.exception)
    assert not (tmp_path / "new").exists()


def test_a_command_typed_again_finishes_what_it_began(tmp_path):
    words = (tmp_path / "set", "--images", 16, "--size", 32)
    assert call(*words).exception is None
    (tmp_path / "set" / "test" / "labels.csv").unlink()
    missing = next((tmp_path / "set" / "train").glob("*.png"))
    content = missing.read_bytes()
    missing.unlink()
    assert call(*words).exception is None
    assert missing.read_bytes() == content
    assert (tmp_path / "set" / "test" / "labels.csv").is_file()
