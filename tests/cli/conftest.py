from __future__ import annotations

from pathlib import Path

import pytest

from hipaudit.cli import Session, _answer
from tests.gate_audits import audit, finding, run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A working directory of its own: no rule file of this repository is picked up."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def hipaudit(capsys):
    """Call the command line in this process: (exit code, stdout, stderr)."""

    def call(*args: object) -> tuple[int, str, str]:
        code = _answer([str(arg) for arg in args], Session())
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def audit_json(tmp_path) -> Path:
    """A small audit: sensitivity 0.90 (0.80 to 0.95), by view, and under FGSM."""
    levels = [
        finding(
            "robust_sensitivity", stress="fgsm", params={"epsilon": e / 255}, value=v, low=v - 0.1
        )
        for e, v in ((1, 0.7), (2, 0.5))
    ]
    views = [finding(group={"view": view}, n=n) for view, n in (("frontal", 60), ("lateral", 40))]
    results = audit(finding(), *views, *levels, runs=(run(), run("fgsm")))
    path = tmp_path / "out" / "audit.json"
    path.parent.mkdir()
    path.write_text(results.to_json())
    return path


@pytest.fixture
def write_rules(tmp_path):
    def write(*lines: str, name: str = "hipaudit.toml") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(["schema = 1", *lines, ""]))
        return path

    return write
