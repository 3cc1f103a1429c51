"""The files `hipaudit init` writes: comments to read, blanks to fill, nothing decided."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from pydantic import BaseModel

CARD_HEAD = """\
# What only people can say about the model, for the report. Leave blank what is not known: the
# report prints NOT SUPPLIED. "none" is not accepted for bias and limitations: say what was
# looked for and found. Behind each field: who asks for it.
"""
SECTION_RISKS = """\
risks: []
# risks:                      # one entry per failure mode (ISO 14971)
#   - failure_mode: missed displaced fracture on a lateral view
#     severity:
#     detectability:
#     control:
#     residual:
#     owner:
"""


def starters() -> dict[str, str]:
    """File name to text."""
    folder = files("hipaudit").joinpath("starters")
    return {
        "hipaudit.toml": folder.joinpath("hipaudit.toml").read_text(encoding="utf-8"),
        "model.yaml": folder.joinpath("model.yaml").read_text(encoding="utf-8"),
        "card.yaml": card_text(),
    }


def card_text() -> str:
    """card.yaml with every field of the report's card, blank, in the order of its sections."""
    from reports.card import Card

    return CARD_HEAD + "\n" + "".join(_fields(Card, "", 0, _questions()))


def _questions() -> dict[str, str]:
    """Place in the card to what is asked there, and by whom."""
    from reports.outline import outline

    rows = [row for section in outline() for row in section.rows if row.source == "H"]
    return {row.value: f"{row.label}. {'; '.join(row.asked)}" for row in rows}


def _fields(
    model: type[BaseModel], place: str, depth: int, questions: dict[str, str]
) -> Iterator[str]:
    indent = "  " * depth
    for name, field in model.model_fields.items():
        here = f"{place}.{name}" if place else name
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield ("\n" if depth == 0 else "") + f"{indent}{name}:\n"
            yield from _fields(inner, here, depth + 1, questions)
        elif name == "risks":
            yield "\n" + SECTION_RISKS
        else:
            blank = "[]" if isinstance(field.default, list) else ""
            question = f"  # {questions[here]}" if here in questions else ""
            yield f"{indent}{name}: {blank}".rstrip() + question + "\n"
