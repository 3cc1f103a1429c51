"""--set NAME.PARAMETER=VALUE: what is set of a stress or a defence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from audit.errors import HipauditError

Triple = tuple[str, str, Any]
Given = Iterable[Triple] | Mapping[str, Mapping[str, Any]]
WORDS = {"true": True, "false": False}


def read_setting(text: str) -> Triple:
    """ "blur.sigma=2" as its three parts. Raises HipauditError where it is none.

    >>> read_setting("pgd.steps=40"), read_setting("fgsm.epsilons=1/255,0.5")[2][1]
    (('pgd', 'steps', 40), 0.5)
    """
    place, equals, value = text.partition("=")
    name, dot, parameter = place.strip().partition(".")
    if not (equals and dot and name and parameter and value.strip()):
        raise HipauditError("NAME.PARAMETER=VALUE", f'"{text}"', "Type --set blur.sigma=2.")
    parts = [_value(part) for part in value.split(",")]
    return name, parameter, parts[0] if len(parts) == 1 else tuple(parts)


def as_params(given: Given) -> dict[str, dict[str, Any]]:
    """Triples of the command line, or a mapping of mappings, as options take them.

    Raises HipauditError for a parameter that is set twice.
    """
    if isinstance(given, Mapping):
        return {name: dict(params) for name, params in given.items()}
    found: dict[str, dict[str, Any]] = {}
    for name, parameter, value in given:
        if parameter in found.setdefault(name, {}):
            raise HipauditError(f"one --set {name}.{parameter}", "two", "Leave one of them out.")
        found[name][parameter] = value
    return found


def as_words(given: Given) -> list[str]:
    """The same as they are typed: ["blur.sigma=2"]."""
    params = as_params(given)
    return [f"{n}.{p}={_text(v)}" for n, found in params.items() for p, v in found.items()]


def _value(text: str) -> Any:
    """A whole number, a number or fraction, true or false, else the word."""
    from audit.gate.rules import amount

    word = text.strip()
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    try:
        return int(word)
    except ValueError:
        number = amount(word)
        return word if number is None else number


def _text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(_text(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
