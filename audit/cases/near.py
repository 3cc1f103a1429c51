"""Images that show the same exposure though their pixels differ: saved anew, resized, mirrored.

The one door to imagehash. Perceptual hashes propose pairs; the edges of the two pictures, laid
over each other, confirm them, since radiographs of one pose resemble each other and hash alike.
What the limits are worth on real radiographs is measured in docs/probes.md.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from audit.cases.case import Pixels
from audit.cases.overlay import aligned

SIDE = 64  # pixels of the thumbnail that is hashed and correlated
HASH = 16  # phash and dhash of 16 x 16 bits each
RADIUS_PHASH, RADIUS_DHASH = 60, 40  # bits of 256 that may differ
ROUGHLY = 0.75  # correlation of two thumbnails as they are that is worth aligning them
DETAIL = 0.90  # correlation of their edges, aligned, that makes a pair
MOST = 20_000  # pairs that are laid over each other, about a millisecond each
FLAT = 0.5 / 255  # standard deviation below which a picture has nothing to compare
_BLOCK = 256  # pictures that are held against as many others at a time
_TOGETHER = 1024  # pairs that are laid over each other at a time
Words = npt.NDArray[np.uint64]
Pictures = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
PROPOSAL = np.dtype([("alike", "f4"), ("one", "i8"), ("other", "i8"), ("turned", "?")])
Proposals = npt.NDArray[np.void]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Looks:
    """What is compared of N pictures.

    `phash`, `dhash` (2, N, 4): 256 bits as they are, and mirrored left to right. `flat` (N,):
    nothing to compare. `thumbs`: a file of N thumbnails.
    """

    phash: Words
    dhash: Words
    flat: Bools
    thumbs: IO[bytes]

    def __len__(self) -> int:
        return len(self.flat)

    def thumbs_of(self, places: Ints) -> Pictures:
        """Thumbnails (n, SIDE, SIDE) of mean 0 and norm 1, all 0 where a picture is flat."""
        found = np.empty((len(places), SIDE, SIDE), np.float32)
        for place, thumb in zip(places.tolist(), found, strict=True):
            self.thumbs.seek(place * thumb.nbytes)
            thumb[:] = np.frombuffer(self.thumbs.read(thumb.nbytes), np.float32).reshape(SIDE, SIDE)
        return found


@dataclass(frozen=True)
class Pair:
    """Pictures `one` and `other` (their places) are one exposure.

    `alike`: correlation of their edges, aligned. `how`: "mirrored", "grey levels reversed".
    """

    one: int
    other: int
    alike: float
    how: str


@contextmanager
def looks_of(images: Iterable[Pixels], check: Callable[[], None] = lambda: None) -> Iterator[Looks]:
    """Looks of images (H, W[, 3]) in [0, 1], one after the other; `check()` after each.

    In memory are 129 bytes of each. The thumbnails, 16 KiB each, lie in a file of the temporary
    folder that has no name to open it by, and that ends with the `with`, or the process.
    """
    hashes, flat = bytearray(), bytearray()
    with tempfile.TemporaryFile() as thumbs:
        for pixels in images:
            phash, dhash, thumb = _look(pixels)
            hashes += phash.tobytes() + dhash.tobytes()
            flat.append(not thumb.any())
            thumbs.write(thumb.tobytes())
            check()
        words = np.frombuffer(hashes, np.uint64).reshape(-1, 2, 2, HASH * HASH // 64)
        phash, dhash = np.ascontiguousarray(words.transpose(1, 2, 0, 3))
        yield Looks(phash, dhash, np.frombuffer(flat, bool), thumbs)


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
    are confirmed, those whose thumbnails are most alike. `check()` is called again and again.
    """
    against = looks if others is None else others
    closest, count = np.empty(0, PROPOSAL), 0
    for proposed in _proposed(looks, against, others is None):
        count += len(proposed)
        closest = np.concatenate([closest, proposed])
        if len(closest) > 2 * most:
            closest = _first(closest, most)
        check()
    closest = _first(closest, most)
    best: dict[tuple[int, int], Pair] = {}
    for start in range(0, len(closest), _TOGETHER):
        for pair in _confirmed(looks, against, closest[start : start + _TOGETHER]):
            known = best.get((pair.one, pair.other))
            if known is None or pair.alike > known.alike:
                best[pair.one, pair.other] = pair
        check()
    return [best[key] for key in sorted(best)], count - len(closest)


