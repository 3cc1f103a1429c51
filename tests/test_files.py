"""Old file or new file, never a torn one."""

from __future__ import annotations

import errno
import os

import pytest

from audit.errors import HipauditError
from audit.files import sha256_of, write_whole


@pytest.mark.parametrize("call", ["fsync", "replace", "fdopen", "chmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_leaves_the_old_file_and_no_remains(tmp_path, monkeypatch, call, number):
    target = tmp_path / "audit.json"
    write_whole(target, "old")

    def fails(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fails)
    with pytest.raises(HipauditError, match=r"Expected to write audit\.json, but found"):
        write_whole(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


def test_an_interrupt_leaves_the_old_file_and_no_remains(tmp_path, monkeypatch):
    target = tmp_path / "audit.json"
    write_whole(target, "old")

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


def test_a_private_file_is_readable_by_its_owner_only(tmp_path):
    path = write_whole(tmp_path / "private" / "cases.csv", b"id,path\n", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_digest_is_the_standard_one(tmp_path):
    path = write_whole(tmp_path / "abc", "abc")
    # FIPS 180-2, appendix B.1
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
