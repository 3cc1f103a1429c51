"""Counter-based randomness: every draw depends on (seed, case, purpose) and nothing else."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping

import numpy as np


def generator(seed: int, *parts: str) -> np.random.Generator:
    """A generator whose stream is a function of `seed` and `parts` alone.

    Batch size, order, shard and worker count therefore cannot change a decision.
    Source: Salmon et al. 2011 (Philox, counter-based).

    >>> generator(1, "a").random() == generator(1, "a").random()
    True
    """
    text = "\x1f".join([str(seed), *parts]).encode()
    key = int.from_bytes(hashlib.sha256(text).digest()[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))


def ranked(seed: int, ids: list[str], purpose: str) -> list[str]:
    """`ids` in a seeded order that does not depend on the order given; for stated samples."""

    def rank(case_id: str) -> bytes:
        return hashlib.sha256(f"{seed}\x1f{purpose}\x1f{case_id}".encode()).digest()

    return sorted(ids, key=rank)


def stratified(labels: Mapping[str, str], size: int, seed: int) -> list[str]:
    """`size` of the ids in `labels` (id -> label), in order of id, nested for one seed.

    Proportional to the labels (largest remainder), so that accuracy on the sample estimates
    accuracy on all cases.
    """
    strata: dict[str, list[str]] = defaultdict(list)
    for case_id, label in labels.items():
        strata[label].append(case_id)
    if size >= len(labels):
        return sorted(labels)
    shares = {label: size * len(ids) / len(labels) for label, ids in strata.items()}
    counts = {label: int(share) for label, share in shares.items()}
    by_remainder = sorted(shares, key=lambda label: (counts[label] - shares[label], label))
    for label in by_remainder[: size - sum(counts.values())]:
        counts[label] += 1
    chosen = [
        i for label, ids in strata.items() for i in ranked(seed, ids, "sample")[: counts[label]]
    ]
    return sorted(chosen)
