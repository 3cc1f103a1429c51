"""Long text in a terminal: broken between words, tables left as they are."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

MOST = 100
_LEAD = re.compile(r" *(?:[a-z][a-z ]*: +)?")  # "  source: ", below which the text goes on


def fitted(text: str, width: int) -> str:
    """Paragraphs filled anew, other lines hung below their beginning.

    >>> print(fitted("  how:  one and two", 14))
      how:  one
            and
            two
    """
    return "\n\n".join(_filled(part, width) for part in text.split("\n\n"))


def for_stdout(text: str) -> str:
    """Fitted where a terminal is looking; a pipe gets whole lines, to be searched."""
    if not sys.stdout.isatty():
        return text
    return fitted(text, min(MOST, shutil.get_terminal_size().columns))


def _filled(part: str, width: int) -> str:
    lines = part.split("\n")
    if not any("  " in line or line.startswith(" ") for line in lines):
        lines = [" ".join(lines)]
    return "\n".join(_hung(line, width) for line in lines)


def _hung(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    lead = _LEAD.match(line)
    below = len(lead[0]) if lead and lead[0].startswith(" ") else 2
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * below,
        break_long_words=False,
        break_on_hyphens=False,
    )
