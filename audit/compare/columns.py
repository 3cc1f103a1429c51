"""The columns of predictions.csv, and how a cell is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.errors import DamagedFile
from audit.export import plain_text
from audit.results import Results, Scalar, as_levels

WHO = ("case", "patient", "label", "run", "stress", "defence", "variant")
SAID = ("decided", "p_positive", "log_odds")
FLAGS = ("referred", "success", "success_8bit", "queries", "found")
ATTRIBUTE = "attribute_"
AGAIN = "Run the audit again to write the file anew."


@dataclass(frozen=True)
class Layout:
    """Where things stand in a row of `width` cells. `attributes`: their names, in order."""

    width: int
    logits: slice
    flags: int
    attributes: tuple[str, ...]
    first_attribute: int


def read_header(header: Sequence[str], results: Results) -> Layout:
    """The layout that a header announces. Raises DamagedFile when it is not this audit's."""
    classes = [plain_text(f"logit_{name}") for name in results.model.classes]
    fixed = [*WHO, *SAID, *classes, *FLAGS]
    for place, name in enumerate(fixed):
        found = header[place] if place < len(header) else ""
        if found != name:
            raise damaged(1, f'column {place + 1} called "{name}"', f'"{found[:40]}"')
    rest = list(header[len(fixed) :])
    if results.data.synthetic and rest[-1:] == ["synthetic"]:
        rest.pop()
    for name in rest:
        if not name.startswith(ATTRIBUTE):
            raise damaged(1, "columns of attributes after the others", f'"{name[:40]}"')
    if len(set(rest)) < len(rest):
        raise damaged(1, "an attribute once", "one that stands there twice")
    first = len(WHO) + len(SAID)
    return Layout(
        width=len(header),
        logits=slice(first, first + len(classes)),
        flags=first + len(classes),
        attributes=tuple(name.removeprefix(ATTRIBUTE) for name in rest),
        first_attribute=len(fixed),
    )


def as_it_was(text: str) -> str:
    """A cell without the apostrophe that kept it from being a formula.

    >>> as_it_was("'=1+1"), as_it_was("'quoted'"), as_it_was("lateral")
    ('=1+1', "'quoted'", 'lateral')
    """
    return text[1:] if text.startswith("'") and plain_text(text[1:]) == text else text


def read_variant(text: str, params: Mapping[str, Any]) -> dict[str, Scalar]:
    """What distinguishes a row within its run; amounts as the run planned them.

    >>> read_variant("epsilon=2/255 draw=3", {"epsilons": [2 / 255]}) == {
    ...     "epsilon": 2 / 255, "draw": 3}
    True
    """
    pairs = [part.partition("=") for part in text.split(" ")] if text else []
    planned = {as_levels(value): value for value in _numbers(params)}
    return {name: _scalar(name, value, planned) for name, _, value in pairs}


def _scalar(name: str, text: str, planned: Mapping[str, float]) -> Scalar:
    if name == "epsilon" and text in planned:
        return planned[text]
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _numbers(params: Mapping[str, Any]) -> list[float]:
    several = [v if isinstance(v, list | tuple) else [v] for v in params.values()]
    return [v for values in several for v in values if isinstance(v, float)]


def damaged(line: int, expected: str, found: str) -> DamagedFile:
    return DamagedFile(f"predictions.csv, line {line}: {expected}", found, AGAIN)
