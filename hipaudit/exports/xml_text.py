"""Text of others as XML 1.0 can hold it."""

from __future__ import annotations

import re

# XML 1.0, production 2 (Char): what it leaves out cannot be written, not even escaped.
_NO_CHAR = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Without the characters that XML 1.0 has no place for.

    >>> xml_text("n = 4\\x00\\ufffe <&>")
    'n = 4 <&>'
    """
    return _NO_CHAR.sub("", text)
