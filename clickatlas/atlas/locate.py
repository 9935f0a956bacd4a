"""From an address to its place: tables for IPv4, sorted arrays and a binary search for IPv6, shared between processes.

This is all of the atlas that the street needs. Opening costs a few milliseconds: everything is memory-mapped.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.addresses import BAD, as_list, packed_one, parse
from clickatlas.atlas.blocks import Blocks
from clickatlas.atlas.files import about, load
from clickatlas.atlas.places import NOWHERE
from clickatlas.atlas.ranges import SAMPLE, search

I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

_number = int.from_bytes
LOW = (1 << 64) - 1
SORT_FROM = 4096  # IPv6 addresses
TEXTS = 1 << 14  # read at a time: more of them leave the processor's cache

# Where an IPv6 address holds an IPv4 one in its last 32 bits, whatever the database says.
MAPPED = ((0xFFFF << 32, 96), (0, 96))


class _Table(NamedTuple):
    """Ranges of the IPv6 address space, as numpy arrays for batches and as memoryviews for one address at a time.

    `bisect` on a memoryview runs in C and makes only the integers that it looks at. It looks into `sample`
    (every 64th start, small enough for the processor's cache) before the millions of starts: half the time.
    """

    hi: U64
    lo: U64 | None
    value: npt.NDArray[Any]
    hi_view: memoryview
    lo_view: memoryview | None
    value_view: memoryview
    sample: memoryview

    @classmethod
    def open(cls, folder: Path, name: str, deep: bool) -> "_Table":
        hi, value = load(folder, f"{name}_start"), load(folder, f"{name}_value")
        lo = load(folder, f"{name}_start_low") if deep else None
        return cls(
            hi,
            lo,
            value,
            hi.data,
            lo.data if lo is not None else None,
            value.data,
            load(folder, f"{name}_sample").data,
        )

    def one(self, hi: int, lo: int) -> int:
        block = bisect_right(self.sample, hi) * SAMPLE
        at = bisect_right(self.hi_view, hi, block - SAMPLE, min(block, len(self.hi_view)))
        view = self.lo_view
        if view is not None and self.hi_view[at - 1] == hi and view[at - 1] > lo:
            at = bisect_right(view, lo, bisect_left(self.hi_view, hi, 0, at), at)
        value: int = self.value_view[at - 1]
        return value


class Locator:
    """Addresses to place numbers and network kinds."""

    keys: U64  # place number to place key

    def __init__(self, folder: Path) -> None:
        facts = about(folder)
        deep, aliases = facts["deep"], facts["aliases"]
        self.keys = load(folder, "place_key")
        self._keys = self.keys.data  # makes Python's integers at once
        self._v4, self._v6 = Blocks.open(folder, "v4"), _Table.open(folder, "v6", deep)
        self._kind4, self._kind6 = Blocks.open(folder, "kind4"), _Table.open(folder, "kind6", True)
        found = [(int(prefix, 16), int(length)) for prefix, length in aliases]
        # (prefix >> shift, shift, how far right the IPv4 address then lies)
        prefixes = dict.fromkeys((*MAPPED, *found))
        self._aliases = [(p >> (128 - n), 128 - n, 96 - n) for p, n in prefixes]
        # The first 16 bits of all of them: few addresses need a closer look.
        self._alias_heads = {
            head for p, n in prefixes for head in range(p >> 112, (p >> 112) + (1 << max(16 - n, 0)))
        }

    @classmethod
    def open(cls, folder: Path) -> "Locator":
        """Map the files in `folder`. Raises `Problem` when they are not there or not readable."""
        return cls(folder)

    def key_of(self, place: int) -> int:
        """The key of a place number."""
        key: int = self._keys[place]
        return key

    def place_of(self, address: str) -> int:
        """Place number of one address, about 1 µs, 2 µs for IPv6. Whatever isn't an address is NOWHERE; never raises."""
        return self._one(self._v4, self._v6, address)

    def kind_of(self, address: str) -> int:
        """`NetworkKind` number of one address; RESIDENTIAL (0) for what isn't one."""
        return self._one(self._kind4, self._kind6, address)

    def locate(self, addresses: Sequence[str]) -> I32:
        """Place numbers of a batch (any sequence or column of texts); as `place_of` for each."""
        return self._batch(self._v4, self._v6, addresses)

    def kinds(self, addresses: Sequence[str]) -> I32:
        """Network kinds of a batch; as `kind_of` for each."""
        return self._batch(self._kind4, self._kind6, addresses)

    def locate_packed(self, v4: U32) -> I32:
        """Place numbers of IPv4 addresses as unsigned 32-bit numbers."""
        return self._v4.find(v4)

    def locate_packed6(self, hi: U64, lo: U64) -> I32:
        """Place numbers of IPv6 addresses as two 64-bit halves; mapped, 6to4, Teredo as the IPv4 within."""
        return self._many6(self._v4, self._v6, hi, lo)

    def place_and_kind(self, address: str) -> tuple[int, int]:
        """What `place_of` and `kind_of` say; the address is read once."""
        number = self._read(address)
        if number is None:
            return NOWHERE, NOWHERE
        if number >= 0:
            return self._v4.one(number), self._kind4.one(number)
        hi, lo = ~number >> 64, ~number & LOW
        return self._v6.one(hi, lo), self._kind6.one(hi, lo)

    def _one(self, blocks: Blocks, table: _Table, address: str) -> int:
        number = self._read(address)
        if number is None:
            return NOWHERE
        return blocks.one(number) if number >= 0 else table.one(~number >> 64, ~number & LOW)

    def _read(self, address: str) -> int | None:
        """An IPv4 address as its number, also where an IPv6 one holds it; an IPv6 address as its number's complement."""
        try:
            if ":" not in address:
                return _number(inet_pton(AF_INET, address), "big")
            number = _number(inet_pton(AF_INET6, address), "big")
        except BAD:
            packed = packed_one(address)
            if not packed:
                return None
            number = _number(packed, "big")
        if number >> 112 in self._alias_heads:
            for prefix, shift, right in self._aliases:
                if number >> shift == prefix:
                    return (number >> right) & 0xFFFFFFFF
        return ~number

    def _batch(self, blocks: Blocks, table: _Table, addresses: Sequence[str]) -> I32:
        texts = as_list(addresses)
        answer = np.full(len(texts), NOWHERE, np.int32)
        sixes = []  # searched for all at once: the more there are, the nearer together in memory
        for start in range(0, len(texts), TEXTS):
            found = parse(texts[start : start + TEXTS])
            answer[found.at4 + start] = blocks.find(found.v4)
            if found.at6.size:
                sixes.append((found.at6 + start, found.hi, found.lo))
        if sixes:
            at, hi, lo = (np.concatenate(column) for column in zip(*sixes, strict=True))
            answer[at] = self._many6(blocks, table, hi, lo)
        return answer

    def _many6(self, blocks: Blocks, table: _Table, hi: U64, lo: U64) -> I32:
        order = np.argsort(hi) if hi.size >= SORT_FROM else slice(None)
        answer = np.empty(hi.size, np.int32)
        answer[order] = table.value[search(table.hi, table.lo, hi[order], lo[order])]
        for mask, v4 in self._embedded(hi, lo):
            answer[mask] = blocks.find(v4)
        return answer

    def _embedded(self, hi: U64, lo: U64) -> Iterable[tuple[npt.NDArray[np.bool_], U32]]:
        """For each alias: which addresses lie in it, and the IPv4 addresses that they hold."""
        for prefix, shift, right in self._aliases:
            if shift >= 64:  # a prefix within hi
                mask = hi >> np.uint64(shift - 64) == np.uint64(prefix)
            else:
                mask = (hi == np.uint64(prefix >> (64 - shift))) & (
                    lo >> np.uint64(shift) == np.uint64(prefix & ((1 << (64 - shift)) - 1))
                )
            if mask.any():
                if right >= 64:
                    v4 = hi[mask] >> np.uint64(right - 64)
                elif right >= 32:  # astride both halves
                    v4 = (hi[mask] << np.uint64(64 - right)) | (lo[mask] >> np.uint64(right))
                else:
                    v4 = lo[mask] >> np.uint64(right)
                yield mask, (v4 & np.uint64(0xFFFFFFFF)).astype(np.uint32)
