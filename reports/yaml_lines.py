"""Reading YAML written by strangers: plain text values only, and where each of them stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from audit.errors import HipauditError

# Control characters, which XML and PDF refuse, and marks that turn the direction of what follows.
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


def read_yaml(path: Path, largest: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping in a file, and the line of every "a.b.0" place in it.

    Values are the text as written: 1.10 stays "1.10", a date stays a date. Blank ones are left
    out. No aliases (a few lines of them expand to gigabytes), no tags, no hidden characters, no
    field twice, UTF-8, at most `largest` bytes. Raises HipauditError in one line.
    """
    text = _text(path, largest)
    try:
        _refuse_aliases_and_tags(text, path.name)
        node = yaml.compose(text, yaml.SafeLoader)
        lines: dict[str, int] = {}
        raw = _plain(node, "", lines, path.name)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "text that is not YAML"
        raise HipauditError(f"{path.name} in YAML", f"{where}{problem}") from error
    except RecursionError as error:
        raise HipauditError(f"{path.name} in plain YAML", "brackets nested too deeply") from error
    if raw is None:
        return {}, {}
    if not isinstance(raw, dict):
        kind = "a list" if isinstance(raw, list) else "text"
        raise HipauditError(f"{path.name} with named fields", kind)
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
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HipauditError(
            f"{path.name} as UTF-8 text", "bytes that are not", "Save it as UTF-8."
        ) from error


def _refuse_aliases_and_tags(text: str, name: str) -> None:
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise HipauditError(
                f"{name} without YAML aliases", f"one on line {line}", "Write the text out."
            )
        if getattr(event, "tag", None):
            raise HipauditError(f"{name} without YAML tags (!)", f"one on line {line}")


def _refuse_hidden(node: yaml.Node, name: str) -> None:
    if hidden := _HIDDEN.search(node.value):
        where = f"U+{ord(hidden[0]):04X} on line {node.start_mark.line + 1}"
        raise HipauditError(f"{name} without hidden characters", where, "Type that text anew.")


def _plain(node: yaml.Node | None, place: str, lines: dict[str, int], name: str) -> Any:
    """The value of a node as dict, list or text; None when it is blank."""
    if node is None:
        return None
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, lines, name)
    if isinstance(node, yaml.SequenceNode):
        found = [_plain(v, f"{place}.{i}", lines, name) for i, v in enumerate(node.value)]
        return [value for value in found if value is not None]
    _refuse_hidden(node, name)
    blank = node.tag == "tag:yaml.org,2002:null" or not node.value.strip()
    return None if blank else node.value


def _mapping(
    node: yaml.MappingNode, place: str, lines: dict[str, int], name: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise HipauditError(f"names of fields in {name}", f"something else on line {line}")
        _refuse_hidden(key, name)
        word = key.value
        if word in seen:
            raise HipauditError(f"each field of {name} once", f'"{word}" again on line {line}')
        seen.add(word)
        inner = f"{place}.{word}" if place else word
        lines[inner] = line
        plain = _plain(value, inner, lines, name)
        if plain is not None:
            found[word] = plain
    return found
