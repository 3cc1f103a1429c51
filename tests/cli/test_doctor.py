"""`hipaudit doctor`: every planted fault is named, with what mends it."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from hipaudit.doctor import checks, libraries, machine, terminal, tools
from hipaudit.doctor.check import Check
from hipaudit.doctor.libraries import Library, check_device, check_library, check_pair

TORCHVISION = Library("torchvision", "torchvision", "architectures")
WEASYPRINT = next(one for one in libraries.LIBRARIES if one.module == "weasyprint")


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A library of the given name whose import does what the source says."""

    def plant(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return plant


def versions(monkeypatch, asked=(), **known: str) -> None:
    monkeypatch.setattr(libraries, "version", lambda package: known[package])
    monkeypatch.setattr(libraries, "requires", lambda package: list(asked))


def test_a_torchvision_of_another_build_is_recognised_by_its_own_words(planted, monkeypatch):
    planted("torchvision", "raise RuntimeError('operator torchvision::nms does not exist')")
    versions(monkeypatch, torchvision="0.29.0")
    found = check_library(TORCHVISION)
    assert found.state == "problem"
    assert "operator torchvision::nms does not exist" in found.found
    assert "--force-reinstall torch torchvision --index-url" in found.fix


@pytest.mark.parametrize(
    ("torch", "torchvision", "asked", "state"),
    [
        ("2.10.0+cpu", "0.25.0+cpu", "torch==2.10.0", "ok"),
        ("2.10.0+cpu", "0.25.0+cu128", "torch==2.10.0", "problem"),
        ("2.10.0", "0.24.0", "torch==2.9.1", "problem"),
        ("2.10.0", "0.25.0", "torch (==2.10)", "ok"),
        ("2.9.0", "0.29.2", "torch (>=2.14.0)", "problem"),
        ("2.15.0", "0.29.2", "torch (>=2.14.0)", "ok"),
        ("2.15.0", "0.29.2", "torch (~=2.15)", "ok"),  # a sign that is not judged
    ],
)
def test_torch_and_torchvision_must_be_of_one_build(monkeypatch, torch, torchvision, asked, state):
    versions(monkeypatch, ["numpy", asked], torch=torch, torchvision=torchvision)
    found = check_pair()
    assert found.state == state
    assert bool(found.fix) == (state == "problem")


def test_without_pango_the_pdf_is_lost_and_nothing_else(planted, monkeypatch):
    planted("weasyprint", "raise OSError(\"cannot load library 'libpango-1.0-0'\")")
    versions(monkeypatch, weasyprint="70.0")
    monkeypatch.setattr(libraries, "which", lambda name: name == "brew")
    found = check_library(WEASYPRINT)
    assert found.state == "warning"
    assert "libpango" in found.found
    assert found.fix.startswith("brew install pango")
    assert "no PDF" in found.fix


def test_a_library_that_kills_its_process_is_named(planted, monkeypatch):
    planted("gdcm", "import os; os._exit(139)")
    monkeypatch.setattr(libraries, "version", lambda package: "3.2")
    found = check_library(Library("gdcm", "python-gdcm", "JPEG"))
    assert found.state == "problem"
    assert "139" in found.found


def test_a_library_that_does_not_answer_is_given_up(planted, monkeypatch):
    planted("slow", "import time; time.sleep(60)")
    monkeypatch.setattr(libraries, "version", lambda package: "1.0")
    monkeypatch.setattr(libraries, "PATIENCE", 0.2)
    assert "no answer within 0.2 s" in check_library(Library("slow", "slow", "nothing")).found


def test_what_is_missing_or_too_old_says_what_to_type(monkeypatch):
    absent = check_library(Library("x", "no-such-package-at-all", "nothing"))
    assert (absent.state, absent.fix) == ("problem", "pip install 'no-such-package-at-all'")
    monkeypatch.setattr(libraries, "version", lambda package: "2.9.1+cpu")
    old = check_library(Library("torch", "torch", "models", least="2.10"))
    assert old.found == "2.9.1+cpu, too old"
    assert old.fix == "pip install --upgrade 'torch>=2.10'"


def test_a_driver_that_torch_cannot_use_is_a_warning(planted, monkeypatch):
    fake = "class cuda:\n is_available = staticmethod(lambda: False)\n"
    planted("torch", fake)
    monkeypatch.setattr(libraries, "which", lambda name: f"/usr/bin/{name}")
    assert check_device().state == "warning"
    monkeypatch.setattr(libraries, "which", lambda name: None)
    assert check_device() == Check("ok", "CPU only")


def no_room(*args, **kwargs):
    raise PermissionError(13, "Permission denied")


def test_a_folder_that_cannot_be_written_stands_in_the_way(tmp_path, monkeypatch):
    """By a planted refusal: root may write everywhere."""
    assert machine.check_folder(tmp_path / "not" / "yet" / "there").state == "ok"
    assert list(tmp_path.iterdir()) == []  # nothing is left behind
    monkeypatch.setattr(machine.tempfile, "NamedTemporaryFile", no_room)
    found = machine.check_folder(tmp_path / "out")
    assert found.state == "problem"
    assert found.found == f"{tmp_path}: cannot be written (Permission denied)"
    assert "--out" in found.fix
    assert machine.check_temporary().state == "problem"
    assert machine.check_home().state == "warning"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_found_out(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert machine.check_folder(tmp_path).state == "problem"


def test_a_disk_that_keeps_no_rights_is_a_warning(tmp_path, monkeypatch):
    assert machine.check_modes(tmp_path).state == "ok"
    monkeypatch.setattr(Path, "chmod", lambda self, mode: os.chmod(self, 0o644))
    assert machine.check_modes(tmp_path).state == "warning"


@pytest.mark.parametrize(("free", "state"), [(50e9, "ok"), (1e9, "warning"), (1e7, "problem")])
def test_room_on_the_disk(tmp_path, monkeypatch, free, state):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    assert machine.check_disk(tmp_path).state == state


@pytest.mark.parametrize(
    ("version", "bits", "state"),
    [((3, 12), 2**63, "ok"), ((3, 10), 2**63, "problem"), ((3, 12), 2**31, "problem")],
)
def test_the_python_that_is_needed(monkeypatch, version, bits, state):
    fake = SimpleNamespace(version_info=(*version, 0), maxsize=bits)
    monkeypatch.setattr(machine, "sys", fake)
    assert machine.check_python().state == state


@pytest.mark.parametrize(("encoding", "state"), [("utf-8", "ok"), ("ascii", "warning")])
def test_a_terminal_that_cannot_write_our_signs(monkeypatch, encoding, state):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(terminal.sys, "stdout", stream)
    assert terminal.check_encoding().state == state


def test_optional_tools_are_never_in_the_way(monkeypatch):
    monkeypatch.setattr(tools, "which", lambda name: None)
    assert {tools.check_tool(tool).state for tool in tools.TOOLS} == {"optional"}
    monkeypatch.setattr(tools, "which", lambda name: f"/usr/bin/{name}")
    assert tools.check_tool(tools.TOOLS[0]) == Check("ok", "/usr/bin/verapdf")


def test_fonts_of_the_package_are_there_and_their_loss_is_a_problem(tmp_path, monkeypatch):
    assert tools.check_fonts().state in {"ok", "warning"}
    monkeypatch.setattr(tools, "files", lambda package: tmp_path)
    found = tools.check_fonts()
    assert found.state == "problem"
    assert "Inter-Regular.otf" in found.found


def test_no_font_of_the_system_is_a_warning(monkeypatch):
    nothing = subprocess.CompletedProcess([], 0, stdout="")
    monkeypatch.setattr(tools, "which", lambda name: name)
    monkeypatch.setattr(tools.subprocess, "run", lambda *args, **kwargs: nothing)
    assert tools.check_fonts().state == "warning"


def test_every_warning_and_problem_comes_with_a_fix(tmp_path):
    """The checks of the machine itself; libraries are imported elsewhere."""
    slow = {*(one.name for one in libraries.LIBRARIES), "device"}
    found = {name: check() for name, check in checks(tmp_path).items() if name not in slow}
    assert len(found) > 10
    assert all(one.fix for one in found.values() if one.state in {"warning", "problem"})


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("problem", 2)])
def test_only_a_problem_makes_the_exit_code_2(hipaudit, monkeypatch, state, code):
    planted = {"disk": lambda: Check(state, "so much", "do this" if code else "")}
    monkeypatch.setattr("hipaudit.doctor.checks", lambda folder: planted)
    found, out, _ = hipaudit("doctor")
    assert found == code
    assert "disk: so much" in out
    assert ("fix: do this" in out, "An audit can run here." in out) == (code == 2, code == 0)
    found, out, _ = hipaudit("doctor", "--format", "json")
    assert found == code
    assert json.loads(out)["checks"]["disk"]["state"] == state
    assert json.loads(out)["fit"] is (code == 0)
