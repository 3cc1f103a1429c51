"""Our arms: a whole attempt as an audit makes it, by the engine's own code.

Reading the case, the stress, the contract, the decision on the untouched float32 network and,
for successes, the decision after rounding to 8 bits: all of it is in the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from audit.attempt import Sight, stressed_rows
from audit.classifier import Classifier
from audit.speed.batch_size import batch_size
from audit.speed.search import LEAST_TOLERANCE, Search
from audit.stresses.registry import get_stress
from benchmarks.peers.arm import Arm, Found
from benchmarks.peers.subject import Subject


def ours(subject: Subject, stress: str, params: Mapping[str, Any], images: int) -> list[Arm]:
    """ "ours exact" searches with the untouched network, "ours default" as an audit does unless it
    is told otherwise, "ours fast" with what `--search auto` took here after a quick trial."""
    plain, usual, quick = subject.classifier, subject.search, subject.quickest
    eyes = {
        "ours exact": Sight(plain, plain, plain, LEAST_TOLERANCE),
        "ours default": _sight(plain, usual),
        "ours fast": _sight(plain, quick),
    }
    batch = batch_size(plain, subject.x[:1])
    chosen = get_stress(stress)
    settings = chosen.check(params)

    def run(sight: Sight) -> Found:
        rows = stressed_rows(
            chosen,
            settings,
            sight,
            subject.cases[:images],
            [True] * images,
            seed=0,
            batch_size=batch,
            say=lambda _: None,
        )
        fooled = np.zeros(images, dtype=bool)
        fooled[rows.case[rows.success == 1]] = True
        spent = rows.queries[rows.queries >= 0]
        looks = int(spent.sum()) if stress == "one_pixel" and len(spent) else len(rows)
        return Found(fooled, looks)

    notes = {"ours exact": "", "ours default": usual.how, "ours fast": quick.how}
    return [
        Arm(name, lambda sight=sight: run(sight), images, notes[name])  # type: ignore[misc]
        for name, sight in eyes.items()
    ]


def _sight(plain: Classifier, search: Search) -> Sight:
    screen = search.screen
    return Sight(plain, search.classifier, screen.classifier, screen.tolerance)


def networks(subject: Subject) -> list[Any]:
    """The doors to count at: the untouched network, the one that searches, and the peers' copy."""
    found: list[Classifier] = [subject.classifier, subject.search.classifier]
    if subject.quickest is not subject.search:
        found += [subject.quickest.classifier, subject.quickest.screen.classifier]
    modules = {id(one.module): one.module for one in found}
    return [*modules.values(), subject.peer.network]
