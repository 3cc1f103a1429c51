"""`--defence temperature-scaling --calibration-data PATH`, as anyone would type it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import expit

import hipaudit
from audit.cases.subset import subset
from audit.results import Results, read_results
from tests.cli.test_cli_run import QUICK, call, without_pango, write_tiny
from tests.doubles import Brightness, cases_of, classifier_of

NAME = "temperature-scaling"
ASKED = ("--defence", "none", "--defence", NAME)


GAP = 0.7  # the log-odds of a fracture that the network says of every image


def write_model(folder: Path) -> None:
    """SqueezeNet with a last layer that does not look: its logits are always 0.3 and 1."""
    path = folder / "tiny net.pt"
    weights = torch.load(path, weights_only=True)
    weights["classifier.1.weight"].zero_()
    weights["classifier.1.bias"].copy_(torch.tensor([0.3, 0.3 + GAP]))
    torch.save(weights, path)


def write_manifest(folder: Path, count: int, *splits: str) -> None:
    """`count` images, seven of ten of them fractures; the splits in turn, twenty each."""
    rng = np.random.default_rng(5)
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "patient_id", *(["split"] if splits else [])])
        for i in range(count):
            Image.fromarray(rng.integers(60, 160, (64, 64)).astype(np.uint8)).save(
                folder / f"{i}.png"
            )
            label = "fracture" if i % 10 < 7 else "normal"
            split = [splits[i // 20 % len(splits)]] if splits else []
            writer.writerow([f"{i}.png", label, f"t{i}", *split])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("calibration")
    write_tiny(folder)
    write_model(folder)
    write_manifest(folder / "few", 12)
    write_manifest(folder / "parted", 80, "train", "val")
    write_manifest(folder / "other", 40, "train", "test")
    return folder


def run(site: Path, *more: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.pdf.render_pdf", without_pango)
        patch.chdir(site)
        return call("run", "tiny net.pt", "--data", "data", *QUICK, *more)


def temperature_of(results: Results) -> tuple[float, str]:
    (text,) = (n.text for n in results.notes if n.code == f"{NAME}.temperature")
    return float(text.split("logits by ")[1].split(",")[0]), text


def test_the_scaled_model_is_audited_beside_the_plain_one_and_its_temperature_told(
    site: Path,
) -> None:
    code, _, err = run(site, *ASKED, "--calibration-data", "parted", "--out", "scaled")
    assert code == 0, err
    results = read_results(site / "scaled" / "audit.json")
    assert {run.defence for run in results.plan.runs} == {"none", NAME}
    temperature, words = temperature_of(results)
    # of the declared splits the validation one; seven of ten are fractures
    assert "40 separate images" in words
    assert temperature == pytest.approx(GAP / np.log(7 / 3), rel=1e-4)
    where = {"stress": "clean", "group": {}, "contrast": None}
    for metric in ("accuracy", "sensitivity", "auroc"):
        one, two = (results.find(metric, defence=d, **where)[0] for d in ("none", NAME))
        assert one.value == two.value
    (scaled,) = results.find("brier", defence=NAME, **where)
    # half of the 24 audited images are fractures, and all are now said to be so by 0.7
    assert scaled.value == pytest.approx((0.3**2 + 0.7**2) / 2, rel=1e-4)
    assert "--calibration-data CALIBRATION" in results.provenance.command
    assert "parted" not in results.provenance.command
    assert "temperature scaling" in (site / "scaled" / "report.html").read_text().lower()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (ASKED, "Add --calibration-data PATH"),
        (("--calibration-data", "parted"), f"Add --defence {NAME}"),
        ((*ASKED, "--calibration-data", "nowhere"), "Check the path after --calibration-data"),
        ((*ASKED, "--calibration-data", "data"), "images calibrated on that are not audited"),
        ((*ASKED, "--calibration-data", "few"), "at least 10 positive and 10 negative"),
        ((*ASKED, "--calibration-data", "other"), "a val or calibration split"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(site: Path, flags, words) -> None:
    code, _, err = run(site, *flags, "--out", "refused")
    assert code == 2
    assert words in err
    assert not (site / "refused" / "audit.json").exists()


@pytest.mark.slow
def test_the_python_api_takes_cases_to_calibrate_on(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    rng = np.random.default_rng(1)
    levels = rng.uniform(0.2, 0.8, 1000)
    truth = rng.random(1000) < expit(12 * (levels - 0.5))
    cases = cases_of(levels.tolist(), ["fracture" if one else "normal" for one in truth])
    audited, others = subset(cases, list(cases)[:100]), subset(cases, list(cases)[100:])
    results = hipaudit.run(
        classifier_of(Brightness(18.0)), audited, calibration_data=others, defences=[NAME],
        preset="ci", stresses=["fgsm"], out=tmp_path / "out", report=False,
    )  # fmt: skip
    assert temperature_of(results)[0] == pytest.approx(3, rel=0.2)


def test_it_is_listed_and_explained() -> None:
    _, out, _ = call("list", "defences")
    assert NAME in out
    _, out, _ = call("explain", NAME)
    for words in ("arXiv:1706.04599", "--calibration-data", "no\ndecision does"):
        assert words in out
    _, out, _ = call("explain", "calibration_slope")
    assert "overconfident" in out
