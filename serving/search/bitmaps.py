"""Sets of small numbers as bits, eight a byte, in whole words of 64 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bitmap = NDArray[np.uint64]
Slots = NDArray[np.int64]
Array = NDArray[Any]


def empty(size: int) -> Bitmap:
    """The empty set, with room for the numbers below ``size``."""
    return np.zeros((size + 63) // 64, np.uint64)


def of_flags(flags: NDArray[np.bool_]) -> Bitmap:
    """The numbers whose flag is set."""
    bits = np.packbits(flags, bitorder="little")
    bitmap = empty(len(flags))
    bitmap.view(np.uint8)[: len(bits)] = bits
    return bitmap


def of_slots(slots: Array, size: int) -> Bitmap:
    """The set of these numbers, all below ``size``."""
    flags = np.zeros(size, np.bool_)
    flags[slots] = True
    return of_flags(flags)


def of_either(found: Array, size: int) -> Bitmap:
    """The set of slots below ``size``, or the bitmap if they are one already."""
    return found if is_bitmap(found) else of_slots(found, size)


def is_bitmap(found: Array) -> bool:
    return found.dtype == np.uint64


def flags_of(bitmap: Bitmap) -> NDArray[np.bool_]:
    """A flag for each number that there is room for."""
    return np.unpackbits(bitmap.view(np.uint8), bitorder="little").view(np.bool_)


def slots_of(bitmap: Bitmap) -> Slots:
    """The numbers in the set, ascending."""
    return np.flatnonzero(flags_of(bitmap))


def holds(bitmap: Bitmap, slots: Array) -> NDArray[np.bool_]:
    """Of each number whether it is in the set."""
    held: NDArray[np.bool_] = (
        (bitmap.view(np.uint8)[slots >> 3] >> (slots & 7).astype(np.uint8)) & 1
    ).view(np.bool_)
    return held


def ranks(bitmap: Bitmap, slots: Slots) -> Slots:
    """How many numbers are in the set below each of these."""
    counts = np.bitwise_count(bitmap)
    before = np.cumsum(counts, dtype=np.int64) - counts
    words = slots >> 6
    below = (np.uint64(1) << (slots & 63).astype(np.uint64)) - np.uint64(1)
    ranks: Slots = before[words] + np.bitwise_count(bitmap[words] & below)
    return ranks


def count(bitmap: Bitmap) -> int:
    """How many numbers are in the set."""
    return int(np.bitwise_count(bitmap).sum(dtype=np.int64))


def replaced(bitmap: Bitmap, size: int, removed: Array, added: Array) -> Bitmap:
    """A copy with room for ``size``, without ``removed`` and then with ``added``."""
    copy = empty(size)
    copy[: len(bitmap)] = bitmap
    octets = copy.view(np.uint8)
    for slots, keep in ((removed, False), (added, True)):
        bits = np.left_shift(np.uint8(1), (slots & 7).astype(np.uint8))
        if keep:
            np.bitwise_or.at(octets, slots >> 3, bits)
        else:
            np.bitwise_and.at(octets, slots >> 3, ~bits)
    return copy
