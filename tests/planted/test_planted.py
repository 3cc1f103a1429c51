"""An audit of the audit: each planted flaw is named, and what is sound is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.planted.catalogue import THEMES
from tests.planted.planting import Flaw, Outcome, Sound, alarms
from tests.planted.sound import SOUND

Tell = Callable[[str, Flaw | Sound, Outcome], None]


def broken(error: Exception) -> Outcome:
    """An audit that breaks off has named nothing."""
    return Outcome(False, f"the audit failed: {type(error).__name__}: {error}"[:200])


def _marked(row: Flaw | Sound, *values: object) -> object:
    marks = [pytest.mark.slow] if row.slow else []
    if row.missing:
        marks.append(pytest.mark.xfail(strict=True, reason=row.missing))
    return pytest.param(*values, row, id=row.name, marks=marks)


@pytest.mark.parametrize(
    ("theme", "flaw"), [_marked(flaw, theme) for theme, rows in THEMES.items() for flaw in rows]
)
def test_the_audit_names_what_was_planted(theme: str, flaw: Flaw, tell: Tell, tmp_path: Path):
    try:
        outcome = flaw.check(flaw.audit(tmp_path), tmp_path)
    except Exception as error:
        tell(theme, flaw, broken(error))
        raise
    tell(theme, flaw, outcome)
    assert outcome.found, f"{flaw.by}: said {outcome.said}; theory {outcome.theory or 'has none'}"


@pytest.mark.parametrize("sound", [_marked(sound) for sound in SOUND])
def test_the_audit_leaves_a_sound_model_alone(sound: Sound, tell: Tell, tmp_path: Path):
    try:
        raised = alarms(sound.audit(tmp_path))
    except Exception as error:
        tell("Sound", sound, broken(error))
        raise
    tell("Sound", sound, Outcome(not raised, "; ".join(raised) or "none"))
    assert raised == []


def test_there_are_enough_rows_and_no_name_twice():
    names = [flaw.name for rows in THEMES.values() for flaw in rows]
    assert len(names) >= 30
    assert len(SOUND) >= 8
    assert len(set(names)) == len(names)
