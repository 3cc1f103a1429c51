"""One audit at a time, one audit per folder, first facts kept."""

from __future__ import annotations

import os
import stat

import pytest

from audit.errors import HipauditError
from audit.folder import claimed
from audit.results import GateFile


def test_a_second_audit_in_the_same_folder_is_refused_while_the_first_runs(tmp_path):
    with (
        claimed(tmp_path, "a", overwrite=False),
        pytest.raises(HipauditError, match="another hipaudit at work"),
        claimed(tmp_path, "a", overwrite=True),
    ):
        pass


def test_another_audit_does_not_overwrite_unless_told(tmp_path):
    with claimed(tmp_path, "a", overwrite=False):
        pass
    with (
        pytest.raises(HipauditError, match="--overwrite"),
        claimed(tmp_path, "b", overwrite=False),
    ):
        pass
    with claimed(tmp_path, "b", overwrite=True) as started:
        assert started["run_id"] == "b"


def test_resuming_keeps_the_first_day_and_the_first_gate_file(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    rules = GateFile(sha256="0" * 64, recorded="1970-01-01")
    with claimed(tmp_path, "a", overwrite=False, gate_file=rules) as first:
        assert first["date"] == "1970-01-01"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(86400 * 400))
    with claimed(tmp_path, "a", overwrite=False, gate_file=None) as again:
        assert again == first


def test_a_foreign_audit_json_is_not_overwritten(tmp_path):
    (tmp_path / "audit.json").write_text("{}")
    with (
        pytest.raises(HipauditError, match="another audit"),
        claimed(tmp_path, "a", overwrite=False),
    ):
        pass
    assert (tmp_path / "audit.json").read_text() == "{}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_one_line(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with (
        pytest.raises(HipauditError, match="--out"),
        claimed(tmp_path / "x", "a", overwrite=False),
    ):
        pass
