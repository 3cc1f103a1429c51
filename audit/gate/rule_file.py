"""Reading a rule file: every mistake in it is one line that names the line it is on."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from audit.errors import DamagedFile, HipauditError, did_you_mean
from audit.gate.rules import DataSettings, Gate, GateRules, Rule, Waiver

LARGEST = 1 << 20  # bytes; a rule file is a few kilobytes
PLACES: dict[tuple[str, ...], type[BaseModel]] = {
    (): GateRules,
    ("data",): DataSettings,
    ("gate",): Gate,
    ("gate", "rule"): Rule,
    ("gate", "waiver"): Waiver,
}
OURS = ("sha256", "name", "lines")  # filled in here, not by a site


def load_rules(path: Path | str) -> GateRules:
    """Read `hipaudit.toml`, or `[tool.hipaudit]` of a pyproject.toml.

    Raises HipauditError, with the line number, for what is not TOML, an unknown key, a wrong
    type or a rule that asks nothing.
    """
    path = Path(path)
    raw = _bytes(path)
    try:
        text = raw.decode("utf-8-sig")  # Windows' editor writes a mark before the text
    except UnicodeDecodeError as error:
        raise DamagedFile(f"UTF-8 text in {path.name}", "other bytes") from error
    try:
        table = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise DamagedFile(f"TOML in {path.name}", f"{error}") from error
    except (RecursionError, ValueError) as error:  # lists in lists in lists, endless numbers
        raise DamagedFile(f"TOML in {path.name}", "what cannot be read") from error
    digest = hashlib.sha256(raw).hexdigest()
    prefix = ""
    if path.name == "pyproject.toml":
        tools, prefix = table.get("tool"), "tool.hipaudit."
        ours = tools.get("hipaudit") if isinstance(tools, dict) else None
        if not ours or not isinstance(ours, dict):
            raise HipauditError(
                "a [tool.hipaudit] table in pyproject.toml", "none", "Run: hipaudit init"
            )
        table = ours
        canonical = json.dumps(table, sort_keys=True, default=str)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
    return _checked(table, text, prefix, path.name, digest)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise HipauditError("a rule file", f"no file named {path.name}", "Run: hipaudit init")
    if path.stat().st_size > LARGEST:
        raise DamagedFile("a rule file under 1 MB", f"{path.stat().st_size} bytes in {path.name}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise HipauditError(f"to read {path.name}", error.strerror or "an error") from error


def _checked(table: dict[str, Any], text: str, prefix: str, name: str, digest: str) -> GateRules:
    for key in OURS:
        if key in table:
            raise HipauditError(f"a key of {name}", f'"{key}"', did_you_mean(key, _keys(())))
    try:
        rules = GateRules.model_validate(table, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _explained(error, text, prefix, name) from error
    starts = _headers(text, f"{prefix}gate.rule")
    if len(starts) != len(rules.rules):  # written in another way, or named inside a text
        starts = []
    lines = dict(zip((rule.id for rule in rules.rules), starts, strict=False))
    return rules.model_copy(update={"sha256": digest, "name": name, "lines": lines})


def _explained(error: ValidationError, text: str, prefix: str, name: str) -> HipauditError:
    first = error.errors()[0]
    loc = first["loc"]
    place = tuple(str(part) for part in loc if isinstance(part, str))
    where = f"{name}, line {_line(text, prefix, loc)}"
    if first["type"] == "extra_forbidden":
        known = _keys(place[:-1])
        table = ".".join(place[:-1]) or "the file"
        return HipauditError(
            f"a known key in {table} ({where})", f'"{place[-1]}"', did_you_mean(place[-1], known)
        )
    key = ".".join(place) or "the file"
    if first["type"] == "missing":
        fix = "Write: schema = 1" if place == ("schema",) else ""
        return HipauditError(f'the key "{place[-1]}" ({where})', "none", fix)
    problem = first["msg"].removeprefix("Value error, ")
    given = "" if isinstance(first["input"], dict) else f" (found {first['input']!r:.60})"
    return HipauditError(f"a valid {key} ({where})", f"this problem: {problem}{given}")


def _keys(place: tuple[str, ...]) -> list[str]:
    model = PLACES.get(place)
    if model is None:
        return []
    fields = model.model_fields.items()
    return [field.alias or name for name, field in fields if name not in OURS]


def _headers(text: str, table: str) -> list[int]:
    """Line numbers (from 1) of every `[[table]]`."""
    header = re.compile(rf"\s*\[\[?\s*{re.escape(table)}\s*\]\]?")
    lines = enumerate(text.splitlines(), start=1)
    return [number for number, line in lines if header.match(line)]


def _line(text: str, prefix: str, loc: tuple[int | str, ...]) -> int:
    """The line of the key a complaint is about; of its table when the key is not there."""
    words = [part for part in loc if isinstance(part, str)]
    index = next((part for part in loc if isinstance(part, int)), 0)
    lines = text.splitlines()
    for depth in range(len(words), 0, -1):
        starts = _headers(text, prefix + ".".join(words[:depth]))
        if starts:
            start = starts[min(index, len(starts) - 1)]
            return _key_line(lines, start, words[depth] if depth < len(words) else None)
    return _key_line(lines, 0, words[0] if words else None)


def _key_line(lines: list[str], start: int, key: str | None) -> int:
    if key is None:
        return max(start, 1)
    for number in range(start, len(lines)):
        if number > start and re.match(r"\s*\[", lines[number]):
            break
        if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", lines[number]):
            return number + 1
    return max(start, 1)
