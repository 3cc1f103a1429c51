"""What the terminal can show."""

from __future__ import annotations

import locale
import os
import shutil
import sys

from hipaudit.doctor.check import Check

SIGNS = "≥–ε·∞é"  # that tables, rules and names are written with
NARROW = 60


def check_encoding() -> Check:
    """Whether the signs of our tables can be written where they are printed."""
    found = getattr(sys.stdout, "encoding", None) or locale.getpreferredencoding(False)
    try:
        SIGNS.encode(found)
    except (UnicodeEncodeError, LookupError):
        fix = "export PYTHONUTF8=1 LC_ALL=C.UTF-8 (on Windows: set PYTHONUTF8=1)"
        return Check("warning", f"{found}: some signs of our tables cannot be written", fix)
    return Check("ok", found)


def check_terminal() -> Check:
    """Bars and colours are for terminals; a log gets lines."""
    if not sys.stdout.isatty():
        return Check("ok", "none: lines instead of bars, no colours")
    width = shutil.get_terminal_size().columns
    colours = "no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else "colours"
    if width < NARROW:
        return Check("warning", f"{width} columns wide", f"Widen the window to {NARROW} or more.")
    return Check("ok", f"{width} columns, {colours}")
