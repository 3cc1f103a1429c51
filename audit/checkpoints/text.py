"""Words out of an untrusted file, made fit for a one-line message."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(word: object, length: int = 60) -> str:
    """Printable ASCII, no line breaks or escapes, at most `length` characters, in quotes."""
    text = "".join(c if c.isascii() and c.isprintable() else "?" for c in str(word))
    return f'"{text[:length]}…"' if len(text) > length else f'"{text}"'


def listed(words: Iterable[object], most: int = 5) -> str:
    """The first few, quoted, and how many more."""
    every = [quoted(word) for word in words]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
