"""The words the report may not use, and the sentence every page carries."""

from __future__ import annotations

import re

FOOTER = (
    "Evidence from one data set on one date. "
    "Not certification, conformity assessment, DPIA, FRIA or legal advice."
)
NOT_SUPPLIED = "NOT SUPPLIED"

_BANNED = re.compile(
    r"\b(?:safe|compliant|certified|unbiased|fair|trustworthy|guarantee[sd]?)\b"
    r"|\brobust\b(?! (?:accuracy|sensitivity|specificity)\b)",
    re.IGNORECASE,
)
# A board-certified reader is a fact about a person, not a claim about the model.
_FACTS = re.compile(r"\bboard[- ]certified\b", re.IGNORECASE)


def overclaims(text: str) -> list[str]:
    """The banned words in a text, in order: what no audit of one data set can establish.

    >>> overclaims("A robust and safe model; robust accuracy was 0.61")
    ['robust', 'safe']
    """
    return [found.group(0) for found in _BANNED.finditer(_FACTS.sub("", text))]
