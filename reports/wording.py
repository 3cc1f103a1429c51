"""The words the report may not use, and the sentence every page carries."""

from __future__ import annotations

import re
import unicodedata

from reports.language import N_, _

FOOTER = N_(
    "Evidence from one data set on one date. "
    "Not certification, conformity assessment, DPIA, FRIA or legal advice."
)
NOT_SUPPLIED = N_("NOT SUPPLIED")

_ENGLISH = r"\b(?:safe|compliant|certified|unbiased|fair|trustworthy|guarantee[sd]?)\b"
_DUTCH = (
    r"\b(?:veilige?|conform|gecertificeerde?|onbevooroordeelde?|eerlijke?|betrouwbaar|betrouwbare"
    r"|gegarandeerde?|garandeert|garanderen)\b"
)
_ROBUST = (
    r"\brobust\b(?! (?:accuracy|sensitivity|specificity)\b)"
    r"|\brobuuste?\b(?! (?:nauwkeurigheid|sensitiviteit|specificiteit)\b)"
)
_BANNED = re.compile(f"{_ENGLISH}|{_DUTCH}|{_ROBUST}", re.IGNORECASE)
# A board-certified reader is a fact about a person, not a claim about the model.
_FACTS = re.compile(r"\bboard[- ]certified\b", re.IGNORECASE)
# Marks inside a word that print as nothing: soft hyphens, joiners, spaces of no width.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060]")

# How clauses are named in the outline: the longest first, so that "AIA Annex" is no "AIA".
_CLAUSES = (
    N_("AIA Annex"), N_("AIA Art"), N_("MDR Annex"), N_("MDR Art"), N_("GDPR Art"),
    N_("EHDS Art"), N_("AIA"), N_("GDPR"),
)  # fmt: skip


def overclaims(text: str) -> list[str]:
    """The banned words in a text, English or Dutch, in order: what no audit of one data set can
    establish.

    >>> overclaims("A robust and safe model; robust accuracy was 0.61; een veilig model")
    ['robust', 'safe', 'veilig']
    """
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return [found.group(0) for found in _BANNED.finditer(_FACTS.sub("", seen))]


def clause(name: str) -> str:
    """A clause of the outline as the language spoken names it: "GDPR Art 22" or "AVG art. 22"."""
    for begin in _CLAUSES:
        if name.startswith(f"{begin} "):
            return _(begin) + name.removeprefix(begin).replace(" rule ", f" {_('rule')} ")
    return name
