"""IPv4 ranges as a table to look up in, instead of a list to search: two or four memory accesses an address.

The address space is cut into runs of whole /24 blocks that share one value, and single blocks that are divided
further, the parts. A bit per block says where a run begins; counting the bits up to an address's block gives its
run. Divided blocks have a bit per address, counted the same way. 32 bits and the count of all bits before them share
one 64-bit word, so a count costs one access to memory (rank of a bit vector: Jacobson, "Space-efficient static trees
and graphs", FOCS 1989). The whole of GeoLite2-City takes 30 MB; sorted starts searched by halves wait 21 times.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.files import load, save

I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

BLOCKS = 1 << 24
FILES = ("run_word", "run_value", "part_word", "part_value")
CHUNK = 1 << 14  # addresses at a time: what is worked out on the way stays in the processor's cache


class Blocks:
    """IPv4 addresses to values. One array of words and one of values for runs of blocks, one each for their parts.

    A word of runs stands for 32 blocks, a word of parts for 32 addresses; a run's value below zero is ~n where
    it is the n-th divided block, and the parts know.
    """

    def __init__(self, run_word: U64, run_value: I32, part_word: U64, part_value: I32) -> None:
        self._arrays: tuple[U64, I32, U64, I32] = (run_word, run_value, part_word, part_value)
        # For one address at a time: taking one number from a memoryview costs a third of numpy's own indexing.
        self._run_word, self._run_value, self._part_word, self._part_value = (a.data for a in self._arrays)

    @classmethod
    def of(cls, start: U32, value: npt.NDArray[Any]) -> "Blocks":
        """Of ranges without gaps, sorted; the first starts at 0. Takes 0.4 s for 2.5 million."""
        block, whole = (start >> np.uint32(8)).astype(np.intp), (start & np.uint32(255)) == 0
        divided = np.flatnonzero(_marks(block[~whole], BLOCKS))
        is_divided = _marks(divided, BLOCKS + 1)
        begins = _marks(block, BLOCKS + 1)
        begins |= is_divided
        begins[1:] |= is_divided[:-1]
        begins = begins[:BLOCKS]
        runs = np.flatnonzero(begins)
        run_value = _held(start, value, runs << 8)
        run_value[is_divided[runs]] = ~np.arange(divided.size, dtype=np.int32)
        inside = is_divided[block]
        slot = np.searchsorted(divided, block[inside]) << 8 | start[inside] & np.uint32(255)
        parts = _marks(slot, divided.size << 8)
        parts[::256] = True
        slot = np.flatnonzero(parts)
        part_value = _held(start, value, divided[slot >> 8] << 8 | slot & 255)
        return cls(_words(begins), _counted_from_1(run_value), _words(parts), _counted_from_1(part_value))

    @classmethod
    def open(cls, folder: Path, name: str) -> "Blocks":
        """The saved ones, memory-mapped; worked out from `name`'s ranges in an atlas from before there were any."""
        start, value = (load(folder, f"{name}_{column}") for column in ("start", "value"))
        if not (folder / f"{name}_{FILES[0]}.npy").exists():
            return cls.of(start, value)
        return cls(*(load(folder, f"{name}_{file}") for file in FILES))

    def save(self, folder: Path, name: str) -> None:
        """Write them as four files whose names begin with `name`."""
        for number, file in enumerate(FILES):
            save(folder, f"{name}_{file}", self._arrays[number])

    def one(self, address: int) -> int:
        """The value of one address, which must be of 32 bits."""
        word = self._run_word[address >> 13]
        value: int = self._run_value[(word >> 32) + (word & (2 << (address >> 8 & 31)) - 1).bit_count()]
        if value < 0:
            word = self._part_word[~value << 3 | address >> 5 & 7]
            value = self._part_value[(word >> 32) + (word & (2 << (address & 31)) - 1).bit_count()]
        return value

    def find(self, addresses: U32) -> I32:
        """The value of each address."""
        if addresses.size <= CHUNK:
            return self._find(addresses)
        answer = np.empty(addresses.size, np.int32)
        for at in range(0, addresses.size, CHUNK):
            answer[at : at + CHUNK] = self._find(addresses[at : at + CHUNK])
        return answer

    def _find(self, addresses: U32) -> I32:
        run_word, run_value, part_word, part_value = self._arrays
        answer = run_value.take(_count(run_word, addresses >> np.uint32(8)))
        divided = np.flatnonzero(answer < 0)
        if divided.size:
            slot = (~answer[divided]).view(np.uint32) << np.uint32(8) | (addresses[divided] & np.uint32(255))
            answer[divided] = part_value.take(_count(part_word, slot))
        return answer


def _marks(where: npt.NDArray[Any], size: int) -> npt.NDArray[np.bool_]:
    marks = np.zeros(size, np.bool_)
    marks[where] = True
    return marks


def _words(bits: npt.NDArray[np.bool_]) -> U64:
    """Bits to words: 32 bits, and above them how many are set in all words before."""
    words = np.packbits(bits, bitorder="little").view("<u4").astype(np.uint64)
    ones = np.bitwise_count(words).astype(np.uint64)
    return (np.cumsum(ones, dtype=np.uint64) - ones) << np.uint64(32) | words


def _held(start: U32, value: npt.NDArray[Any], addresses: npt.NDArray[np.intp]) -> I32:
    """The value of each of many sorted addresses, searched for."""
    at = np.searchsorted(start, addresses.astype(np.uint32), side="right") - 1
    return value[at].astype(np.int32)


def _counted_from_1(values: I32) -> I32:
    return np.insert(values, 0, 0)


def _count(words: U64, slot: U32) -> npt.NDArray[np.intp]:
    """How many bits are set up to and with each slot."""
    word = words.take((slot >> np.uint32(5)).astype(np.intp))
    upto = word.astype(np.uint32) << (~slot & np.uint32(31))
    return (word >> np.uint64(32)).astype(np.intp) + np.bitwise_count(upto)
