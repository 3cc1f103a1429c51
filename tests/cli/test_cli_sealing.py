"""hipaudit sign and verify: a report that was changed, or is another's, is named."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess

import pytest
from pypdf import PdfReader, PdfWriter


@pytest.fixture
def report(hipaudit, audit_json, write_rules):
    """A rendered report with its audit, verdict and thresholds inside."""
    write_rules("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"', "min = 0.8")
    assert hipaudit("report", audit_json, "--quiet")[0] == 0
    return audit_json.parent / "report.pdf"


@pytest.fixture
def key(hipaudit, tmp_path):
    assert hipaudit("sign", "--new-key", tmp_path / "board.pem")[0] == 0
    return tmp_path / "board.pem"


def checks(hipaudit, report, *more):
    code, out, _ = hipaudit("verify", report, "--format", "json", *more)
    return code, {check["what"]: check["state"] for check in json.loads(out)}


def test_a_fresh_report_belongs_together_and_is_not_signed(hipaudit, report):
    code, found = checks(hipaudit, report)
    assert code == 0
    assert found == {
        "attachments": "ok",
        "attached audit.json": "ok",
        "attached verdict.json": "ok",
        "thresholds": "ok",
        "audit.json beside the report": "ok",
        "pictures beside the report": "not checked",
        "signature": "not checked",
    }


def test_a_signed_report_verifies_by_its_key_and_by_openssl(hipaudit, report, key, tmp_path):
    assert (key.stat().st_mode & 0o777) == 0o600
    assert hipaudit("sign", report, "--key", key)[0] == 0
    public = tmp_path / "board.pub.pem"
    code, found = checks(hipaudit, report, "--key", public)
    assert (code, found["signature"]) == (0, "ok")
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    told = json.loads((report.parent / "report.pdf.sig").read_text())
    raw = tmp_path / "raw.sig"
    raw.write_bytes(base64.b64decode(told["signature"]))
    asked = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    asked += ["-in", str(report), "-sigfile", str(raw)]
    child = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert "Signature Verified Successfully" in child.stdout


def test_one_changed_byte_breaks_the_signature(hipaudit, report, key):
    assert hipaudit("sign", report, "--key", key)[0] == 0
    content = bytearray(report.read_bytes())
    at = content.rindex(b"startxref")
    content[at - 1 : at - 1] = b" "
    report.write_bytes(content)
    code, found = checks(hipaudit, report)
    assert (code, found["signature"]) == (1, "FAILED")


def test_a_file_added_to_the_end_of_a_signed_report_breaks_the_signature(hipaudit, report, key):
    assert hipaudit("sign", report, "--key", key)[0] == 0
    writer = PdfWriter(str(report), incremental=True)
    writer.add_metadata({"/Title": "Another title"})
    writer.write(report)
    code, found = checks(hipaudit, report)
    assert (code, found["signature"]) == (1, "FAILED")


def rewritten(report, change):
    """The report after `change(writer)`, saved by another program."""
    writer = PdfWriter(clone_from=report)
    change(writer)
    writer.write(report)


@pytest.mark.parametrize("name", ["verdict.json", "environment.txt", "audit.json", "hipaudit.toml"])
def test_a_changed_attachment_is_named(hipaudit, report, name):
    def change(writer):
        (one,) = (one for one in writer.attachment_list if one.name == name)
        one.content += b" "

    rewritten(report, change)
    _, out, _ = hipaudit("verify", report)
    assert f"FAILED       {name} is not the file that was attached" in out


def test_an_attachment_taken_away_or_added_is_noticed(hipaudit, report):
    content = report.read_bytes()
    rewritten(report, lambda writer: next(iter(writer.attachment_list)).delete())
    code, found = checks(hipaudit, report)
    assert (code, found["attachments"]) == (1, "FAILED")
    report.write_bytes(content)
    rewritten(report, lambda writer: writer.add_attachment("e\x1b[31m.exe", b"MZ"))
    code, out, _ = hipaudit("verify", report)
    assert (code, "e\\x1b[31m.exe is not the file that was attached" in out) == (1, True)
    assert "\x1b" not in out


def test_the_attachments_of_another_report_are_not_this_ones(hipaudit, report, write_rules):
    mine = report.read_bytes()
    write_rules("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"', "min = 0.1")
    assert hipaudit("report", report.parent / "audit.json", "--quiet")[0] == 0
    (other,) = (
        one.content for one in PdfReader(report).attachment_list if one.name == "hipaudit.toml"
    )
    report.write_bytes(mine)

    def change(writer):
        (one,) = (one for one in writer.attachment_list if one.name == "hipaudit.toml")
        one.content = other

    rewritten(report, change)
    code, found = checks(hipaudit, report)
    assert (code, found["attachments"], found["thresholds"]) == (1, "FAILED", "FAILED")


def test_a_pdf_with_a_password_is_refused_in_one_line(hipaudit, report):
    rewritten(report, lambda writer: writer.encrypt("secret"))
    code, _, err = hipaudit("verify", report)
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "a PDF without a password" in err


def test_a_damaged_pdf_is_one_line_and_never_a_traceback(hipaudit, report):
    content = report.read_bytes()
    for place in range(1000, len(content), len(content) // 12):
        report.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        code, _, err = hipaudit("verify", report, "--quiet")
        assert code in (0, 1, 2)
        assert len(err.strip().splitlines()) == (code == 2)
    report.write_bytes(content[: len(content) // 2])
    code, _, err = hipaudit("verify", report)
    assert (code, len(err.strip().splitlines())) == (2, 1)


def test_the_signature_of_another_is_never_overwritten(hipaudit, report, key, tmp_path):
    assert hipaudit("sign", report, "--key", key)[0] == 0
    assert hipaudit("sign", report, "--key", key)[0] == 0  # again by the same key
    before = (report.parent / "report.pdf.sig").read_text()
    assert hipaudit("sign", "--new-key", tmp_path / "other.pem")[0] == 0
    code, _, err = hipaudit("sign", report, "--key", tmp_path / "other.pem")
    assert (code, "Move report.pdf.sig elsewhere" in err) == (2, True)
    assert (report.parent / "report.pdf.sig").read_text() == before


def test_a_signature_whose_hash_was_changed_or_that_was_cut_off_is_none(hipaudit, report, key):
    assert hipaudit("sign", report, "--key", key)[0] == 0
    place = report.parent / "report.pdf.sig"
    told = json.loads(place.read_text())
    place.write_text(json.dumps(told | {"sha256": "0" * 64}))
    code, found = checks(hipaudit, report)
    assert (code, found["signature"]) == (1, "FAILED")
    place.write_text(json.dumps(told | {"signature": told["signature"][:40]}))
    assert checks(hipaudit, report)[0] == 1
    place.write_text(json.dumps(told)[:60])
    assert hipaudit("verify", report)[0] == 2


def test_a_key_that_others_can_read_is_warned_of(hipaudit, report, key):
    key.chmod(0o644)
    code, _, err = hipaudit("sign", report, "--key", key)
    assert (code, "chmod 600" in err) == (0, True)


def test_a_key_with_a_passphrase_or_none_at_all_is_one_line(hipaudit, report, tmp_path):
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    locked = Ed25519PrivateKey.generate().private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"secret")
    )
    (tmp_path / "locked.pem").write_bytes(locked)
    for name, words in (("locked.pem", "not encrypted"), ("gone.pem", "nothing at gone.pem")):
        code, _, err = hipaudit("sign", report, "--key", tmp_path / name)
        assert (code, len(err.strip().splitlines())) == (2, 1)
        assert words in err


def test_another_key_is_not_the_boards(hipaudit, report, key, tmp_path):
    assert hipaudit("sign", "--new-key", tmp_path / "other.pem")[0] == 0
    assert hipaudit("sign", report, "--key", tmp_path / "other.pem")[0] == 0
    code, found = checks(hipaudit, report, "--key", tmp_path / "board.pub.pem")
    assert (code, found["signature"]) == (1, "FAILED")


def test_unsigned_where_a_signature_was_asked_for_fails(hipaudit, report, key, tmp_path):
    code, found = checks(hipaudit, report, "--key", tmp_path / "board.pub.pem")
    assert (code, found["signature"]) == (1, "FAILED")


def test_another_audit_beside_the_report_is_named(hipaudit, report, audit_json):
    audit_json.write_text(audit_json.read_text().replace('"seed": 0', '"seed": 1', 1) + "\n")
    code, found = checks(hipaudit, report)
    assert (code, found["audit.json beside the report"]) == (1, "FAILED")


def test_a_key_is_never_overwritten(hipaudit, key):
    before = key.read_bytes()
    code, _, err = hipaudit("sign", "--new-key", key)
    assert code == 2
    assert "a name that is free" in err
    assert key.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "a PDF"), (b"hello", "a PDF"), (b"%PDF-1.7\n%%EOF", "a PDF that can be read")],
)
def test_what_is_no_report_is_refused_in_one_line(hipaudit, tmp_path, content, words):
    (tmp_path / "x.pdf").write_bytes(content)
    code, _, err = hipaudit("verify", tmp_path / "x.pdf")
    assert code == 2
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_somebody_elses_pdf_carries_no_audit(hipaudit, tmp_path):
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(tmp_path / "x.pdf")
    code, found = checks(hipaudit, tmp_path / "x.pdf")
    assert (code, found["attached audit.json"]) == (1, "FAILED")


def test_the_report_on_a_study_is_held_against_the_study_beside_it(hipaudit, tmp_path):
    from reports.pdf import render_pdf

    page = '<html lang="en"><head><title>T</title></head><body><h1>T</h1></body></html>'
    paper = render_pdf(page, attachments={"study.json": b"{}"}, date="2026-11-22")
    (tmp_path / "study.pdf").write_bytes(paper)
    found = []
    for beside in ("", "{}", "[]"):
        if beside:
            (tmp_path / "study.json").write_text(beside)
        code, told = checks(hipaudit, tmp_path / "study.pdf")
        found.append((code, told["study.json beside the report"]))
    assert found == [(0, "not checked"), (0, "ok"), (1, "FAILED")]


@pytest.mark.parametrize("text", ["", "{}", '{"algorithm": "RSA"}', "[1]"])
def test_a_file_that_is_no_signature_is_refused(hipaudit, report, text):
    (report.parent / "report.pdf.sig").write_text(text)
    code, _, err = hipaudit("verify", report)
    assert code == 2
    assert "Sign the report again" in err


@pytest.mark.parametrize("variant", ["pdf/ua-1", "pdf/a-3u"])
def test_a_report_carries_what_it_was_made_from_and_on(hipaudit, audit_json, variant):
    from hipaudit.sealing.attached import attachments

    assert hipaudit("report", audit_json, "-q", "--pdf-variant", variant)[0] == 0
    content = (audit_json.parent / "report.pdf").read_bytes()
    files = attachments(content)
    assert set(files) == {"audit.json", "verdict.json", "environment.txt"}
    assert files["audit.json"].decode() == audit_json.read_text()
    assert files["environment.txt"].startswith(b"# Python ")
    told = PdfReader(io.BytesIO(content)).trailer["/Root"]["/Metadata"].get_data()
    assert (b"pdfuaid" if variant == "pdf/ua-1" else b"pdfaid") in told
