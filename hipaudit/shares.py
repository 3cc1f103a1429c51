"""Prevalences as people write them: 0.02, 2% or several of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.errors import HipauditError

MOST = 12


def read_shares(value: Any) -> tuple[float, ...]:
    """Different shares above 0 and below 1, by size, from "2%,0.05", a number or a list of these.

    Raises HipauditError for anything else.

    >>> read_shares("18%, 0.02")
    (0.02, 0.18)
    """
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    parts = list(value) if listed else str(value).split(",")
    found = [_share(part) for part in parts]
    good = [share for share in found if share is not None]
    if len(good) < len(found) or not 0 < len(set(good)) <= MOST:
        raise HipauditError(
            f'at most {MOST} shares above 0 and below 1 such as "0.02,0.1" or "2%,10%"',
            f'"{",".join(map(str, parts))}"',
            "Give the share of patients with the disease where the model is used: --prevalence 2%",
        )
    return tuple(sorted(set(good)))


def _share(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    text = str(value).strip()
    number = text.removesuffix("%").strip()
    try:
        share = float(number) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return share if 0 < share < 1 else None
