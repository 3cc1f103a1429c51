"""`hipaudit study readers` on a tiny folder with two columns of readings."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from audit.study_results import read_study
from tests.cli.test_cli_run import call, without_pango, write_tiny

FIRST = ["fracture" if i % 2 else "normal" for i in range(24)]
SECOND = ["fracture" if i % 2 and i > 4 else "normal" for i in range(24)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    write_tiny(folder)
    table = folder / "data" / "manifest.csv"
    with table.open(newline="") as stream:
        head, *rows = csv.reader(stream)
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*head, "jansen", "de_vries"])
        writer.writerows([*row, FIRST[i], SECOND[i]] for i, row in enumerate(rows))
    return folder


def study(site: Path, *more: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.pdf.render_pdf", without_pango)
        patch.chdir(site)
        return call("study", "readers", "--data", "data", "--no-progress", *more)


def test_agreement_is_written_shown_and_names_no_reader(site: Path) -> None:
    flags = ("--readers", "jansen,de_vries", "--out", "out", "--model", "tiny net.pt")
    code, out, _ = study(site, *flags, "--positive-class", "fracture", "--device", "cpu")
    assert code == 0
    results = read_study(site / "out" / "study.json")
    hit = next(f for f in results.findings if f.metric == "kappa" and not f.group)
    assert hit.value == pytest.approx(cohen_kappa_score(FIRST, SECOND))
    assert "reader 1 and reader 2" in out
    assert "model and consensus" in out
    page = (site / "out" / "study.html").read_text()
    for text in (out, results.to_json(), page):
        assert "jansen" not in text
        assert "vries" not in text
    assert "--readers A,B --model MODEL" in results.provenance.command


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "Add --readers A,B"),
        (("--readers", "jansen"), "two columns"),
        (("--readers", "jansen,devries"), "de_vries"),
        (("--readers", "jansen,de_vries", "--model", "nothing.pt"), "Check --model"),
    ],
)
def test_flags_that_cannot_be_are_refused_in_one_line(site: Path, flags, words) -> None:
    code, _, err = study(site, *flags, "--out", "none")
    assert code == 2
    assert words in err
    assert not (site / "none").exists()


def test_readers_belong_to_the_study_of_readers(site: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(site)
        code, _, err = call("study", "--data", "data", "--readers", "a,b")
    assert code == 2
    assert "hipaudit study readers" in err
