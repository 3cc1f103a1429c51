"""`--defence quality-filter` and `--defence referral`, as anyone would type them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.results import read_results
from tests.cli.test_cli_run import QUICK, call, without_pango, write_tiny

BOTH = ("--defence", "quality-filter", "--defence", "referral")


def write_training(folder: Path, count: int, seed: int = 5) -> None:
    rng = np.random.default_rng(seed)
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "patient_id"])
        for i in range(count):
            pixels = rng.integers(60, 160, (64, 64)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
            writer.writerow([f"{i}.png", "fracture" if i % 2 else "normal", f"t{i}"])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("referral")
    write_tiny(folder)
    write_training(folder / "train", 60)
    write_training(folder / "few", 20)
    return folder


def run(site: Path, *more: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.pdf.render_pdf", without_pango)
        patch.chdir(site)
        return call("run", "tiny net.pt", "--data", "data", *QUICK, *more)


def test_both_defences_are_audited_shown_and_reported(site: Path) -> None:
    code, _, err = run(site, *BOTH, "--out", "both")
    assert code == 0
    results = read_results(site / "both" / "audit.json")
    for name in ("quality-filter", "referral"):
        assert f"fgsm@{name}" in {r.id for r in results.plan.runs}
        assert results.find("unseen_error_rate", stress="fgsm", defence=name, group={})
    notes = " ".join(note.text for note in results.notes)
    assert "below 0.995 are referred" in notes
    assert "stated in advance" in notes
    page = (site / "both" / "report.html").read_text()
    _, _, table = page.partition("Referred, and handled alone</caption>")
    ways = re.findall(r"<tr>\s*<t[hd][^>]*>\s*([^<]+)", table.partition("</table>")[0])
    assert {"quality filter", "referral by cut-off"} <= {way.strip() for way in ways}
    assert "Left to the model alone, by cut-off" in page
    _, told, _ = call("gate", str(site / "both" / "audit.json"), "-v")
    assert "referral_rate" in told
    assert "quality-filter" in err


def test_training_images_set_the_limits_when_they_are_given(site: Path) -> None:
    code, _, _ = run(
        site, "--defence", "quality-filter", "--train-data", "train", "--out", "calibrated"
    )
    assert code == 0
    results = read_results(site / "calibrated" / "audit.json")
    notes = " ".join(note.text for note in results.notes)
    assert "60 reference images" in notes
    assert "stated in advance" not in notes


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--defence", "quality-filter", "--train-data", "few"), "50 reference images"),
        (("--defence", "quality-filter", "--train-data", "data"), "not audited"),
        (("--defence", "quality-filtr"), "quality-filter"),
        (
            ("--defence", "quality-filter", "--train-data", "train", "--adversarial-eps", "1/255"),
            "Add --defence adversarial-training",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(site: Path, flags, words) -> None:
    code, _, err = run(site, *flags, "--out", "refused")
    assert code == 2
    assert words in err


def test_they_are_listed_and_explained_with_their_limits() -> None:
    _, out, _ = call("list", "defences")
    assert "referral" in out
    assert "quality-filter" in out
    _, out, _ = call("explain", "referral")
    for words in ("log(p / (1 - p))", "598", "GDPR 22"):
        assert words in out
    _, out, _ = call("explain", "quality-filter")
    for words in ("Crete", "never set them", "model.yaml"):
        assert words in out
    _, out, _ = call("explain", "missed_above")
    assert "one-sided" in out
