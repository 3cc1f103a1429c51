"""Memory that was freed stays with the process, for the next forward pass.

glibc hands large blocks back as soon as they are freed, and every layer's output then comes in
pages that the kernel fetches and zeroes anew: a fifth of a forward pass on a CPU.
"""

from __future__ import annotations

import ctypes
import os

# Names and numbers of malloc.h; mallopt(3).
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LARGEST = 2**31 - 1  # bytes free at the heap's end before any go back: an int, 2 GiB


def keep_freed_memory() -> bool:
    """For the rest of this process; True where it is so.

    The process then holds what it held at its peak until it ends, or all but 2 GiB of it. Nothing
    is done, and False returned, where malloc is not glibc's or was set by the environment
    (`MALLOC_…`, `GLIBC_TUNABLES`): that is somebody's own word. It cannot be taken back, so a
    program that uses this package calls it or leaves it; the command line does.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another libc, or another system
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST))
