"""Which clicks were imported before, so that overlapping exports count each click once.

A click is known by its source's number for it; without one by link, time, place, agent and referrer, and by how many
such there are: two clicks alike in one file are two clicks, and the same two in tomorrow's export are those again.
Kept are 64-bit hashes of exactly what the click store has anyway, never of an address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
MOST_FILES = 64  # then they are merged: each costs a look into it


def text_hashes(texts: Iterable[str]) -> U64:
    """64 bits for each text."""
    digests = b"".join(hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=8).digest() for t in texts)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def mixed(*columns: npt.NDArray[np.integer]) -> U64:
    """One hash per row of all columns (splitmix64)."""
    total = np.zeros(len(columns[0]), np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            total = (total ^ column.astype(np.uint64, copy=False)) + _STEP
            total = (total ^ (total >> np.uint64(30))) * _MIX[0]
            total = (total ^ (total >> np.uint64(27))) * _MIX[1]
            total ^= total >> np.uint64(31)
    return total


class Seen:
    """The clicks that a workspace has imported before; costs 12 bytes of memory for each while an import runs."""

    def __init__(self, files: Iterable[Path]) -> None:
        parts = [np.load(file, mmap_mode="r") for file in files]
        known = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        self._known, counts = np.unique(known, return_counts=True)
        self._left = counts.astype(np.int32)
        self._new: list[U64] = []

    def fresh(self, hashes: U64) -> npt.NDArray[np.bool_]:
        """Which of a batch were not imported before; they are remembered as imported now."""
        new = np.ones(len(hashes), np.bool_)
        if self._known.size and len(hashes):
            at = np.minimum(np.searchsorted(self._known, hashes), self._known.size - 1)
            hits = np.flatnonzero(self._known[at] == hashes)
            if hits.size:
                at = at[hits]
                order = np.argsort(at, kind="stable")
                spots, first, counts = np.unique(at[order], return_index=True, return_counts=True)
                rank = np.arange(hits.size) - np.repeat(first, counts)
                new[hits[order]] = rank >= self._left[at[order]]
                self._left[spots] = np.maximum(self._left[spots] - counts, 0)
        self._new.append(hashes[new])
        return new

    def remembered(self) -> U64:
        """The new clicks of this import, sorted."""
        return np.sort(np.concatenate(self._new)) if self._new else np.zeros(0, np.uint64)
