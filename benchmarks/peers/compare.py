"""From timed arms to what is reported about a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers.arithmetic import (
    gradient_floor,
    mcnemar,
    no_worse,
    of_floor,
    per,
    ratios,
    search_floor,
    spread,
)
from benchmarks.peers.arm import Timed
from benchmarks.peers.plan import RADII, Sizes
from benchmarks.peers.targets import targets_of

FAST, DEFAULT, EXACT = "ours fast", "ours default", "ours exact"
OURS = (FAST, DEFAULT, EXACT)


def compared(
    case: str, network: str, device: str, timed: Mapping[str, Timed], sizes: Sizes, bare: float
) -> dict[str, Any]:
    """`bare`: seconds per image of the untouched network's forward, in the same process."""
    floor = floor_of(case, timed, sizes)
    return {
        "floor": {"forwards per image": floor, "seconds per forward": bare},
        "arms": {name: _arm(case, one, floor, bare) for name, one in timed.items()},
        "ratios": {
            name: _against(case, network, device, timed[FAST], one, name)
            for name, one in timed.items()
            if name not in OURS
        },
        "ratios of ours default": {
            name: _against(case, network, device, timed[DEFAULT], one, name)
            for name, one in timed.items()
            if name not in OURS
        },
        "ours fast against others of ours": {
            name: _against(case, network, device, timed[FAST], timed[name], name)
            for name in (DEFAULT, EXACT)
        },
    }


def floor_of(case: str, timed: Mapping[str, Timed], sizes: Sizes) -> float | None:
    """Forwards per image nobody can do without; None for a random search, which has no such."""
    if case.startswith("fgsm"):
        return gradient_floor(1 if "1 radius" in case else len(RADII))
    if case == "spatial":
        return search_floor(sizes.cells, timed[EXACT].found.fooled)
    return None


def _arm(case: str, one: Timed, floor: float | None, bare: float) -> dict[str, Any]:
    seconds = spread(per(one.seconds, one.images))
    # A search without a floor of its own: its candidates are what it cannot do without.
    needed = one.candidates / one.images if floor is None else floor
    return {
        "images": one.images,
        "note": one.note,
        "rounds": len(one.seconds),
        "seconds per image": seconds,
        "seconds per candidate": spread(per(one.seconds, one.candidates)),
        "candidates per image": one.candidates / one.images,
        "forwards per image": one.forwards / one.images,
        "fraction of the floor": of_floor(needed, bare, seconds[1]),
        "fooled": int(one.found.fooled.sum()),
        "warm-up seconds": one.warm_up,
        "case": case,
    }


def _against(
    case: str, network: str, device: str, ours: Timed, peer: Timed, name: str
) -> dict[str, Any]:
    """How many times longer the peer takes, and whether it fools more on the images of both."""
    shared = min(ours.images, peer.images)
    test = mcnemar(ours.found.fooled[:shared], peer.found.fooled[:shared])
    by = {
        "image": _ratio(ours, peer, ours.images, peer.images),
        "candidate": _ratio(ours, peer, ours.candidates, peer.candidates),
    }
    return {
        "per image": by["image"],
        "per candidate": by["candidate"],
        "extrapolated": peer.images != ours.images,
        "images of both": shared,
        "paired test": test,
        "no worse": no_worse(test),
        "targets": [
            {
                "ratio": target.ratio,
                "per": target.per,
                "found": by[target.per][1],
                "met": by[target.per][1] >= target.ratio and no_worse(test),
            }
            for target in targets_of(case, name, network, device)
        ],
    }


def _ratio(ours: Timed, peer: Timed, our_units: float, their_units: float) -> Sequence[float]:
    return spread(ratios(per(ours.seconds, our_units), per(peer.seconds, their_units)))
