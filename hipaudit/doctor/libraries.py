"""The libraries: each is imported in a process of its own, which may die."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from shutil import which

from hipaudit.doctor.check import Check, State

PATIENCE = 120  # seconds; a cold import of torch from a slow disk
MIXED = "operator torchvision::nms does not exist"
MIXED_FIX = (
    "torch and torchvision come from different builds. Type: pip install --force-reinstall "
    "torch torchvision --index-url https://download.pytorch.org/whl/cpu"
)
PANGO = {  # package manager -> what to type
    "apt-get": "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "dnf": "dnf install -y pango harfbuzz",
    "apk": "apk add pango harfbuzz",
    "pacman": "pacman -S pango",
    "brew": "brew install pango",
}
NO_PANGO = "without it JSON and HTML are written, and no PDF"


@dataclass(frozen=True)
class Library:
    """What to import, what it is for, the oldest version allowed, what else may be wrong."""

    module: str
    package: str
    purpose: str
    least: str = ""
    needed: bool = True

    @property
    def name(self) -> str:
        return f"{self.package} ({self.purpose})"


LIBRARIES = (
    Library("torch", "torch", "models", least="2.10"),
    Library("torchvision", "torchvision", "architectures"),
    Library("art", "adversarial-robustness-toolbox", "attacks"),
    Library("pytorch_grad_cam", "grad-cam", "Grad-CAM"),
    Library("pydicom", "pydicom", "DICOM", least="3.0.2"),
    Library("gdcm", "python-gdcm", "JPEG Lossless and JPEG-LS in DICOM"),
    Library("openjpeg", "pylibjpeg-openjpeg", "JPEG 2000 in DICOM"),
    Library("matplotlib", "matplotlib", "figures"),
    Library("weasyprint", "weasyprint", "the PDF", least="70", needed=False),
)


def check_library(library: Library) -> Check:
    """Whether the library is installed, new enough, and can be imported."""
    bad: State = "problem" if library.needed else "warning"
    try:
        found = version(library.package)
    except PackageNotFoundError:
        return Check(bad, "not installed", f"pip install '{library.package}'")
    if library.least and _numbers(found) < _numbers(library.least):
        newer = f"pip install --upgrade '{library.package}>={library.least}'"
        return Check(bad, f"{found}, too old", newer)
    trouble = import_trouble(library.module)
    if trouble is None:
        return Check("ok", found)
    last = trouble.strip().splitlines()[-1:] or ["no message"]
    return Check(bad, f"{found} cannot be imported: {last[0][:200]}", _remedy(library, trouble))


def check_pair() -> Check:
    """Whether torchvision is of a build for this torch, as far as both say so themselves."""
    try:
        torch, vision = version("torch"), version("torchvision")
        asked = requires("torchvision") or []
    except PackageNotFoundError:
        return Check("optional", "one of them is not installed")
    both = f"{torch} and {vision}"
    least = next(
        (m for one in asked if (m := re.match(r"torch *\(?([<>=!~]+)([\d.]+)", one))), None
    )
    if least and not _holds(_numbers(torch), least[1], _numbers(least[2])):
        return Check(
            "problem", f"{both}; torchvision asks for torch{least[1]}{least[2]}", MIXED_FIX
        )
    builds = {name for one in (torch, vision) if (name := one.partition("+")[2])}
    if len(builds) > 1:
        return Check("problem", f"{both} are of different builds", MIXED_FIX)
    return Check("ok", both)


def check_device() -> Check:
    """Where attacks would be computed."""
    code = (
        "import torch; "
        "print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU only')"
    )
    child = _python("-c", code)
    if child is None or child.returncode != 0:
        return Check("optional", "unknown, as torch cannot be asked")
    found = child.stdout.strip() or "unknown"
    if found == "CPU only" and which("nvidia-smi"):
        fix = "Compare the driver's CUDA version (nvidia-smi) with that of torch (pip show torch)."
        return Check("warning", "CPU only, although there is an NVIDIA driver", fix)
    return Check("ok", found)


def import_trouble(module: str) -> str | None:
    """What the import complains of; None when it works."""
    child = _python("-c", f"import {module}")
    if child is None:
        return f"no answer within {PATIENCE} s"
    return None if child.returncode == 0 else child.stderr or f"ended with {child.returncode}"


def pango_fix() -> str:
    """What installs Pango on this machine."""
    known = next((fix for manager, fix in PANGO.items() if which(manager)), "")
    return f"{known or 'Install Pango, see https://doc.courtbouillon.org/weasyprint'} ({NO_PANGO})"


def _remedy(library: Library, trouble: str) -> str:
    if MIXED in trouble:
        return MIXED_FIX
    if library.module == "weasyprint":
        return pango_fix()
    if "cannot open shared object file" in trouble:
        return f"A system library is missing; the line names it. {_again(library)}"
    return _again(library)


def _again(library: Library) -> str:
    return f"pip install --force-reinstall '{library.package}'"


def _python(*args: str) -> subprocess.CompletedProcess[str] | None:
    """A Python of its own; None when it does not answer in time."""
    asked: Sequence[str] = [sys.executable, "-W", "ignore", *args]
    try:
        return subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None


def _holds(found: tuple[int, ...], sign: str, asked: tuple[int, ...]) -> bool:
    """Whether a version meets "==2.10.0" or ">=2.10"; signs of other kinds are not judged."""
    width = max(len(found), len(asked))
    one, other = (part + (0,) * (width - len(part)) for part in (found, asked))
    if sign == "==":
        return one == other
    return one >= other if sign == ">=" else True


def _numbers(text: str) -> tuple[int, ...]:
    """Leading numbers of a version: "2.10.0+cpu" -> (2, 10, 0)."""
    numbers: list[int] = []
    for part in text.split("+")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
