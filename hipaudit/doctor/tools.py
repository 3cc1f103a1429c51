"""Programs that are of use where they are installed, and fonts."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from importlib.resources import files
from shutil import which

from hipaudit.doctor.check import Check

BUNDLED = ("Inter-Regular.otf", "Inter-Italic.otf", "Inter-SemiBold.otf",
           "JetBrainsMono-Regular.ttf")  # fmt: skip


@dataclass(frozen=True)
class Tool:
    """Names under which a program may be found, and what is lost without it."""

    name: str
    programs: tuple[str, ...]
    without: str
    fix: str


TOOLS = (
    Tool(
        "veraPDF",
        ("verapdf",),
        "conformance of the PDF is not validated",
        "https://verapdf.org, then: make verapdf REPORT=report.pdf",
    ),
    Tool(
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome", "chrome"),
        "only tests of report.html look for it",
        "apt-get install -y chromium",
    ),
)


def check_tool(tool: Tool) -> Check:
    found = next((place for name in tool.programs if (place := which(name))), None)
    if found is None:
        return Check("optional", f"not installed: {tool.without}", tool.fix)
    return Check("ok", found)


def check_fonts() -> Check:
    """The report's own fonts; and any of the system, for names in other scripts."""
    folder = files("reports.fonts")
    missing = [name for name in BUNDLED if not folder.joinpath(name).is_file()]
    if missing:
        again = "pip install --force-reinstall hipaudit"
        return Check("problem", f"missing from the package: {', '.join(missing)}", again)
    more = _system_fonts()
    if more == 0:
        fix = "apt-get install -y fonts-noto-core"
        return Check("warning", "bundled only: names in other scripts print as boxes", fix)
    return Check("ok", "bundled" + ("" if more is None else f", and {more} of the system"))


def _system_fonts() -> int | None:
    """How many fontconfig knows; None where it cannot be asked."""
    if which("fc-list") is None:
        return None
    try:
        child = subprocess.run(
            ["fc-list", ":", "file"], capture_output=True, text=True, timeout=30, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return len(child.stdout.splitlines()) if child.returncode == 0 else None
