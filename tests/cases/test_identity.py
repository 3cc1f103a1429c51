"""Case ids, patients and the hash of a set, against hand computations."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np

from audit.cases.identity import case_ids, data_sha256, pixel_digest, pseudonyms


def test_an_id_is_the_hash_of_shape_and_values() -> None:
    pixels = np.array([[0.0, 0.5], [1.0, 0.25]], dtype=np.float32)
    by_hand = hashlib.sha256(b"(2, 2)" + pixels.astype("<f4").tobytes()).hexdigest()[:16]
    assert pixel_digest(pixels) == by_hand
    assert pixel_digest(pixels.T.copy().T) == by_hand
    assert pixel_digest(pixels.reshape(1, 4)) != by_hand


def test_duplicates_are_numbered_by_what_they_are_not_by_their_order() -> None:
    items = [("d", ("normal",)), ("d", ("fracture",)), ("e", ("normal",))]
    for order in itertools.permutations(items):
        ids = case_ids([digest for digest, _ in order], [key for _, key in order])
        named = dict(zip(order, ids, strict=True))
        assert named == {items[0]: "d-2", items[1]: "d", items[2]: "e"}


def test_patients_are_numbered_by_their_smallest_case() -> None:
    pairs = [("c", "Jansen"), ("b", "Bos"), ("a", "Jansen"), ("d", "Aal")]
    assert pseudonyms(pairs) == {"Jansen": "P0001", "Bos": "P0002", "Aal": "P0003"}
    assert pseudonyms(reversed(pairs)) == pseudonyms(pairs)


def test_the_hash_of_a_set_is_that_of_its_sorted_pairs() -> None:
    by_hand = hashlib.sha256(b"a\tnormal\nb\tfracture").hexdigest()
    assert data_sha256([("b", "fracture"), ("a", "normal")]) == by_hand
