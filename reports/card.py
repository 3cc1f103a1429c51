"""Reading card.yaml: what only people can say about the model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from audit.errors import HipauditError, did_you_mean
from reports.card_fields import Card, Identity, Performance, Purpose, Risk
from reports.card_template import TEMPLATE
from reports.wording import overclaims
from reports.yaml_lines import read_yaml

__all__ = [
    "TEMPLATE",
    "Card",
    "Identity",
    "Performance",
    "Purpose",
    "Risk",
    "card_overclaims",
    "load_card",
    "statements",
]

LARGEST = 256 * 1024
# What pydantic finds wrong, in words for people who do not program.
SAID = {
    "string_type": "text is wanted here, not a list or named fields",
    "model_type": "named fields are wanted here, indented below it",
    "model_attributes_type": "named fields are wanted here, indented below it",
    "list_type": 'a list is wanted here: a line that begins with "-" for each',
    "bool_parsing": "yes or no is wanted here",
    "bool_type": "yes or no is wanted here",
    "string_too_long": "a text of at most {max_length} characters is wanted here",
    "string_unicode": "text is wanted here, without broken characters",
    "too_long": "at most {max_length} entries are wanted here, not {actual_length}",
    "float_parsing": "a number is wanted here, such as 0.05 for 5%",
    "float_type": "a number is wanted here, such as 0.05 for 5%",
    "less_than": "a number below {lt:g} is wanted here, such as 0.05 for 5%",
    "greater_than": "a number above {gt:g} is wanted here, such as 0.05 for 5%",
    "literal_error": "{expected} is wanted here",
}


def load_card(path: Path) -> Card:
    """Read card.yaml. Raises HipauditError in one line, with the line number of the fault."""
    raw, lines = read_yaml(path, LARGEST)
    try:
        return Card.model_validate(raw)
    except ValidationError as error:
        raise _refusal(path.name, lines, error.errors()) from error


def _refusal(name: str, lines: Mapping[str, int], errors: list[ErrorDetails]) -> HipauditError:
    """The first fault in one line, and how many more there are."""
    first = errors[0]
    place = ".".join(str(part) for part in first["loc"])
    line = _line(lines, place)
    more = f"({len(errors) - 1} more after it.)" if len(errors) > 1 else ""
    if first["type"] == "extra_forbidden":
        word = str(first["loc"][-1])[:60]
        fix = did_you_mean(word, _fields_at(first["loc"][:-1]))
        return HipauditError(f"a field of {name}", f'"{word}" on line {line}', f"{fix} {more}")
    plain = SAID.get(first["type"], "").format(**first.get("ctx", {}))
    reason = plain or first["msg"].removeprefix("Value error, ")
    known = _known(first)
    fix = did_you_mean(str(first["input"])[:60], known) if known else ""
    return HipauditError(
        f"a valid {place} in {name}", f"on line {line}: {reason.rstrip('.')}", f"{fix} {more}"
    )


def _known(error: ErrorDetails) -> list[str]:
    """The words that a place takes, where it does not take any."""
    if error["type"] == "unknown_mode":
        return list(error["ctx"]["known"])
    return re.findall(r"'([^']*)'", error["msg"]) if error["type"] == "literal_error" else []


def _line(lines: Mapping[str, int], place: str) -> int:
    """The line of a place, or of the nearest enclosing place that has one."""
    while place and place not in lines:
        place = place.rpartition(".")[0]
    return lines.get(place, 1)


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Card
    for part in location:
        if part == "risks":
            model = Risk
        elif isinstance(part, str):
            found = model.model_fields[part].annotation
            model = found if isinstance(found, type) and issubclass(found, BaseModel) else model
    return list(model.model_fields)


def statements(card: Card) -> Iterator[tuple[str, str]]:
    """("purpose.users", "…") for every text somebody wrote."""
    yield from _walk("", card.model_dump())


def _walk(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walk(f"{place}.{name}" if place else name, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(f"{place}.{number}", inner)


def card_overclaims(card: Card) -> list[tuple[str, str]]:
    """(place of the field, word) for each word the evidence cannot carry."""
    return [(place, word) for place, text in statements(card) for word in overclaims(text)]
