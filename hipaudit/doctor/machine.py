"""The machine: Python, places to write, room, memory."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from hipaudit.doctor.check import Check, unless

GIB = 1024**3
LEAST_PYTHON = (3, 11)
LEAST_DISK, NO_DISK = 2 * GIB, GIB // 10
LEAST_TEMPORARY = GIB // 2
LEAST_MEMORY = 4 * GIB


def check_python() -> Check:
    found = f"{platform.python_version()}, {platform.machine()}, {platform.system()}"
    if sys.version_info[:2] < LEAST_PYTHON:
        return Check("problem", found, "Install Python 3.11 or newer.")
    narrow = sys.maxsize <= 2**32
    fix = "Install a 64-bit Python: there is no torch for this one."
    return unless(f"{found}, of 32 bits" if narrow else "", "problem", fix, found)


def check_folder(folder: Path) -> Check:
    """Whether results can be written where they would go. Leaves nothing behind."""
    place = _nearest(folder)
    trouble = _write_trouble(place)
    fix = "Go to a folder of your own, or choose another --out."
    return unless(trouble and f"{place}: {trouble}", "problem", fix, f"{place} can be written")


def check_modes(folder: Path) -> Check:
    """Whether a file can be kept from others: private/cases.csv says which case is which file."""
    if os.name == "nt":
        return Check("optional", "kept by the rights of the folder on Windows")
    place = _nearest(folder)
    try:
        with tempfile.NamedTemporaryFile(dir=place) as made:
            Path(made.name).chmod(0o600)
            others = stat.S_IMODE(Path(made.name).stat().st_mode) & 0o077
    except OSError as error:
        return Check("warning", f"not known: {error.strerror}")
    fix = "This disk keeps no rights (a network or USB disk?): choose an --out on another."
    return unless(
        "others could read them here" if others else "", "warning", fix, "mode 0600 holds"
    )


def check_temporary() -> Check:
    place = Path(tempfile.gettempdir())
    trouble = _write_trouble(place)
    if trouble:
        return Check("problem", f"{place}: {trouble}", "export TMPDIR=/a/folder/you/may/write")
    free = shutil.disk_usage(place).free
    low = f"{place}: {_gib(free)} free" if free < LEAST_TEMPORARY else ""
    return unless(low, "warning", "export TMPDIR=/a/larger/disk", f"{place}, {_gib(free)} free")


def check_home() -> Check:
    """Where matplotlib and fontconfig keep what they found out; without it each start is slow."""
    asked = os.environ.get("MPLCONFIGDIR") or os.environ.get("XDG_CONFIG_HOME")
    place = _nearest(Path(asked)) if asked else _nearest(Path.home() / ".config")
    trouble = _write_trouble(place)
    fix = 'export HOME="$(mktemp -d)", or MPLCONFIGDIR and XDG_CACHE_HOME'
    return unless(trouble and f"{place}: {trouble}", "warning", fix, f"kept in {place}")


def check_disk(folder: Path) -> Check:
    free = shutil.disk_usage(_nearest(folder)).free
    found = f"{_gib(free)} free for results"
    if free < NO_DISK:
        return Check("problem", found, "Make room, or choose another --out.")
    few = found if free < LEAST_DISK else ""
    return unless(few, "warning", "Make room, or choose another --out.", found)


def check_memory() -> Check:
    """Of the whole machine; a container may be given less."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return Check("optional", "not known on this system")
    few = f"{_gib(whole)}" if whole < LEAST_MEMORY else ""
    return unless(few, "warning", "Add --batch-size 1 --workers 1 to hipaudit run.", _gib(whole))


def check_cores() -> Check:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check("ok", str(usable or "unknown"))


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    whole = folder.absolute()
    return next(place for place in (whole, *whole.parents) if place.exists())


def _write_trouble(place: Path) -> str:
    """Why nothing can be written there, or "". os.access lies for root and on network disks."""
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            return ""
    except OSError as error:
        return f"cannot be written ({error.strerror or type(error).__name__})"


def _gib(size: float) -> str:
    return f"{size / GIB:.1f} GB"
