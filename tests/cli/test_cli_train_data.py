"""hipaudit run --train-data without a defence: what was trained on is sought among the audited."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import hipaudit
from audit.results import ProbeReport, Results, read_results
from tests.cli.test_cli_hardened import PERSON, call, without_pango, write_images, write_model

ASKED = ("--preset", "ci", "--stress", "fgsm", "--no-images", "--no-progress")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """val/ and train/ of one folder with one table; two images and four patients lie in both."""
    folder = tmp_path_factory.mktemp("leaking")
    write_images(folder / "val", 24, seed=1)
    write_images(folder / "train", 40, seed=2)
    write_model(folder / "net.pt")
    rows = []
    for split in ("val", "train"):
        with (folder / split / "manifest.csv").open() as stream:
            table = list(csv.DictReader(stream))
        (folder / split / "manifest.csv").unlink()
        rows += [{**row, "path": f"{split}/{row['path']}", "split": split} for row in table]
    for number in (0, 5):
        name = f"{PERSON}_1_{number}.png"
        shutil.copy(folder / "val" / name, folder / "train" / name)
        here = next(row for row in rows if row["path"] == f"val/{name}")
        rows.append({**here, "path": f"train/{name}", "split": "train"})
    for row in [r for r in rows if r["split"] == "train"][:6:2]:
        row["patient_id"] = f"pat1_{8 + rows.index(row) % 4}"
    with (folder / "all.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["path", "label", "patient_id", "split"])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def done(site):
    before = Path.cwd()
    os.chdir(site)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.pdf.render_pdf", without_pango)
        yield call("run", "net.pt", "--data", "all.csv", "--train-data", "all.csv", *ASKED)
    os.chdir(before)


def leakage(results: Results) -> ProbeReport:
    return next(report for report in results.probes if report.probe == "leakage")


def rows_of(site: Path) -> list[dict[str, str]]:
    with (site / "all.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_patients_and_pixels_of_both_splits_are_counted_as_the_table_has_them(site, done):
    code, _, err = done
    assert code == 0, err
    report = leakage(read_results(site / "hipaudit-out" / "net" / "audit.json"))
    table = rows_of(site)
    patients = [{r["patient_id"] for r in table if r["split"] == s} for s in ("val", "train")]
    (found,) = [f for f in report.findings if f.metric == "shared_patients"]
    assert (found.events, found.n) == (len(patients[0] & patients[1]), len(patients[0]))
    assert found.events > 2  # more than the two whose images were copied
    (images,) = [
        f for f in report.findings if f.metric == "shared_images" and f.params["where"] == "across"
    ]
    assert (images.events, images.n) == (2, 24)
    assert {"leakage-patients", "leakage-pixels"} <= {note.code for note in report.notes}


def test_the_training_images_leave_no_name_and_the_command_says_they_were_given(site, done):
    home = site / "hipaudit-out" / "net"
    results = read_results(home / "audit.json")
    assert "--train-data TRAIN" in results.provenance.command
    assert PERSON not in done[1] + done[2]
    for path in home.rglob("*"):
        if path.is_file() and path.parent.name != "private":
            assert PERSON.encode() not in path.read_bytes(), path.name


def test_from_python_training_cases_are_compared_and_nothing_is_hardened(tmp_path):
    from torch import nn

    def made(n: int, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).random((n, 16, 16))

    val, train = made(24, 1), made(30, 2)
    train[:3] = val[:3]
    net = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 2))
    results = hipaudit.run(
        net, hipaudit.from_arrays(val, ["normal", "fracture"] * 12),
        train_data=hipaudit.from_arrays(train, ["normal", "fracture"] * 15), preset="ci",
        stresses=["fgsm"], classes=["normal", "fracture"], positive_class="fracture",
        out=tmp_path, report=False,
    )  # fmt: skip
    assert {run.defence for run in results.plan.runs} == {"none"}
    found = {f.params.get("where"): f.events for f in leakage(results).findings
             if f.metric == "shared_images"}  # fmt: skip
    assert found == {"across": 3, "within": 0}
