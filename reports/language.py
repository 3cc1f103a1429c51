"""The language of a report: English stands in the code, other editions in message catalogues.

`_("{n} of {total} images").format(n=…, total=…)` wherever a fixed text is printed, `ngettext`
where a number decides the form, `N_` around a text that is looked up later. The catalogues are
gettext's: locale/LANGUAGE/*.po, a file per part of the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

Language = Literal["en", "nl"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_SPOKEN: ContextVar[Language] = ContextVar("language", default="en")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
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

    Catalogues hold such texts with # in the place of each number: "# patients, too few".
    """
    shape = _NUMBER.sub("#", text)
    told = _catalogue(spoken()).get(shape, ("",))[0]
    numbers = iter(_NUMBER.findall(text))
    return re.sub("#", lambda _match: decimal(next(numbers, "#")), told) if told else text


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
    if language == "en":
        return {}
    from babel.messages.pofile import read_po

    told: dict[str, tuple[str, ...]] = {}
    for part in sorted(files("reports").joinpath("locale", language).iterdir(), key=str):
        with part.open("rb") as stream:
            for message in read_po(stream, locale=language):
                name, forms = _plain(message.id)[0], _plain(message.string)
                if name and all(forms):
                    told[name] = forms
    return told
