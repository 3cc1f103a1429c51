"""Decoding files one by one: a file that breaks the decoder costs that file, not the audit."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from audit.cases import dicom_client
from audit.cases.decoding import FileLoader, look, look_at_all
from audit.cases.image import Unreadable
from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.errors import HipauditError
from tests.cases.dicoms import dataset, grid, write
from tests.cases.test_folders import class_folders, draw


@pytest.fixture(autouse=True)
def _fresh_workers() -> Iterator[None]:
    dicom_client.close_workers()
    yield
    dicom_client.close_workers()


def worker_that(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_client, "COMMAND", [sys.executable, "-c", code])


def test_a_decoder_that_dies_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = (write(tmp_path / name, dataset(grid())) for name in ("good.dcm", "bad.dcm"))
    with monkeypatch.context() as patched:
        worker_that("import os; input(); os.abort()", patched)
        with pytest.raises(Unreadable, match="decoder crashed"):
            look(bad)
    assert look(good).shape == (8, 6)


def test_a_decoder_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker_that("import time; time.sleep(60)", monkeypatch)
    monkeypatch.setattr(dicom_client, "TIMEOUT", 0.3)
    with pytest.raises(Unreadable, match="took longer"):
        look(write(tmp_path / "a.dcm", dataset(grid())))


@pytest.mark.parametrize(
    "answer",
    [
        r"b'\xff\xff\xff\xff'",
        r"b'\x00\x00\x00\x02{}'",
        r"b'\x00\x00\x00\x04junk'",
        r"b'\x00\x00\x00\x0c{\"bytes\":-1}'",
    ],
)
def test_an_answer_that_is_nonsense_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    worker_that(f"import sys; input(); sys.stdout.buffer.write({answer})", monkeypatch)
    with pytest.raises(Unreadable, match="decoder crashed"):
        look(write(tmp_path / "a.dcm", dataset(grid())))


def test_a_decoder_ends_when_its_input_does(tmp_path: Path) -> None:
    look(write(tmp_path / "a.dcm", dataset(grid())))
    (worker,) = dicom_client._idle
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait(timeout=10) == 0


ANSWERS = """
import sys, time
for line in sys.stdin:
    time.sleep(0.05)
    text = b'{"uid": "1.2", "bytes": 0}'
    sys.stdout.buffer.write(len(text).to_bytes(4, "big") + text)
    sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize(("starting", "several"), [(1e9, False), (0.1, True)])
def test_another_decoder_is_started_once_waiting_cost_as_much(
    monkeypatch: pytest.MonkeyPatch, starting: float, several: bool
) -> None:
    worker_that(ANSWERS, monkeypatch)
    monkeypatch.setattr(dicom_client, "STARTING", starting)
    monkeypatch.setattr(dicom_client, "_waited", 0.0)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(dicom_client.dicom_uid, [Path(str(n)) for n in range(20)]))
    assert found == ["1.2"] * 20
    assert (len(dicom_client._idle) > 1) is several
    assert len(dicom_client._idle) <= 4


def test_who_waits_for_a_decoder_that_dies_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    worker_that("import time; input(); time.sleep(0.1)", monkeypatch)  # no answer
    monkeypatch.setattr(dicom_client, "STARTING", 1e9)
    monkeypatch.setattr(dicom_client, "_waited", 0.0)

    def asked(number: int) -> str:
        with pytest.raises(Unreadable, match="decoder crashed"):
            dicom_client.dicom_uid(Path(str(number)))
        return "crashed"

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(asked, range(6))) == ["crashed"] * 6
    assert not dicom_client._busy


def test_many_files_are_looked_at_in_order_whatever_the_workers(tmp_path: Path) -> None:
    paths = [draw(tmp_path / f"{n}.png", n) for n in range(9)]
    seen: list[tuple[int, int]] = []
    one = list(look_at_all(paths, 1, lambda done, total: seen.append((done, total))))
    assert one == list(look_at_all(paths, 4, None))
    assert seen == [(n, 9) for n in range(1, 10)]


def test_a_loader_reads_again_travels_and_shows_no_path(tmp_path: Path) -> None:
    path = draw(tmp_path / "secret.png", 1)
    loader = FileLoader(path, look(path).digest)
    again = pickle.loads(pickle.dumps(loader))  # noqa: S301 our own
    np.testing.assert_array_equal(loader(), again())
    assert "secret" not in repr(loader)


@pytest.mark.parametrize("how", ["changed", "gone", "truncated"])
def test_a_file_that_changes_during_an_audit_is_an_error_without_its_path(
    tmp_path: Path, how: str
) -> None:
    case = read_cases(class_folders(tmp_path))[0]
    for path in tmp_path.rglob("*.png"):
        if how == "changed":
            draw(path, 77)
        elif how == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(HipauditError, match=case.id) as caught:
        case.load()
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_among_the_images_is_skipped_not_waited_for(tmp_path: Path) -> None:
    class_folders(tmp_path)
    os.mkfifo(tmp_path / "normal" / "pipe.png")
    (skipped,) = read_cases(tmp_path).description.skipped
    assert (skipped.case, skipped.reason) == ("file 5", "no such file")


@pytest.mark.parametrize("wrong", [{"max_skipped": 1.5}, {"workers": 0}])
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(HipauditError):
        DataOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_asks_a_worker_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", dataset(grid()))
    look(path)
    with dicom_client._free:  # as a fork may find it
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # a lock the parent holds would be waited for for ever
            os._exit(0 if look(path).shape == (8, 6) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert look(path).shape == (8, 6)
