"""hipaudit sign and verify: a report that was changed, or is another's, is named."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess

import pytest
from pypdf import PdfReader


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
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(tmp_path / "x.pdf")
    code, found = checks(hipaudit, tmp_path / "x.pdf")
    assert (code, found["attached audit.json"]) == (1, "FAILED")


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
