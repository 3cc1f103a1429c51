"""Checks of an installation; each library is tried in a process of its own, which may die."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

PATIENCE = 120  # seconds; a cold import of torch from a slow disk
MIXED = "operator torchvision::nms does not exist"
MIXED_FIX = (
    "torch and torchvision come from different builds. Type: pip install --force-reinstall "
    "torch torchvision --index-url https://download.pytorch.org/whl/cpu"
)
PANGO_FIX = "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
LEAST_DISK = 2 * 1024**3


@dataclass(frozen=True)
class Check:
    name: str
    state: Literal["ok", "warning", "problem"]
    found: str
    fix: str = ""


@dataclass(frozen=True)
class Library:
    """What to import, what it is for, the oldest version allowed, what to type without it."""

    module: str
    package: str
    purpose: str
    least: str = ""
    fix: str = ""
    needed: bool = True


LIBRARIES = (
    Library("torch", "torch", "models", least="2.10"),
    Library("torchvision", "torchvision", "architectures"),
    Library("art", "adversarial-robustness-toolbox", "attacks"),
    Library("pytorch_grad_cam", "grad-cam", "Grad-CAM"),
    Library("pydicom", "pydicom", "DICOM", least="3.0.2"),
    Library("gdcm", "python-gdcm", "JPEG Lossless and JPEG-LS in DICOM"),
    Library("openjpeg", "pylibjpeg-openjpeg", "JPEG 2000 in DICOM"),
    Library("weasyprint", "weasyprint", "the PDF", least="70", fix=PANGO_FIX, needed=False),
)


def checks() -> Iterator[Check]:
    """All checks in order; each is made when it is asked for."""
    yield _python()
    for library in LIBRARIES:
        yield check_library(library)
    yield _device()
    yield _cores()
    yield _disk()


def _python() -> Check:
    found = platform.python_version()
    return Check("Python", "ok", found)


def check_library(library: Library) -> Check:
    """Whether the library is installed, new enough, and can be imported."""
    name = f"{library.package} ({library.purpose})"
    bad: Literal["warning", "problem"] = "problem" if library.needed else "warning"
    try:
        found = version(library.package)
    except PackageNotFoundError:
        return Check(name, bad, "not installed", f"pip install '{library.package}'")
    if library.least and _numbers(found) < _numbers(library.least):
        return Check(
            name,
            bad,
            f"{found}, too old",
            f"pip install --upgrade '{library.package}>={library.least}'",
        )
    trouble = _import_trouble(library.module)
    if trouble is None:
        return Check(name, "ok", found)
    if MIXED in trouble:
        return Check(name, bad, f"{found} cannot be imported: {MIXED}", MIXED_FIX)
    last = trouble.strip().splitlines()[-1:] or ["no message"]
    return Check(name, bad, f"{found} cannot be imported: {last[0][:200]}", library.fix)


def _import_trouble(module: str) -> str | None:
    """What the import complains of; None when it works."""
    try:
        child = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", f"import {module}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE} s"
    return None if child.returncode == 0 else child.stderr or f"ended with {child.returncode}"


def _device() -> Check:
    code = (
        "import torch; "
        "print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU only')"
    )
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Check("device", "ok", child.stdout.strip() or "unknown")


def _cores() -> Check:
    return Check("cores", "ok", str(os.cpu_count() or "unknown"))


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{free / 1024**3:.1f} GB free here"
    if free < LEAST_DISK:
        return Check("disk", "warning", found, "make room, or choose another --out")
    return Check("disk", "ok", found)


def _numbers(text: str) -> tuple[int, ...]:
    """Leading numbers of a version: "2.10.0+cpu" -> (2, 10, 0)."""
    numbers: list[int] = []
    for part in text.split("+")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
