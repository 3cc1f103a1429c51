"""Asking a worker process to decode a DICOM file: it may crash, hang or run out of memory,
and the audit goes on with the next file.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import audit
from audit.cases.case import Pixels
from audit.cases.image import Unreadable

TIMEOUT = 60.0  # seconds a file may take
STARTING = 1.0  # seconds a worker takes to start: most of it is importing
TICK = 0.25  # seconds between two looks at the clock
COMMAND = [sys.executable, "-m", "audit.cases.dicom_worker"]
MAX_ANSWER = 1 << 20
MAX_BYTES = 3 * 4 * 64 * 1024 * 1024

_idle: list[_Worker] = []
_busy: list[_Worker] = []
_watcher: threading.Thread | None = None
_free = threading.Condition()  # the two lists' lock; somebody may be idle now
_waited = 0.0  # seconds, by everybody, since the last worker was started


class _Worker:
    """A decoding process and its pipes."""

    def __init__(self) -> None:
        self.deadline, self.late = float("inf"), False
        home = str(Path(audit.__file__).parents[1])
        known = os.environ.get("PYTHONPATH", "")
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, (home, known))),
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
            # Ctrl-C is for the audit; a worker ends when its input does.
            start_new_session=True,
        )

    def ask(self, path: Path, want: str) -> tuple[dict[str, Any], bytearray]:
        """The answer, or Unreadable when the process died or was killed for being late."""
        try:
            return self._ask(path, want)
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            self.close()
            slow = f"decoder took longer than {TIMEOUT:.0f} s"
            raise Unreadable(slow if self.late else "decoder crashed") from None
        except BaseException:  # Ctrl-C in the middle of an answer: the pipe is out of step
            self.close()
            raise

    def _ask(self, path: Path, want: str) -> tuple[dict[str, Any], bytearray]:
        if self.process.stdin is None:
            raise EOFError
        request = {"path": os.fspath(path), "want": want}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        size = int.from_bytes(self._read(4, 4), "big")
        answer: dict[str, Any] = json.loads(self._read(size, MAX_ANSWER))
        return answer, self._read(int(answer["bytes"]), MAX_BYTES)

    def _read(self, size: int, most: int) -> bytearray:
        if self.process.stdout is None or not 0 <= size <= most:
            raise EOFError
        data = bytearray(size)
        if self.process.stdout.readinto(data) != size:  # type: ignore[attr-defined]  # BufferedReader
            raise EOFError
        return data

    def close(self) -> None:
        """End the process and reap it."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        self.process.wait()


def look_at_dicom(path: Path) -> tuple[str, tuple[int, ...], float, dict[str, str]]:
    """(digest, shape, largest value, tags) of a DICOM image. Raises Unreadable."""
    answer, _ = _ask(path, "look")
    return answer["digest"], tuple(answer["shape"]), answer["peak"], answer["tags"]


def dicom_pixels(path: Path) -> Pixels:
    """Pixels of a DICOM image, float32 in [0, 1]. Raises Unreadable."""
    answer, data = _ask(path, "pixels")
    return np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False).reshape(answer["shape"])


def dicom_uid(path: Path) -> str:
    """SOPInstanceUID of a DICOM file. Raises Unreadable."""
    answer, _ = _ask(path, "uid")
    return str(answer["uid"])


def _ask(path: Path, want: str) -> tuple[dict[str, Any], bytearray]:
    worker = _borrow()
    answered = False
    try:
        answer, data = worker.ask(path, want)
        answered = True
    finally:
        with _free:
            _busy.remove(worker)
            if answered:
                _idle.append(worker)
            _free.notify()
    if "reason" in answer:
        raise Unreadable(str(answer["reason"]))
    return answer, data


def _borrow() -> _Worker:
    """An idle worker or a new one, to be back in TIMEOUT seconds.

    A new one beside others only once as long was waited for these as one takes to start: a few
    small files are read sooner by one, and large or many ones by several.
    """
    global _waited, _watcher
    with _free:
        while _busy and not _idle and _waited < STARTING:
            began = time.monotonic()
            _free.wait(STARTING - _waited)
            _waited += time.monotonic() - began
        if not _idle:
            _idle.append(_Worker())
            _waited = 0.0
        worker = _idle.pop()
        worker.deadline = time.monotonic() + TIMEOUT
        _busy.append(worker)
        if _watcher is None:
            _watcher = threading.Thread(target=_watch, daemon=True)
            _watcher.start()
    return worker


def _watch() -> None:
    """Kills what is late. One thread for all: a timer per file takes as long as the file does."""
    while True:
        time.sleep(TICK)
        with _free:
            for worker in _busy:
                if time.monotonic() > worker.deadline:
                    worker.late = True
                    worker.process.kill()


@atexit.register
def close_workers() -> None:
    """End all idle workers of this process."""
    with _free:
        while _idle:
            _idle.pop().close()


def _forget() -> None:
    """After a fork the parent's workers are not ours to use, and its watcher is not with us."""
    global _free, _waited, _watcher
    _free, _waited, _watcher = threading.Condition(), 0.0, None
    _idle.clear()
    _busy.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
