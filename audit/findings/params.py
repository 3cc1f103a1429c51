"""The parameters of a run as a finding states them: scalars only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from audit.results import Scalar

# A run plans a list, each level has one of it.
LEVEL_OF = {"epsilons": "epsilon", "severities": "severity", "levels": "level"}


def scalars(params: Mapping[str, Any]) -> dict[str, Scalar]:
    """Text, truth values and finite numbers; lists are spelt out by the levels and dropped."""
    return {name: _plain(value) for name, value in params.items() if _is_scalar(value)}


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | bool | int | float)


def _plain(value: Scalar) -> Scalar:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def level_params(variant: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The part of a variant that is a level (an ε), not a candidate of a search."""
    return {name: variant[name] for name in LEVEL_OF.values() if name in variant}


def planned_levels(params: Mapping[str, Any]) -> list[dict[str, Scalar]]:
    """The levels a run would have had, from its plan; one nameless level when it names none."""
    for plural, single in LEVEL_OF.items():
        values = params.get(plural)
        if isinstance(values, list | tuple) and values and all(map(_is_scalar, values)):
            return [{single: _plain(value)} for value in values]
    return [{}]
