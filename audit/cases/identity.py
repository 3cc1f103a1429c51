"""Who is who, without names: case ids from pixels, patients numbered, one hash for the set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from audit.cases.case import Pixels


def pixel_digest(pixels: Pixels) -> str:
    """First 16 hex digits of the SHA-256 of shape and float32 values.

    Stable across machines with the same decoder versions; names nothing.
    """
    values = np.ascontiguousarray(pixels, dtype="<f4")
    digest = hashlib.sha256(str(values.shape).encode())
    digest.update(values.data)
    return digest.hexdigest()[:16]


def case_ids(digests: Sequence[str], keys: Sequence[tuple[object, ...]]) -> list[str]:
    """Ids in the order given: the digest, with -2, -3 … for exact duplicates.

    `keys` (label, attributes, boxes, patient) decide which duplicate is first, so the ids do
    not depend on file names; duplicates with equal keys differ in nothing an audit sees.
    """
    order = sorted(range(len(digests)), key=lambda i: (digests[i], repr(keys[i]), i))
    ids = [""] * len(digests)
    seen: dict[str, int] = {}
    for index in order:
        digest = digests[index]
        seen[digest] = seen.get(digest, 0) + 1
        ids[index] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return ids


def pseudonyms(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(case id, patient) pairs -> patient -> P0001…, in the order of their smallest case id."""
    smallest: dict[str, str] = {}
    for case_id, patient in pairs:
        smallest[patient] = min(case_id, smallest.get(patient, case_id))
    ranked = sorted(smallest, key=lambda patient: smallest[patient])
    return {patient: f"P{number:04d}" for number, patient in enumerate(ranked, 1)}


def data_sha256(pairs: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the sorted (case id, label) pairs: what was audited, in any order of files."""
    text = "\n".join(f"{case_id}\t{label}" for case_id, label in sorted(pairs))
    return hashlib.sha256(text.encode()).hexdigest()
