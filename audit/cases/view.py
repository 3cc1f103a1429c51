"""The projection of a radiograph, from what the acquisition system wrote about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

FRONTAL, LATERAL, OBLIQUE, UNKNOWN = "frontal", "lateral", "oblique", "unknown"

# Defined terms of ViewPosition (0018,5101) and their spellings in tables and descriptions.
POSITIONS = {
    **dict.fromkeys(
        ("ap", "pa", "frontal", "front", "anteroposterior", "posteroanterior"), FRONTAL
    ),
    **dict.fromkeys(("ll", "rl", "lat", "lateral", "lateraal", "latlat", "ml", "lm"), LATERAL),
    **dict.fromkeys(("llo", "rlo", "lao", "rao", "lpo", "rpo", "obl", "obli", "oblique"), OBLIQUE),
}
# Words of free descriptions: two-letter codes other than AP and PA mean too many things there.
WORDS = {word: view for word, view in POSITIONS.items() if word in ("ap", "pa") or len(word) > 2}

# DICOM PS3.16 CID 4010 "DX View", in SNOMED CT and in the SNOMED-RT codes of older files.
_FRONTAL_CODES = "399348003 272479007 399033003 R-10206 R-10214 R-40888 R-10202"
_LATERAL_CODES = (
    "399067008 399173006 399198007 399352003 399260004 30730003 "
    "R-102CD R-10236 R-10232 R-10228 R-10224 G-A145"
)
_OBLIQUE_CODES = (
    "399312000 399160007 260427002 399099002 399135007 399184004 399006002 260426006 399368009 "
    "399182000 399059000 399356000 399236003 399038007 R-10208 R-10204 R-40783 R-10230 R-10220 "
    "R-10238 R-10212 R-40782 R-10226 R-102C1 R-10216 R-40985 R-10234 R-10210"
)
CODES = {
    **dict.fromkeys(_FRONTAL_CODES.split(), FRONTAL),
    **dict.fromkeys(_LATERAL_CODES.split(), LATERAL),
    **dict.fromkeys(_OBLIQUE_CODES.split(), OBLIQUE),
}


def derive_view(
    position: str, code: str, orientation: Sequence[str], words: Sequence[str]
) -> tuple[str, bool]:
    """(view, conflict) from ViewPosition, a ViewCodeSequence code, PatientOrientation and text.

    The first source that knows decides; sources that disagree make it unknown with
    conflict = True. Source: DICOM PS3.3 C.8.1.2, C.8.11.5, C.7.6.1.1.1; PS3.16 CID 4010.
    """
    sources = (
        POSITIONS.get(position.strip().lower()),
        CODES.get(code.strip()),
        _from_orientation(orientation),
        _from_words(words),
    )
    found = [view for view in sources if view]
    if len(set(found)) > 1:
        return UNKNOWN, True
    return (found[0] if found else UNKNOWN), False


def known_view(text: str) -> str:
    """A view as a table gives it: AP and PA are frontal, LL and LAT lateral, others as written."""
    return POSITIONS.get(re.sub(r"[^a-z]", "", text.lower()), text)


def _from_orientation(orientation: Sequence[str]) -> str | None:
    """Row and column direction as body axes: (L, F) spans a frontal plane, (A, F) a lateral one."""
    if len(orientation) != 2:
        return None
    axes = {"L": "side", "R": "side", "A": "depth", "P": "depth", "H": "height", "F": "height"}
    plane = {axes.get(part.strip().upper()[:1]) for part in orientation}
    return {"side": FRONTAL, "depth": LATERAL}.get(
        next((str(axis) for axis in plane - {"height"}), "") if "height" in plane else ""
    )


def _from_words(texts: Sequence[str]) -> str | None:
    tokens = {token for text in texts for token in re.split(r"[^a-z]+", text.lower())}
    views = {WORDS[token] for token in tokens if token in WORDS}
    return views.pop() if len(views) == 1 else None
