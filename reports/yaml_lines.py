"""Reading YAML written by strangers: plain text values only, and where each of them stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from audit.errors import HipauditError

DEEPEST = 20  # a card needs four levels; reading a line of opening brackets takes minutes
# Control characters, which XML and PDF refuse, and marks that turn the direction of what follows.
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")

# What the parser says, in words for people who do not program.
_SAID = {
    "'\\t'": "a tab",
    "mapping values are not allowed": 'a second ": " in a line, or fields out of line',
    "cannot start any token": "a sign that cannot begin a text",
    "expected alphabetic or numeric character": "a sign that cannot begin a text",
    "unexpected end of stream": "a quote or bracket that is never closed",
    "but got '<stream end>'": "a quote or bracket that is never closed",
    "expected <block end>": "fields out of line with those above",
    "found another document": "a second document (---)",
}
_QUOTES = "Indent with spaces, and put text with : # @ * & ! or % between quotes."


def read_yaml(path: Path, largest: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping in a file, and the line of every "a.b.0" place in it.

    Values are the text as written: 1.10 stays "1.10", a date stays a date. Blank ones are left
    out, under a name that may be wrong all the same. No aliases (a few lines of them expand to
    gigabytes), no tags, no deep nesting, no hidden characters, no field twice, UTF-8, at most
    `largest` bytes. Raises HipauditError in one line.
    """
    text = _text(path, largest)
    _refuse_hidden(text, 1, path.name)
    try:
        _refuse_what_grows(text, path.name)
        node = yaml.compose(text, yaml.SafeLoader)
        lines: dict[str, int] = {}
        raw = _plain(node, "", lines, path.name)
    except yaml.YAMLError as error:
        raise HipauditError(f"{path.name} in YAML", _told(error), _QUOTES) from error
    if raw is None:
        return {}, {}
    if not isinstance(raw, dict):
        kind = "a list" if isinstance(raw, list) else "text"
        raise HipauditError(
            f"{path.name} with named fields", kind, "Run hipaudit init for a template."
        )
    return raw, lines


def _text(path: Path, largest: int) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(largest + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HipauditError(
            f"to read {path.name}", reason, "Run hipaudit init for a template."
        ) from error
    if len(data) > largest:
        raise HipauditError(f"{path.name} of at most {largest // 1024} KiB", "a larger file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise HipauditError(
            f"{path.name} as UTF-8 text", f"bytes that are not on line {line}", "Save it as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _told(error: yaml.YAMLError) -> str:
    """Line and reason, without the parser's own words where there are plainer ones."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "text that is not YAML"
    plain = next((words for part, words in _SAID.items() if part in problem), problem)
    return f"line {mark.line + 1}: {plain}" if mark else plain


def _refuse_what_grows(text: str, name: str) -> None:
    """Aliases and tags, and nesting while it is read: the parser's time grows with its square."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise HipauditError(
                f"{name} without YAML aliases", f"one on line {line}", "Write the text out."
            )
        if getattr(event, "tag", None):
            fix = "Put text that begins with ! in quotes."
            raise HipauditError(f"{name} without YAML tags (!)", f"one on line {line}", fix)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise HipauditError(f"{name} in plain YAML", f"nesting too deep on line {line}")


def _refuse_hidden(text: str, line: int, name: str) -> None:
    if hidden := _HIDDEN.search(text):
        line += text.count("\n", 0, hidden.start())
        where = f"U+{ord(hidden[0]):04X} on line {line}"
        raise HipauditError(f"{name} without hidden characters", where, "Type that text anew.")


def _plain(node: yaml.Node | None, place: str, lines: dict[str, int], name: str) -> Any:
    """The value of a node as dict, list or text; None when it is blank."""
    if node is None:
        return None
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, lines, name)
    if isinstance(node, yaml.SequenceNode):
        return _sequence(node, place, lines, name)
    _refuse_hidden(node.value, node.start_mark.line + 1, name)
    blank = node.tag == "tag:yaml.org,2002:null" or not node.value.strip()
    return None if blank else node.value


def _sequence(node: yaml.SequenceNode, place: str, lines: dict[str, int], name: str) -> list[Any]:
    """Blank entries are left out and not counted, so that a place names what is still there."""
    found: list[Any] = []
    for value in node.value:
        inner = f"{place}.{len(found)}"
        lines[inner] = value.start_mark.line + 1
        plain = _plain(value, inner, lines, name)
        if plain is not None:
            found.append(plain)
    return found


def _mapping(
    node: yaml.MappingNode, place: str, lines: dict[str, int], name: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise HipauditError(f"names of fields in {name}", f"something else on line {line}")
        _refuse_hidden(key.value, line, name)
        word = key.value
        if word in seen:
            raise HipauditError(f"each field of {name} once", f'"{word}" again on line {line}')
        seen.add(word)
        inner = f"{place}.{word}" if place else word
        lines[inner] = line
        found[word] = _plain(value, inner, lines, name)
    return found
