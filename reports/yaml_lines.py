"""Reading YAML written by strangers: plain values only, and where each of them stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from audit.errors import HipauditError


def read_yaml(path: Path, largest: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping in a file, and the line of every "a.b.0" place in it.

    No aliases (a few lines of them expand to gigabytes), no tags, no duplicate keys, UTF-8,
    at most `largest` bytes. Raises HipauditError in one line.
    """
    text = _text(path, largest)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise HipauditError(
                f"{path.name} without YAML aliases", "an alias (*)", "Write the text out."
            )
        node = yaml.compose(text, yaml.SafeLoader)
        lines: dict[str, int] = {}
        _note_lines(node, "", lines, path.name)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "text that is not YAML"
        raise HipauditError(f"{path.name} in YAML", f"{where}{problem}") from error
    except (RecursionError, ValueError) as error:
        raise HipauditError(f"{path.name} in plain YAML", "a value that cannot be read") from error
    if raw is None:
        return {}, {}
    if not isinstance(raw, dict):
        raise HipauditError(f"{path.name} with named fields", f"a {type(raw).__name__}")
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


def _note_lines(node: yaml.Node | None, place: str, lines: dict[str, int], name: str) -> None:
    if node is None:
        return
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            word = str(key.value)
            line = key.start_mark.line + 1
            if word in seen:
                raise HipauditError(f"each field of {name} once", f'"{word}" again on line {line}')
            seen.add(word)
            inner = f"{place}.{word}" if place else word
            lines[inner] = line
            _note_lines(value, inner, lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note_lines(value, f"{place}.{number}", lines, name)
