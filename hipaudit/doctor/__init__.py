"""Is this installation fit? Each check says what it found and, where that is wrong, the fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from hipaudit.doctor import machine, terminal, tools
from hipaudit.doctor.check import Check
from hipaudit.doctor.libraries import LIBRARIES, check_device, check_library, check_pair

__all__ = ["Check", "checks"]


def checks(folder: Path) -> Mapping[str, Callable[[], Check]]:
    """What is looked at, in order; each check is made when it is called. `folder`: where results
    would be written."""
    libraries = {one.name: partial(check_library, one) for one in LIBRARIES}
    return {
        "Python": machine.check_python,
        **libraries,
        "torch and torchvision": check_pair,
        "device": check_device,
        "fonts": tools.check_fonts,
        "working folder": partial(machine.check_folder, folder),
        "private files": partial(machine.check_modes, folder),
        "temporary folder": machine.check_temporary,
        "settings of libraries": machine.check_home,
        "disk": partial(machine.check_disk, folder),
        "memory": machine.check_memory,
        "cores": machine.check_cores,
        "text": terminal.check_encoding,
        "terminal": terminal.check_terminal,
        **{one.name: partial(tools.check_tool, one) for one in tools.TOOLS},
    }
