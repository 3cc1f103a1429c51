"""Memory stays with the process: counted in pages that the kernel had to fetch anew."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from audit.speed.pages import keep_freed_memory

ROOT = Path(__file__).resolve().parents[2]
BLOCKS, MIB = 20, 64
OWN = ("MALLOC_", "GLIBC_TUNABLES")  # variables of an environment that set malloc
COUNTED = f"""
import resource, sys
from audit.speed.pages import keep_freed_memory
print(keep_freed_memory() if sys.argv[1] == "keep" else None)
import numpy as np
def written():
    np.ones({MIB} * 2**17)
def fetched():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
written()
before = fetched()
for _ in range({BLOCKS}):
    written()
print(fetched() - before)
"""


def counted(how: str) -> tuple[str, int]:
    """What the function said in a process of its own, and how many pages were fetched in it for
    blocks like one that was freed before."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(OWN)}
    environment |= {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COUNTED, how]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    said, fetched = done.stdout.split()
    return said, int(fetched)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another libc has no mallopt")
def test_blocks_that_were_freed_are_not_fetched_again() -> None:
    _, without = counted("leave")
    said, kept = counted("keep")
    assert said == "True"
    # As it comes, glibc fetches every page anew: of 2 MiB where the kernel likes huge ones.
    assert without > 0.9 * BLOCKS * MIB / 2
    assert kept < without / 10


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_a_malloc_that_somebody_set_is_left_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "glibc.malloc.arena_max=4" if name == "GLIBC_TUNABLES" else "4")
    assert keep_freed_memory() is False


def test_a_system_without_mallopt_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(OWN)]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())
    assert keep_freed_memory() is False
