"""The process in which DICOM files are decoded: `python -m audit.cases.dicom_worker`.

Reads one JSON request per line ({"path", "want": "look" | "pixels" | "uid"}) and answers with
four bytes of length, JSON, and pixels when they were wanted. It may be killed at any time.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from audit.cases.image import Unreadable

MEMORY = 4 << 30  # bytes of address space: 64 megapixels in float64, several times


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    # Decoders write to both; what they say could quote a header.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    _limit()
    for line in sys.stdin.buffer:
        _serve(json.loads(line), answers)


def _limit() -> None:
    """No core dumps (they would hold an image) and an end to memory, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            continue


def _serve(request: dict[str, str], answers: IO[bytes]) -> None:
    from audit.cases.dicom import read_dicom, read_pixels, read_uid
    from audit.cases.identity import pixel_digest

    path = Path(os.fsdecode(request["path"]))
    answer: dict[str, Any] = {}
    pixels = memoryview(b"")
    try:
        if request["want"] == "uid":
            answer["uid"] = read_uid(path)
        elif request["want"] == "pixels":  # whoever wants them takes their digest
            image = read_pixels(path)
            answer["shape"] = image.shape
            pixels = np.ascontiguousarray(image, dtype="<f4").data.cast("B")
        else:
            image, tags = read_dicom(path)
            answer |= {"shape": image.shape, "digest": pixel_digest(image), "tags": tags}
            answer["peak"] = float(image.max())
    except Unreadable as reason:
        answer = {"reason": str(reason)}
    except MemoryError:
        answer = {"reason": "image that needs too much memory"}
    answer["bytes"] = len(pixels)
    head = json.dumps(answer).encode()
    answers.write(len(head).to_bytes(4, "big") + head)
    answers.write(pixels)
    answers.flush()


if __name__ == "__main__":
    main()