def _first(proposals: Proposals, most: int) -> Proposals:
    """The `most` whose thumbnails are most alike, those first."""
    keys = [proposals[name] for name in ("turned", "other", "one", "alike")]
    return proposals[np.lexsort(keys)[::-1][:most]]


def _proposed(looks: Looks, others: Looks, within: bool) -> Iterator[Proposals]:
    """Pairs whose hashes and thumbnails are close, a block of pictures with a block of others."""
    for start in range(0, len(looks), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(looks)))
        for begin in range(start if within else 0, len(others), _BLOCK):
            columns = np.arange(begin, min(begin + _BLOCK, len(others)))
            for turned in (False, True):
                close = _close(looks, rows, others, columns, turned)
                if within:
                    close &= rows[:, None] < columns
                if close.any():
                    yield _alike(looks, rows, others, columns, turned, close)
                else:
                    yield np.empty(0, PROPOSAL)


def _close(looks: Looks, rows: Ints, others: Looks, columns: Ints, turned: bool) -> Bools:
    """(n, m): the hashes are close, and neither picture is flat."""
    side = int(turned)
    close = _few_apart(looks.phash[0, rows], others.phash[side, columns], RADIUS_PHASH)
    close |= _few_apart(looks.dhash[0, rows], others.dhash[side, columns], RADIUS_DHASH)
    close &= ~looks.flat[rows, None] & ~others.flat[columns]
    return close


def _few_apart(one: Words, other: Words, radius: int) -> Bools:
    """(n, 4) and (m, 4) words -> (n, m): at most `radius` bits differ, or are the same."""
    apart = np.zeros((len(one), len(other)), np.uint16)
    for word in range(one.shape[1]):
        apart += np.bitwise_count(one[:, word, None] ^ other[None, :, word])
    return np.asarray(np.minimum(apart, HASH * HASH - apart) <= radius)


def _alike(
    looks: Looks, rows: Ints, others: Looks, columns: Ints, turned: bool, close: Bools
) -> Proposals:
    """Of the pairs that are `close` (n, m), those whose thumbnails are roughly alike."""
    some, those = np.flatnonzero(close.any(axis=1)), np.flatnonzero(close.any(axis=0))
    mine = _turned(looks.thumbs_of(rows[some]), np.full(len(some), turned))
    theirs = others.thumbs_of(columns[those])
    alike = np.abs(mine.reshape(len(mine), -1) @ theirs.reshape(len(theirs), -1).T)
    i, j = np.nonzero(close[np.ix_(some, those)] & (alike >= ROUGHLY))
    found = np.empty(len(i), PROPOSAL)
    found["alike"], found["turned"] = alike[i, j], turned
    found["one"], found["other"] = rows[some[i]], columns[those[j]]
    return found


def _turned(thumbs: Pictures, turned: Bools) -> Pictures:
    """Mirrored left to right where `turned`."""
    return np.where(turned[:, None, None], thumbs[:, :, ::-1], thumbs)


def _confirmed(looks: Looks, others: Looks, proposals: Proposals) -> Iterator[Pair]:
    """Those that fit when they are laid over each other."""
    mine = _turned(looks.thumbs_of(proposals["one"]), proposals["turned"])
    theirs = others.thumbs_of(proposals["other"])
    inverted = (mine * theirs).sum(axis=(1, 2)) < 0
    theirs[inverted] *= -1
    alike = aligned(mine, theirs, DETAIL)
    for at in np.flatnonzero(alike >= DETAIL):
        _, one, other, turned = proposals[at].tolist()
        how = ["mirrored"] * turned + ["grey levels reversed"] * bool(inverted[at])
        yield Pair(one, other, float(alike[at]), ", ".join(how))
