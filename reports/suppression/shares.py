"""The baselines for drift: shares that times the number of cases are counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.suppression.counts import any_small
from reports.suppression.data import gathered


def baselines_without(
    details: Mapping[str, Any], attributes: Mapping[str, Mapping[str, int]], below: int
) -> dict[str, Any]:
    """Details of the probe drift_baselines with values of few cases as one, as the description of
    the data has them, and without shares of few. `attributes`: counts of that description."""
    cases = details.get("cases", 0)
    told = {name: _without(value, cases, below) for name, value in details.items()}
    shares = details.get("attributes", {})
    return told | {
        "attributes": {
            name: _gathered(values, sum(attributes.get(name, {}).values()) or cases, below)
            for name, values in shares.items()
        }
    }


def _without(value: Any, cases: int, below: int) -> Any:
    """A share, and those beside it in a mapping with a number of cases of its own."""
    if isinstance(value, float):
        count = round(value * cases)
        return None if any_small((count, cases - count), below) else value
    if isinstance(value, Mapping) and "quantiles" not in value:
        own = value.get("cases", cases)
        return {name: _without(inner, own, below) for name, inner in value.items()}
    return value


def _gathered(shares: Mapping[str, float], total: int, below: int) -> dict[str, float]:
    counts = {word: round(share * total) for word, share in shares.items()}
    kept = gathered(counts, total, below)
    return {word: shares.get(word, round(n / total, 6)) for word, n in kept.items()}
