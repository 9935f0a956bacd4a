"""From an address to its place: sorted arrays and a binary search, shared between processes.

This is all of the atlas that the street needs. Opening costs a few milliseconds: everything is memory-mapped.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.files import about, load
from clickatlas.atlas.places import NOWHERE
from clickatlas.atlas.ranges import SAMPLE, search

I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

_four = partial(inet_pton, AF_INET)
_six = partial(inet_pton, AF_INET6)
_number = int.from_bytes
SORT_FROM = 4096  # addresses
BAD = (
    OSError,
    ValueError,
    TypeError,
)  # what inet_pton makes of junk, of NULs and surrogates, of things not text

# Where an IPv6 address holds an IPv4 one in its last 32 bits, whatever the database says.
MAPPED = ((0xFFFF << 32, 96), (0, 96))


class _Table(NamedTuple):
    """Ranges of one address space, as numpy arrays for batches and as memoryviews for one address at a time.

    `bisect` on a memoryview runs in C and makes only the integers that it looks at. It looks into `sample`
    (every 64th start, small enough for the processor's cache) before the millions of starts: half the time.
    """

    hi: npt.NDArray[Any]  # u32 for IPv4, u64 for IPv6
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
        self._v4, self._v6 = _Table.open(folder, "v4", False), _Table.open(folder, "v6", deep)
        self._kind4, self._kind6 = _Table.open(folder, "kind4", False), _Table.open(folder, "kind6", True)
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

    def place_of(self, address: str) -> int:
        """Place number of one address, about 2 µs. Whatever isn't an address is NOWHERE; never raises."""
        return self._one(self._v4, self._v6, address)

    def kind_of(self, address: str) -> int:
        """`NetworkKind` number of one address; RESIDENTIAL (0) for what isn't one."""
        return self._one(self._kind4, self._kind6, address)

    def locate(self, addresses: Sequence[str]) -> I32:
        """Place numbers of a batch; as `place_of` for each."""
        return self._batch(self._v4, self._v6, addresses)

    def kinds(self, addresses: Sequence[str]) -> I32:
        """Network kinds of a batch; as `kind_of` for each."""
        return self._batch(self._kind4, self._kind6, addresses)

    def locate_packed(self, v4: U32) -> I32:
        """Place numbers of IPv4 addresses as unsigned 32-bit numbers."""
        return _many4(self._v4, v4)

    def locate_packed6(self, hi: U64, lo: U64) -> I32:
        """Place numbers of IPv6 addresses as two 64-bit halves; mapped, 6to4, Teredo as the IPv4 within."""
        return self._many6(self._v4, self._v6, hi, lo)

    def _one(self, table4: _Table, table6: _Table, address: str) -> int:
        try:
            if ":" not in address:
                return table4.one(_number(inet_pton(AF_INET, address), "big"), 0)
            number = _number(inet_pton(AF_INET6, address), "big")
        except BAD:
            parsed = _parse6(address)
            if parsed is None:
                return NOWHERE
            number = parsed
        if number >> 112 in self._alias_heads:
            for prefix, shift, right in self._aliases:
                if number >> shift == prefix:
                    return table4.one((number >> right) & 0xFFFFFFFF, 0)
        return table6.one(number >> 64, number & 0xFFFFFFFFFFFFFFFF)

    def _batch(self, table4: _Table, table6: _Table, addresses: Sequence[str]) -> I32:
        try:  # all IPv4 is the common case, and by far the quickest
            return _many4(table4, _words(b"".join(map(_four, addresses)), ">u4").astype(np.uint32))
        except BAD:
            packed = [_packed(address) for address in addresses]
        size = np.fromiter(map(len, packed), np.int64, len(packed))
        answer = np.full(size.size, NOWHERE, np.int32)
        four = _words(b"".join(p for p in packed if len(p) == 4), ">u4").astype(np.uint32)
        six = _words(b"".join(p for p in packed if len(p) == 16), ">u8").astype(np.uint64).reshape(-1, 2)
        answer[size == 4] = _many4(table4, four)
        answer[size == 16] = self._many6(table4, table6, six[:, 0].copy(), six[:, 1].copy())
        return answer

    def _many6(self, table4: _Table, table6: _Table, hi: U64, lo: U64) -> I32:
        order = np.argsort(hi) if hi.size >= SORT_FROM else slice(None)
        answer = np.empty(hi.size, np.int32)
        answer[order] = table6.value[search(table6.hi, table6.lo, hi[order], lo[order])]
        for mask, v4 in self._embedded(hi, lo):
            answer[mask] = _many4(table4, v4)
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


def _many4(table: _Table, v4: U32) -> I32:
    # Random searches in millions of starts wait for memory; sorted ones don't. The sort, with each address's
    # position packed below it, costs less than what it saves from a few thousand addresses on.
    if v4.size < SORT_FROM:
        return table.value[np.searchsorted(table.hi, v4, side="right") - 1].astype(np.int32)
    packed = (v4.astype(np.uint64) << np.uint64(32)) | np.arange(v4.size, dtype=np.uint64)
    packed.sort()
    at = np.searchsorted(table.hi, (packed >> np.uint64(32)).astype(np.uint32), side="right") - 1
    answer = np.empty(v4.size, np.int32)
    answer[(packed & np.uint64(0xFFFFFFFF)).astype(np.intp)] = table.value[at]
    return answer


def _words(packed: bytes, kind: str) -> npt.NDArray[Any]:
    return np.frombuffer(packed, kind) if packed else np.zeros(0, kind)


def _packed(address: str) -> bytes:
    """4 or 16 bytes, none for what is no address."""
    try:
        return _six(address) if ":" in address else _four(address)
    except BAD:
        number = _parse6(address)
        return b"" if number is None else number.to_bytes(16, "big")


def _parse6(address: object) -> int | None:
    """An IPv6 address as a number, without its zone (`%eth0`); None for anything else."""
    try:
        return _number(inet_pton(AF_INET6, address.partition("%")[0]), "big")  # type: ignore[attr-defined]
    except (AttributeError, *BAD):
        return None
