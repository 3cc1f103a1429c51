"""Patient data never leaves through a report, log, path or cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from canaries import (
    PLANTED,
    WORD,
    found_in,
    unpacked,
    write_dicom_site,
    write_manifest_site,
    write_png,
)

from hipaudit.cli import Session, _answer
from tests.tiny import write_model

ROOT = Path(__file__).parents[1]
CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"pHYs", b"gAMA", b"sRGB"}
BANDS = {"<50", "50-59", "60-69", "70-79", "80-89", "90+", "unknown"}
AUDIT = ("run", "-v", "model.pt", "--preset", "ci", "--stress", "fgsm", "--max-samples", "6",
         "--out", "out", "--max-skipped", "0.5", "--data")  # fmt: skip


def command(*args: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    call = [sys.executable, "-c", "from hipaudit.cli import main; main()", *args]
    return subprocess.run(call, cwd=cwd, env=environment, capture_output=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A working directory with the model, both data folders and a rule file."""
    folder = tmp_path_factory.mktemp(WORD) / f"{WORD}_ward"
    write_manifest_site(folder)
    write_dicom_site(folder)
    write_model(folder / "model.pt")
    (folder / "hipaudit.toml").write_text(
        'schema = 1\n[[gate.rule]]\nid = "HA1"\nmetric = "accuracy"\nmin = 0.5\n'
    )
    return folder


@pytest.fixture(scope="module")
def audited(site):
    """What a whole `hipaudit run -v` with images said; its files lie in site/out."""
    return command(*AUDIT, f"{WORD}_hospital/{WORD}_data", cwd=site)


def public_files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and p.parent.name != "private"]


@pytest.mark.parametrize("canary", PLANTED)
def test_the_search_itself_finds_every_canary_where_it_may_be(site, canary):
    everything = [p.read_bytes() for p in site.glob(f"{WORD}_*/**/*") if p.is_file()]
    assert any(canary in found_in(content) for content in everything)
    assert found_in(canary.upper().encode("utf-16-be")) == [canary]


def test_the_audit_ran_to_its_end_and_skipped_the_broken_and_the_missing(audited, site):
    assert audited.returncode in (0, 1, 3), audited.stderr
    found = json.loads((site / "out" / "audit.json").read_text())
    assert len(found["data"]["skipped"]) == 2
    assert "duplicates" in {note["code"] for note in found["data"]["notes"]}
    assert found["data"]["patients"] == 8
    for name in ("report.html", "predictions.csv", "verdict.json", "started.json"):
        assert (site / "out" / name).stat().st_size
    assert list((site / "out" / "figures").glob("*.png"))
    assert list((site / "out" / "units").glob("*.unit"))


def test_no_canary_is_said_on_stdout_or_stderr(audited):
    assert found_in(audited.stdout) == []
    assert found_in(audited.stderr) == []


def test_no_canary_is_in_the_bytes_or_the_name_of_any_file_outside_private(audited, site):
    files = public_files(site / "out")
    leaks = {p.name: found_in(p.read_bytes()) for p in files if found_in(p.read_bytes())}
    assert leaks == {}
    assert not [p.name for p in files if found_in(p.name)]


def test_the_report_as_pdf_is_searched_with_its_streams_and_attachments_unpacked(audited, site):
    pdf = site / "out" / "report.pdf"
    if not pdf.exists():
        pytest.skip("no Pango here, so no PDF")
    attached = json.dumps(json.loads((site / "out" / "audit.json").read_text())["run_id"])
    assert any(attached.encode() in layer for layer in unpacked(pdf.read_bytes()))
    assert found_in(pdf.read_bytes()) == []


def test_who_is_who_stands_in_the_private_table_and_only_its_owner_reads_it(audited, site):
    table = site / "out" / "private" / "cases.csv"
    assert WORD in found_in(table.read_bytes())
    assert table.stat().st_mode & 0o777 == 0o600
    assert table.parent.stat().st_mode & 0o777 == 0o700


def test_pictures_carry_no_text_chunk(audited, site):
    for path in (site / "out" / "figures").glob("*.png"):
        data, place, kinds = path.read_bytes(), 8, set()
        while place < len(data):
            size = int.from_bytes(data[place : place + 4], "big")
            kinds.add(data[place + 4 : place + 8])
            place += size + 12
        assert kinds <= CHUNKS


def test_ages_over_ninety_are_one_band_and_appear_nowhere_else(audited, site):
    data = json.loads((site / "out" / "audit.json").read_text())["data"]["attributes"]
    assert set(data["age_band"]) == {"90+"}
    assert set(data["age_band"]) <= BANDS
    assert set(data) == {"age_band", "scanner", "sex", "vendor", "view"}
    named = "".join(note for note in audited.stdout.decode().splitlines() if "not used" in note)
    for column in ("name", "naam", "email", "referrer", "physician", "leeftijd", "birth_date"):
        assert f"{column} (" in named


@pytest.fixture
def said(site, capfd, monkeypatch):
    """Call the command line in this process, in the site: (exit code, all that was said)."""
    monkeypatch.chdir(site)

    def call(*args: str) -> tuple[int, str]:
        code = _answer(list(args), Session())
        out = capfd.readouterr()
        return code, out.out + out.err

    return call


PACS = f"{WORD}_pacs"


