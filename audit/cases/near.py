"""Images that show the same exposure though their pixels differ: saved anew, resized, mirrored.

The one door to imagehash. Perceptual hashes propose pairs; the edges of the two pictures, laid
over each other, confirm them, since radiographs of one pose resemble each other and hash alike.
What the limits are worth on real radiographs is measured in docs/probes.md.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.cases.case import Pixels
from audit.cases.overlay import aligned

SIDE = 64  # pixels of the thumbnail that is hashed and correlated
HASH = 16  # phash and dhash of 16 x 16 bits each
RADIUS_PHASH, RADIUS_DHASH = 60, 40  # bits of 256 that may differ
ROUGHLY = 0.75  # correlation of two thumbnails as they are that is worth aligning them
DETAIL = 0.90  # correlation of their edges, aligned, that makes a pair
MOST = 20_000  # pairs that are laid over each other, a few milliseconds each
FLAT = 0.5 / 255  # standard deviation below which a picture has nothing to compare
_BLOCK = 512
Words = npt.NDArray[np.uint64]
Picture = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Looks:
    """What is compared of N pictures.

    `phash`, `dhash` (2, N, 4): 256 bits as they are, and mirrored left to right. `thumbs`
    (N, SIDE²): of mean 0 and norm 1, all 0 where a picture is `flat` (N,).
    """

    phash: Words
    dhash: Words
    thumbs: npt.NDArray[np.float32]
    flat: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.flat)


@dataclass(frozen=True)
class Pair:
    """Pictures `one` and `other` (their places) are one exposure.

    `alike`: correlation of their edges, aligned. `how`: "mirrored", "grey levels reversed".
    """

    one: int
    other: int
    alike: float
    how: str


def looks_of(images: Iterable[Pixels], check: Callable[[], None] = lambda: None) -> Looks:
    """Looks of images (H, W[, 3]) in [0, 1], one in memory at a time; `check()` after each."""
    hashes, held = [], bytearray()  # thumbnails end to end: a list of them would be copied whole
    for pixels in images:
        *both, thumb = _look(pixels)
        hashes.append(both)
        held += thumb.tobytes()
        check()
    if not hashes:
        none = np.zeros((2, 0, HASH * HASH // 64), np.uint64)
        return Looks(none, none, np.zeros((0, SIDE * SIDE), np.float32), np.zeros(0, bool))
    thumbs = np.frombuffer(held, np.float32).reshape(len(hashes), SIDE * SIDE)
    return Looks(
        phash=np.stack([phash for phash, _ in hashes], axis=1),
        dhash=np.stack([dhash for _, dhash in hashes], axis=1),
        thumbs=thumbs,
        flat=np.asarray(~thumbs.any(axis=1)),
    )


def _look(pixels: Pixels) -> tuple[Words, Words, npt.NDArray[np.float32]]:
    from PIL import Image

    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    whole = Image.fromarray(np.ascontiguousarray(grey, dtype=np.float32))  # mode F
    small = np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)
    centred = small - small.mean()
    norm = float(np.linalg.norm(centred))
    flat = norm < FLAT * SIDE
    thumb = np.zeros(SIDE * SIDE, np.float32) if flat else (centred / norm).ravel()
    low, high = float(small.min()), float(small.max())
    levels = (255 * (small - low) / max(high - low, 1e-6)).round().astype(np.uint8)
    both = [Image.fromarray(levels), Image.fromarray(np.ascontiguousarray(levels[:, ::-1]))]
    phash, dhash = (np.stack([_bits(name, image) for image in both]) for name in ("p", "d"))
    return phash, dhash, thumb


def _bits(name: str, image: object) -> Words:
    """256 bits as four words."""
    import imagehash

    make = imagehash.phash if name == "p" else imagehash.dhash
    return np.packbits(make(image, hash_size=HASH).hash.ravel()).view(np.uint64)


def near_pairs(
    looks: Looks,
    others: Looks | None = None,
    check: Callable[[], None] = lambda: None,
    most: int = MOST,
) -> tuple[list[Pair], int]:
    """Pairs of `looks` with `others`, or among themselves (each once) where None; and how many
    proposed pairs were not laid over each other.

    Also of pictures that were mirrored left to right, or whose grey levels were reversed; each
    pair once, as it fits best. Flat pictures pair with nothing. O(N M) in blocks; `most` proposals
    are confirmed, those whose thumbnails are most alike. `check()` is called between pairs.
    """
    against = looks if others is None else others
    counted = [0]
    proposals = _every_proposal(looks, against, others is None, check, counted)
    closest = heapq.nlargest(most, proposals)  # of which no more than that are held
    best: dict[tuple[int, int], Pair] = {}
    for _, i, j, turned in closest:
        pair = _confirmed(looks.thumbs[i], against.thumbs[j], i, j, turned)
        known = best.get((i, j))
        if pair and (known is None or pair.alike > known.alike):
            best[i, j] = pair
        check()
    return [best[key] for key in sorted(best)], counted[0] - len(closest)


def _every_proposal(
    looks: Looks, others: Looks, within: bool, check: Callable[[], None], counted: list[int]
) -> Iterator[tuple[float, int, int, bool]]:
    """(how alike, one, other, mirrored); `counted` holds their number when it ends."""
    for start in range(0, len(looks), _BLOCK):
        for turned in (False, True):
            for alike, i, j in _proposed(looks, others, start, turned):
                if not within or i < j:
                    counted[0] += 1
                    yield alike, i, j, turned
            check()


def _proposed(
    looks: Looks, others: Looks, start: int, turned: bool
) -> Iterator[tuple[float, int, int]]:
    """Pairs of a block of rows with all others whose hashes and thumbnails are close."""
    rows = slice(start, start + _BLOCK)
    side = int(turned)
    close = _close(looks.phash[0][rows], others.phash[side], RADIUS_PHASH)
    close |= _close(looks.dhash[0][rows], others.dhash[side], RADIUS_DHASH)
    close &= ~looks.flat[rows, None] & ~others.flat
    for i in np.flatnonzero(close.any(axis=1)):
        those = np.flatnonzero(close[i])
        mine = _turned(looks.thumbs[start + i], turned)
        alike = np.abs(others.thumbs[those] @ mine.ravel())
        for at in np.flatnonzero(alike >= ROUGHLY):
            yield float(alike[at]), start + int(i), int(those[at])


def _close(one: Words, other: Words, radius: int) -> npt.NDArray[np.bool_]:
    """(n, 4) and (m, 4) words -> (n, m): at most `radius` bits differ, or are the same."""
    apart = np.zeros((len(one), len(other)), np.uint16)
    for word in range(one.shape[1]):
        apart += np.bitwise_count(one[:, word, None] ^ other[None, :, word])
    return np.asarray(np.minimum(apart, HASH * HASH - apart) <= radius)


def _turned(thumb: Picture, turned: bool) -> Picture:
    square = thumb.reshape(SIDE, SIDE)
    return square[:, ::-1] if turned else square


def _confirmed(one: Picture, other: Picture, i: int, j: int, turned: bool) -> Pair | None:
    first, second = _turned(one, turned), other.reshape(SIDE, SIDE)
    reversed_levels = float(first.ravel() @ other) < 0
    alike = aligned(first, -second if reversed_levels else second)
    how = ["mirrored"] * turned + ["grey levels reversed"] * reversed_levels
    return Pair(i, j, alike, ", ".join(how)) if alike >= DETAIL else None
