"""The language of a report: English stands in the code, other editions in message catalogues.

`_("{n} of {total} images").format(n=…, total=…)` wherever a fixed text is printed, `ngettext`
where a number decides the form, `N_` around a text that is looked up later. The catalogues are
gettext's: locale/LANGUAGE/*.po, a file per part of the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_args

Language = Literal["en", "nl"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_SPOKEN: ContextVar[Language] = ContextVar("language", default="en")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_PLACE = re.compile(r"#|{~?\w+}")
RECORDED = "recorded.po"  # texts of audit.json with words left open
LONGEST = 4000  # characters of a text that is compared with them
_POINT = re.compile(r"(?<![\w.])(\d*)\.(\d+)(?![\w.]|\.\d)")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Within it every text comes in `language`; one that has no translation stays English."""
    before = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def spoken() -> Language:
    return _SPOKEN.get()


def _(text: str) -> str:
    """The text in the language spoken."""
    return _catalogue(spoken()).get(text, (text,))[0] or text


def ngettext(one: str, many: str, n: int) -> str:
    """The form for n, which both languages choose alike: one for 1, many for all others."""
    forms = _catalogue(spoken()).get(one, (one, many))
    return forms[0 if n == 1 else -1]


def N_(text: str) -> str:  # noqa: N802  # gettext's own name
    """Marks a text that is translated where it is printed."""
    return text


def recorded(text: str) -> str:
    """A text of audit.json (a reason, a rule, a note) in the language spoken, else as recorded.

    Catalogues hold such texts with # in the place of each number: "# patients, too few". Those of
    recorded.po may also hold {name} for any other words, which stay as they are but for decimal
    signs, and {~name} for words that have a translation of their own, alone or as a list.
    """
    numbers = _NUMBER.findall(text)
    if told := _catalogue(spoken()).get(_NUMBER.sub("#", text), ("",))[0]:
        return _filled(told, numbers, {})
    for pattern, told in _patterns(spoken()) if len(text) <= LONGEST else ():
        if found := pattern.fullmatch(text):
            words = found.groupdict()
            numbers = [part for name, part in words.items() if name.startswith("number")]
            return _filled(told, numbers, words)
    return text


def _filled(told: str, numbers: Sequence[str], words: Mapping[str, str]) -> str:
    """`told` with what was found in the English text in the places of # and {name}."""
    left = iter(numbers)

    def part(place: re.Match[str]) -> str:
        if place[0] == "#":
            return decimal(next(left, "#"))
        name = place[0].strip("{~}")
        words_here = words.get(name, place[0])
        return _each(words_here) if place[0].startswith("{~") else decimal(words_here)

    return _PLACE.sub(part, told)


def _each(text: str) -> str:
    """A recorded text, or each of a list of them, in the language spoken."""
    told = recorded(text)
    if told != text:
        return told
    return "".join(map(recorded, re.split(r"(; |, )", text)))


def decimal(text: str) -> str:
    """Numbers in a text with the decimal sign of the language spoken.

    >>> with speaking("nl"):
    ...     decimal("75.4%"), decimal("−.018")
    ('75,4%', '−0,018')
    """
    if spoken() == "en":
        return text
    return _POINT.sub(lambda found: f"{found[1] or '0'},{found[2]}", text)


def _plain(forms: Any) -> tuple[str, ...]:
    """Babel gives a text, or a text per form of the plural."""
    return tuple(map(str, forms)) if isinstance(forms, list | tuple) else (str(forms or ""),)


@cache
def _catalogue(language: Language) -> Mapping[str, tuple[str, ...]]:
    """English -> translated forms. English itself needs none."""
    told: dict[str, tuple[str, ...]] = {}
    for part in _parts(language):
        told |= _messages(part, language)
    return told


@cache
def _patterns(language: Language) -> Sequence[tuple[re.Pattern[str], str]]:
    """An expression for each recorded text with words left open, and its translation."""
    return [
        (_expression(text), forms[0])
        for part in _parts(language)
        if part.name == RECORDED
        for text, forms in _messages(part, language).items()
        if "{" in text
    ]


def _expression(text: str) -> re.Pattern[str]:
    made, end = "", 0
    for number, place in enumerate(_PLACE.finditer(text)):
        made += re.escape(text[end : place.start()])
        name = place[0].strip("{~}")
        is_number = place[0] == "#"
        made += f"(?P<number{number}>{_NUMBER.pattern})" if is_number else f"(?P<{name}>.+?)"
        end = place.end()
    return re.compile(made + re.escape(text[end:]), re.DOTALL)


def _parts(language: Language) -> Sequence[Traversable]:
    if language == "en":
        return []
    return sorted(files("reports").joinpath("locale", language).iterdir(), key=str)


def _messages(part: Traversable, language: Language) -> dict[str, tuple[str, ...]]:
    from babel.messages.pofile import read_po

    with part.open("rb") as stream:
        return {
            _plain(message.id)[0]: forms
            for message in read_po(stream, locale=language)
            if message.id and all(forms := _plain(message.string))
        }