def test_gate_and_report_leak_nothing_either(audited, said, site, tmp_path, monkeypatch):
    shutil.copytree(site / "out", tmp_path / "again", ignore=shutil.ignore_patterns("private"))
    monkeypatch.chdir(tmp_path)
    for args in (("gate", "-v"), ("report", "-v", "--no-images")):
        code, words = said(args[0], "again/audit.json", *args[1:])
        assert code in (0, 1, 3), words
        assert found_in(words) == []
    for path in public_files(tmp_path / "again"):
        assert found_in(path.read_bytes()) == [], path.name


def test_a_dicom_folder_keyed_by_uid_is_described_without_a_canary(said):
    code, words = said("inspect", "-v", "model.pt", "--data", PACS, "--max-skipped", "0.5",
                       "--format", "json")  # fmt: skip
    assert code in (0, 3)
    assert found_in(words) == []
    assert json.loads(words[words.index("{") :])["data"]["cases"] == 8


@pytest.mark.parametrize("change", ["vanishes", "is cut short", "becomes another image"])
def test_a_file_that_changes_after_it_was_read_is_one_line_without_its_name(
    said, site, tmp_path, monkeypatch, change
):
    from hipaudit import workflow

    data = tmp_path / f"{WORD}_copy"
    shutil.copytree(site / PACS, data)
    read = workflow.read_model

    def read_then_tamper(*args: object) -> object:
        classifier = read(*args)
        for path in data.glob("*.dcm"):
            whole = path.read_bytes()
            path.unlink()
            if change == "is cut short":
                path.write_bytes(whole[:-100])
            if change == "becomes another image":
                path.write_bytes(whole[:-100] + b"\x01" * 100)
        return classifier

    monkeypatch.setattr(workflow, "read_model", read_then_tamper)
    monkeypatch.chdir(tmp_path)
    code, words = said("run", "-v", str(site / "model.pt"), "--data", data.name,
                       "--max-skipped", "0.5", "--out", "broken")  # fmt: skip
    assert code == 2
    assert words.splitlines()[-1].startswith("error: Expected image ")
    assert "Traceback" in words
    assert found_in(words) == []
    assert not (tmp_path / "broken").exists()


def test_an_unforeseen_error_while_loading_shows_no_path_even_with_v(said, tmp_path, monkeypatch):
    def refuse(self: object) -> object:
        raise PermissionError(13, "Permission denied", f"/scans/{WORD}.dcm")

    monkeypatch.setattr("audit.cases.decoding.FileLoader.__call__", refuse)
    code, words = said("run", "-v", "model.pt", "--data", PACS, "--max-skipped", "0.5",
                       "--out", str(tmp_path / "x"))  # fmt: skip
    assert code == 2
    assert "PermissionError: Permission denied" in words
    assert "internal error: PermissionError at " in words.splitlines()[-1]
    assert found_in(words) == []


def test_an_unforeseen_error_inside_a_stress_or_a_probe_reaches_the_results_without_its_path(
    tmp_path, monkeypatch
):
    from audit.conduct import conduct
    from audit.options import AuditOptions
    from audit.probes.registry import load_probes
    from audit.stresses.registry import STRESSES, get_stress
    from tests.doubles import Brightness, cases_of, classifier_of

    def fail(*_: object, epsilons: object = ()) -> object:
        raise RuntimeError(f"cannot read '/scans/{WORD} A/{WORD}.dcm' of {WORD}.png")

    monkeypatch.setitem(STRESSES, "fgsm", replace(get_stress("fgsm"), perturb=fail))
    monkeypatch.setitem(load_probes(), "gradcam", fail)
    options = AuditOptions(preset="ci", stresses=("fgsm",), probes=("gradcam",))
    conduct(classifier_of(Brightness()), cases_of([0.2, 0.8] * 4), tmp_path, options)
    found = json.loads((tmp_path / "audit.json").read_text())
    reasons = [part["reason"] for part in (*found["plan"]["runs"], *found["probes"])]
    assert reasons.count("RuntimeError: cannot read … of …") == 2
    for path in public_files(tmp_path):
        assert found_in(path.read_bytes()) == []


@pytest.mark.parametrize("folders", [1, 3])
def test_folders_of_patients_taken_for_classes_are_counted_not_named(said, tmp_path, folders):
    for number in range(folders):
        folder = tmp_path / "scans" / f"{WORD}_{number}"
        folder.mkdir(parents=True)
        write_png(folder / f"{WORD}.png", number)
    code, words = said("inspect", "-v", "model.pt", "--data", str(tmp_path / "scans"))
    assert code == 2
    assert found_in(words) == []


def test_a_label_the_model_does_not_know_is_refused_without_a_canary(said, site, tmp_path):
    shutil.copytree(site / PACS, tmp_path / "copy")
    table = tmp_path / "copy" / "labels.csv"
    table.write_text(table.read_text().replace("fracture", "fractuur"))
    code, words = said("inspect", "-v", "model.pt", "--data", str(tmp_path / "copy"))
    assert code == 2
    assert 'Did you mean "fracture"?' in words
    assert found_in(words) == []


def test_a_table_that_is_damaged_is_refused_by_line_number_not_by_content(said, site, tmp_path):
    shutil.copytree(site / PACS, tmp_path / "copy")
    table = tmp_path / "copy" / "labels.csv"
    table.write_text(table.read_text() + f"{WORD},,{WORD},{WORD}\n")
    code, words = said("inspect", "-v", "model.pt", "--data", str(tmp_path / "copy"))
    assert code == 2
    assert "line 11" in words
    assert found_in(words) == []
