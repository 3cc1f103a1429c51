"""A defence is a function Classifier -> Classifier; this is the table of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from audit.classifier import Classifier
from audit.errors import HipauditError, did_you_mean
from audit.registering import chosen, import_all

Harden = Callable[..., Classifier]


@dataclass(frozen=True)
class Defence:
    """`cost(params)`: forwards per image of the hardened classifier, relative to the plain one.

    `trained`: made beforehand from images of their own, which `images` names on the command line;
    an audit is given the result.
    """

    name: str
    harden: Harden
    cost: Callable[[dict[str, Any]], float]
    trained: bool = False
    images: str = "--train-data"

    @property
    def defaults(self) -> dict[str, Any]:
        found = inspect.signature(self.harden).parameters.values()
        return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}

    def check(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults overlaid with `params`; an unknown name or kind is a HipauditError."""
        known = self.defaults
        for name, value in params.items():
            if name not in known:
                hint = did_you_mean(name, list(known)) or "It has none."
                raise HipauditError(f"a parameter of {self.name}", f'"{name}"', hint)
            _check_kind(name, value, known[name])
        return {**known, **params}

    def looks(self, params: Mapping[str, Any] | None = None) -> float:
        """Forwards per image of the hardened classifier, with `params` set."""
        return self.cost(self.check(params or {}))


def _check_kind(name: str, value: Any, default: Any) -> None:
    """HipauditError unless `value` is of the kind of `default`: a slip must not end in a traceback.

    None stands for what only code can make.
    """
    truth, plain = isinstance(value, bool), isinstance(value, str | int | float | tuple | list)
    if default is None:
        fits, kind = not plain, "what training images set"
    elif isinstance(default, bool):
        fits, kind = truth, "true or false"
    else:
        fits = isinstance(value, int | float) and not truth and math.isfinite(value)
        kind = "a number"
    if not fits:
        raise HipauditError(f"`{name}` to be {kind}", f"{value!r}", "See: hipaudit list defences.")


DEFENCES: dict[str, Defence] = {}


def defence(
    name: str,
    *,
    cost: Callable[[dict[str, Any]], float] = lambda _: 1.0,
    trained: bool = False,
    images: str = "--train-data",
) -> Callable[[Harden], Harden]:
    """Register `harden(classifier, *, ...) -> Classifier`. The given classifier is not changed."""

    def register(harden: Harden) -> Harden:
        DEFENCES[name] = Defence(name, harden, cost, trained, images)
        return harden

    return register


def load_defences() -> dict[str, Defence]:
    import audit.defences as package

    import_all(package)
    return DEFENCES


def get_defence(name: str) -> Defence:
    return chosen("defence", name, load_defences())


def looks(name: str, params: Mapping[str, Any] | None = None) -> float:
    """Forwards per image under a defence, by its name, with `params` set; 1 under "none"."""
    return 1.0 if name == "none" else get_defence(name).looks(params)


def under_defence(
    classifier: Classifier,
    name: str,
    hardened: Mapping[str, Classifier],
    params: Mapping[str, Any] | None = None,
) -> Classifier:
    """The classifier under a defence, by its name, with `params` set.

    `hardened` has those that were made beforehand; they are as they were made. What a defence
    is set to stands in the notes of its description, so `audit.fingerprint.model_digest`
    differs with it. Raises HipauditError for a parameter it does not have or a value it refuses.
    """
    if name == "none":
        return classifier
    if name in hardened:
        return hardened[name]
    found = get_defence(name)
    return found.harden(classifier, **found.check(params or {}))


def check_trained(names: Iterable[str], given: Collection[str]) -> None:
    """HipauditError for a defence that has to be trained first and was not `given`."""
    for name in names:
        if name != "none" and get_defence(name).trained and name not in given:
            raise untrained(name)


def untrained(name: str) -> HipauditError:
    return HipauditError(
        f'images to train the defence "{name}" on',
        "none",
        f"Add {get_defence(name).images} PATH.",
    )
