"""The whole command on a tiny checkpoint and a tiny folder; run once, looked at often."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.errors import HipauditError
from audit.results import read_results
from hipaudit.cli import Session, _answer

PERSON = "jansen_1950"


def write_tiny(folder: Path) -> None:
    """24 images of 24 patients in two views, and a SqueezeNet that was never trained."""
    import torch
    import torchvision

    rng = np.random.default_rng(0)
    rows = []
    (folder / "data").mkdir(parents=True)
    for number in range(24):
        label = "fracture" if number % 2 else "normal"
        pixels = rng.integers(60, 160, (64, 64)).astype(np.uint8)
        pixels[20:40, 20:40] += 90 * np.uint8(number % 2)
        name = f"{PERSON}_{number}.png"
        Image.fromarray(pixels).save(folder / "data" / name)
        view = "frontal" if (number // 2) % 2 else "lateral"
        rows.append([name, label, f"pat{number}", view])
    with (folder / "data" / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "label", "patient_id", "view"], *rows])
    torch.manual_seed(0)
    network = torchvision.models.squeezenet1_1(num_classes=2)
    torch.save(network.state_dict(), folder / "tiny net.pt")
    (folder / "tiny net.yaml").write_text(
        "input: {size: 32, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]}\n"
        "classes: [normal, fracture]\n"
    )


def call(*args: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = _answer(list(args), Session())
    return code, out.getvalue(), err.getvalue()


def told_files(out: str) -> set[Path]:
    """Every path that the closing lines name; those of a paragraph but the first are indented."""
    found: set[Path] = set()
    for paragraph in re.sub(r"\n  +", " ", out).splitlines():
        if told := re.match(r"(?:To read and sign|Keep to yourself): (\S+)", paragraph):
            found.add(Path(told[1]))
        elif told := re.match(r"Written(?: in (\S+)/)?: (.*)", paragraph):
            found |= {Path(told[1] or "") / name for name in told[2].split(", ")}
    return found


QUICK = ("--preset", "ci", "--stress", "fgsm", "--eps", "2/255", "--no-images")


def without_pango(*_: object, **__: object) -> bytes:
    raise HipauditError("Pango", "that it is not installed", "Type: apt-get install libpango-1.0-0")


@pytest.fixture(scope="module", autouse=True)
def no_pango():
    """A machine that cannot draw a PDF, which is also the quicker one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.pdf.render_pdf", without_pango)
        yield


@pytest.fixture(scope="module")
def done(tmp_path_factory, no_pango):
    """(folder, exit code, stdout, stderr) of one run, with the rules of its folder."""
    folder = tmp_path_factory.mktemp("site")
    write_tiny(folder)
    (folder / "hipaudit.toml").write_text(
        'schema = 1\n[[gate.rule]]\nid = "HA1"\nmetric = "accuracy"\nmin = 0.99\n'
    )
    before = Path.cwd()
    os.chdir(folder)
    try:
        return folder, *call("run", "tiny net.pt", "--data", "data", *QUICK, "--output", "x.md")
    finally:
        os.chdir(before)


def test_the_exit_code_is_that_of_the_gate(done):
    _, code, out, _ = done
    assert code == 1
    assert "NOT MET" in out


def test_a_person_is_told_how_everything_was_read_and_what_was_assumed(done):
    _, _, out, err = done
    for words in ("squeezenet1_1", "fracture 12, normal 12", "frontal 12, lateral 12", "assumed:"):
        assert words in out
    assert "fgsm: all 24 images" in err
    assert "Not certification" in out


def test_everything_promised_is_written_where_promised(done):
    folder, _, out, _ = done
    home = folder / "hipaudit-out" / "tiny-net"
    for name in ("audit.json", "verdict.json", "report.html", "predictions.csv"):
        assert (home / name).is_file()
        assert Path("hipaudit-out/tiny-net") / name in told_files(out)
    assert (folder / "x.md").read_text().startswith("## hipaudit: ")
    assert stat.S_IMODE((home / "private" / "cases.csv").stat().st_mode) == 0o600


def test_without_pango_one_line_says_so_and_the_exit_code_is_still_the_gates(done):
    folder, code, out, _ = done
    assert code == 1
    assert out.count("apt-get install") == 1
    assert not (folder / "hipaudit-out" / "tiny-net" / "report.pdf").exists()


