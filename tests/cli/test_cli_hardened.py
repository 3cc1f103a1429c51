"""hipaudit run --defence adversarial-training on a tiny checkpoint; run once, looked at often."""

from __future__ import annotations

import csv
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import hipaudit
from audit.errors import HipauditError
from audit.results import read_results
from hipaudit.cli import Session, _answer
from tests.cli.test_cli_run import told_files

NAME = "adversarial-training"
PERSON = "jansen_1950"
ASKED = (
    "--preset", "ci", "--stress", "fgsm", "--eps", "4/255", "--no-images", "--defence", NAME,
    "--adversarial-epochs", "2", "--adversarial-eps", "4/255", "--adversarial-lr", "0.01",
)  # fmt: skip


def write_images(folder: Path, count: int, seed: int) -> None:
    """`count` images of half as many patients, told apart by their brightness."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    rows = []
    for number in range(count):
        label = "fracture" if number % 2 else "normal"
        pixels = rng.integers(90, 130, (32, 32)).astype(np.uint8) + np.uint8(60 * (number % 2))
        name = f"{PERSON}_{seed}_{number}.png"
        Image.fromarray(pixels).save(folder / name)
        rows.append([name, label, f"pat{seed}_{number // 2}"])
    with (folder / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "label", "patient_id"], *rows])


def write_model(path: Path) -> None:
    import torchvision

    torch.manual_seed(0)
    torch.save(torchvision.models.squeezenet1_1(num_classes=2).state_dict(), path)
    path.with_suffix(".yaml").write_text(
        "input: {size: 32, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]}\n"
        "classes: [normal, fracture]\npositive_class: fracture\n"
    )


def call(*args: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = _answer(list(args), Session())
    return code, out.getvalue(), err.getvalue()


def without_pango(*_: object, **__: object) -> bytes:
    raise HipauditError("Pango", "that it is not installed")


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory):
    """A site of its own, on a machine that draws no PDF, which is the quicker one."""
    folder = tmp_path_factory.mktemp("hardened")
    write_images(folder / "val", 24, seed=1)
    write_images(folder / "train", 60, seed=2)
    write_model(folder / "net.pt")
    before = Path.cwd()
    os.chdir(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.pdf.render_pdf", without_pango)
        yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def done(elsewhere):
    """(folder of the results, exit code, stdout, stderr) of one run."""
    found = call("run", "net.pt", "--data", "val", "--train-data", "train", *ASKED)
    return elsewhere / "hipaudit-out" / "net", *found


def test_both_weights_are_audited_and_told_apart(done):
    home, code, _, err = done
    assert code == 0, err
    results = read_results(home / "audit.json")
    assert {run.defence for run in results.plan.runs} == {"none", NAME}
    assert {run.state for run in results.plan.runs} == {"done"}
    for stress, metric in (("clean", "accuracy"), ("fgsm", "robust_accuracy")):
        where = {"stress": stress, "group": {}}
        one, two = (
            results.find(metric, defence=name, contrast=None, **where)[0] for name in ("none", NAME)
        )
        gap, *carried = results.find(metric, defence=NAME, contrast="defence=none", **where)
        assert [f.params["surrogate"] for f in carried] == ["undefended"] * (stress != "clean")
        assert gap.n == one.n == two.n == 24
        assert gap.value == pytest.approx(two.value - one.value)
    _, told, _ = call("gate", str(home / "audit.json"), "-v")
    assert f"with {NAME}" in told
    assert "hardening (fbf, ε 4/255): 48 images to train on, 12 to choose the epoch" in err


def test_the_report_shows_cost_and_gain_before_and_after(done):
    page = (done[0] / "report.html").read_text()
    _, _, table = page.partition("Defences: before and after</caption>")
    assert "Adversarial training" in table.partition("</thead>")[0]
    assert "Adversarial training (fbf, a step of 1.25 ε, ε 4/255" in page


def test_the_hardened_checkpoint_is_kept_described_and_listed(done, elsewhere):
    home, _, out, _ = done
    assert Path("hipaudit-out/net/hardened.pt") in told_files(out)
    code, told, _ = call("inspect", str(home / "hardened.pt"), "--data", "val", "--format", "json")
    assert code == 0
    model = json.loads(told)["model"]
    assert model["architecture"] == "squeezenet1_1"
    assert model["preparation"]["mean"] == [0.5, 0.5, 0.5]
    assert model["training"]["hardening"]["recipe"]["adversarial"]["method"] == "fbf"


def test_the_same_command_again_trains_nothing_and_says_the_same(done, monkeypatch):
    home = done[0]
    before = (home / "audit.json").read_bytes()
    weights = (home / "hardened.pt").read_bytes()
    monkeypatch.setattr("trainers.fitting.steps.Steps.step", None)  # any step would fail
    code, _, err = call("run", "net.pt", "--data", "val", "--train-data", "train", *ASKED)
    assert code == 0, err
    assert (home / "audit.json").read_bytes() == before
    assert (home / "hardened.pt").read_bytes() == weights


def test_other_settings_into_the_same_folder_are_refused_before_any_training(done, monkeypatch):
    monkeypatch.setattr("trainers.fitting.steps.Steps.step", None)
    again = ("run", "net.pt", "--data", "val", "--train-data", "train", *ASKED)
    code, _, err = call(*again, "--adversarial-method", "pgd")
    assert code == 2
    assert "Add --overwrite" in err


def test_the_command_in_the_provenance_can_be_typed_again_and_names_no_path(done):
    command = read_results(done[0] / "audit.json").provenance.command
    for words in ("--train-data TRAIN", "--adversarial-epochs 2", "--adversarial-eps 4/255"):
        assert words in command


def test_no_file_name_of_a_patient_is_left_by_the_hardening(done):
    home, _, out, err = done
    assert PERSON not in out + err
    for path in home.rglob("*"):
        if path.is_file() and path.parent.name != "private":
            assert PERSON.encode() not in path.read_bytes(), path.name


BOTH = ("--defence", NAME, "--train-data")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--defence", NAME), "Add --train-data PATH"),
        (("--train-data", "train", "--adversarial-epochs", "3"), f"Add --defence {NAME}"),
        (("--train-data", "nowhere"), 'nothing at "nowhere"'),
        (("--adversarial-epochs", "3"), "--train-data with --adversarial-epochs"),
        ((*BOTH, "nowhere"), 'nothing at "nowhere"'),
        ((*BOTH, "val"), "24 in both"),
        ((*BOTH, "train", "--adversarial-eps", "1/255,2/255"), "one --adversarial-eps"),
        ((*BOTH, "train", "--adversarial-eps", "3"), "amounts above 0 and up to 1"),
        ((*BOTH, "train", "--adversarial-method", "pdg"), "pgd"),
        ((*BOTH, "train", "--adversarial-epochs", "0"), "adversarial-epochs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_flags_that_lead_nowhere_are_one_line_and_leave_nothing(flags, words, tmp_path):
    out = tmp_path / "out"
    code, _, err = call("run", "net.pt", "--data", "val", "--out", str(out), *flags)
    assert code == 2
    assert words in err
    assert not (out / "units").exists()
    assert "Traceback" not in err


def test_from_python_a_module_is_hardened_on_cases(tmp_path):
    def made(n: int, seed: int):
        images = np.random.default_rng(seed).random((n, 16, 16)) * 0.2
        images[1::2] += 0.3
        return hipaudit.from_arrays(images, ["normal", "fracture"] * (n // 2))

    torch.manual_seed(0)
    net = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 2))
    before = [value.clone() for value in net.state_dict().values()]
    results = hipaudit.run(
        net, made(24, 1), train_data=made(60, 2), defences=[NAME], preset="ci", stresses=["fgsm"],
        classes=["normal", "fracture"], positive_class="fracture", out=tmp_path, report=False,
        adversarial_epochs=2, adversarial_lr=0.05, adversarial_eps=2 / 255,
    )  # fmt: skip
    assert results.find("accuracy", stress="clean", group={}, defence=NAME)
    assert any("ε 2/255" in note.text for note in results.notes)
    for old, value in zip(before, net.state_dict().values(), strict=True):
        assert torch.equal(old, value)
