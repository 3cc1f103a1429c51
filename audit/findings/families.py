"""Which tests are looked at together, so that some would differ by chance alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from audit.metrics.multiplicity import holm
from audit.results import Finding

BETWEEN_GROUPS = "between groups"
# The first part of a contrast that is no group -> what its tests ask.
KINDS = {
    "defence": "with a defence against none",
    "stress": "under a stress against none",
    "surrogate": "with borrowed images against its own",
}


def with_families(findings: Sequence[Finding]) -> list[Finding]:
    """The findings in their order, each test with its family and its p adjusted for it by Holm.

    A family is one kind of difference, and one question put many times. Without stress it holds
    every metric, group and defence ("does anything differ between groups?"), since that table is
    read as a whole. Under stress it is of one metric, over all groups, levels, runs and defences.
    The two are apart: what is said of the model as deployed may not depend on how many attacks
    were tried beside it. A finding without `p` counts for none; one that has an adjusted p already
    keeps it.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(findings):
        if found.p is not None and found.p_holm is None:
            members[family_of(found)].append(place)
    told = list(findings)
    for family, places in members.items():
        adjusted = holm([found.p for place in places if (found := told[place]).p is not None])
        for place, p in zip(places, adjusted, strict=True):
            told[place] = told[place].model_copy(update={"family": family, "p_holm": p})
    return told


def family_of(found: Finding) -> str:
    """Such as "sensitivity between groups, under stress"."""
    first = (found.contrast or "").split("=")[0]
    kind = BETWEEN_GROUPS if found.group else KINDS.get(first, f"against another {first}")
    if found.stress == "clean":
        return f"any metric {kind}, without stress"
    return f"{found.metric} {kind}, under stress"
