"""Cutting rows into splits by a hash: the split of a row depends on its group's value and on the seed alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from mtbalance.data import DataError

Hashes = NDArray[np.uint64]

GOLDEN = 0x9E3779B97F4A7C15
WORD = 2**64 - 1


def hash_integers(values: NDArray[np.int64], seed: int) -> Hashes:
    """64-bit hashes of integers: the output step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

    The seed moves each value by as many steps of the generator's Weyl sequence.
    """
    mixed = values.astype(np.uint64) + np.uint64(GOLDEN * (seed + 1) & WORD)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def hash_texts(texts: Iterable[str], seed: int) -> Hashes:
    """64-bit hashes of texts: BLAKE2b of their UTF-8 bytes, with the seed as its key."""
    key = str(seed).encode()
    digests = (blake2b(text.encode(), digest_size=8, key=key).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype="<u8")


def assign(hashes: Hashes, shares: Sequence[float]) -> NDArray[np.intp]:
    """Position in ``shares`` for each hash: the share whose interval has the hash as a fraction of 2**64.

    Shares are relative to their sum. Raises :class:`DataError` if that is zero.
    """
    if sum(shares) <= 0:
        raise DataError(f"the shares {list(shares)} of the split sum to zero; give each split of the rows a share")
    bounds = np.cumsum(shares) / sum(shares)
    fractions = (hashes >> np.uint64(11)) * 2.0**-53
    return np.searchsorted(bounds[:-1], fractions, side="right")