def test_the_results_are_readable_and_hold_the_gate_file_of_before(done):
    folder = done[0]
    home = folder / "hipaudit-out" / "tiny-net"
    results = read_results(home / "audit.json")
    (accuracy,) = results.find("accuracy", stress="clean", defence="none", group={}, contrast=None)
    assert accuracy.n == 24
    verdict = json.loads((home / "verdict.json").read_text())
    assert verdict["gate_file_recorded_before"] is True
    assert results.provenance.gate_file.sha256 == verdict["gate_file_sha256"]


def test_no_file_name_of_a_patient_leaves_the_private_folder(done):
    folder, _, out, err = done
    assert PERSON not in out + err
    home = folder / "hipaudit-out" / "tiny-net"
    for path in home.rglob("*"):
        if path.is_file() and path.parent.name != "private":
            assert PERSON.encode() not in path.read_bytes(), path.name
    assert PERSON in (home / "private" / "cases.csv").read_text()


def test_the_command_in_the_provenance_names_no_path(done):
    folder = done[0]
    results = read_results(folder / "hipaudit-out" / "tiny-net" / "audit.json")
    assert results.provenance.command == (
        "hipaudit run MODEL --data DATA --preset ci --stress fgsm --eps 2/255 "
        "--seed 0 --search fused --device cpu"
    )


def test_another_audit_in_the_same_folder_is_refused_unless_told_to(done, monkeypatch):
    folder = done[0]
    monkeypatch.chdir(folder)
    again = ("run", "tiny net.pt", "--data", "data", *QUICK, "--seed", "1")
    code, _, err = call(*again)
    assert code == 2
    assert "Add --overwrite" in err


def test_json_on_stdout_is_the_verdict_and_the_words_go_to_stderr(done, monkeypatch, tmp_path):
    folder = done[0]
    monkeypatch.chdir(folder)
    out_folder = str(tmp_path / "other")
    code, out, err = call(
        "run", "tiny net.pt", "--data", "data", *QUICK, "--max-samples", "8", "--format", "json",
        "--out", out_folder, "--stress", "quantum_noise", "--skip", "fgsm",
    )  # fmt: skip
    assert json.loads(out)["verdict"]["exit_code"] == code == 3  # 8 cases: no accuracy is given
    assert "squeezenet1_1" in err


def test_inspect_attacks_nothing_and_writes_nothing(done, monkeypatch):
    folder = done[0]
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    code, out, _ = call("inspect", "tiny net.pt", "--data", "data", "--format", "json")
    assert code == 0
    found = json.loads(out)
    assert found["model"]["preparation"]["height"] == 32
    assert found["data"]["labels"] == {"fracture": 12, "normal": 12}
    assert sorted(folder.rglob("*")) == before


def test_the_report_is_rendered_again_and_keeps_the_verdict(done, monkeypatch, tmp_path):
    folder = done[0]
    home = folder / "hipaudit-out" / "tiny-net"
    monkeypatch.chdir(tmp_path)  # no rules here: the verdict that was passed stands
    before = (home / "verdict.json").read_bytes()
    code, _, _ = call("report", str(home / "audit.json"), "--output", f"html={tmp_path}/r.html")
    assert code == 0
    assert (home / "verdict.json").read_bytes() == before
    assert "HA1" in (tmp_path / "r.html").read_text()


@pytest.mark.slow
def test_an_interrupted_run_exits_130_and_the_same_command_resumes(tmp_path):
    write_tiny(tmp_path)
    command = [
        sys.executable, "-c", "from hipaudit.cli import main; main()",
        "run", "tiny net.pt", "--data", "data", "--preset", "ci", "--stress", "pgd",
        "--no-images",
    ]  # fmt: skip
    said = ""
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as child:
        for line in child.stderr:
            said += line
            if line.startswith("clean:"):
                child.send_signal(signal.SIGINT)
                break
        began = time.monotonic()
        said += child.stderr.read()
        assert child.wait(timeout=60) == 130
        assert time.monotonic() - began < 60
    assert "the same command resumes" in said
    assert not (tmp_path / "hipaudit-out" / "tiny-net" / "audit.json").exists()
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "no gate set" in again.stdout
