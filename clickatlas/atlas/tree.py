"""The search tree of a MaxMind DB file, walked a whole level at a time in numpy.

Format: https://maxmind.github.io/MaxMind-DB/ (2.0). Iterating over the 6 million networks of GeoLite2-City in
Python takes minutes; a breadth-first walk of both children arrays takes a third of a second.
"""

from pathlib import Path
from typing import NamedTuple, TypeVar

import maxminddb
import numpy as np
import numpy.typing as npt

from clickatlas.atlas.files import unusable

T = TypeVar("T", bound=np.generic)

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


class Leaves(NamedTuple):
    """Networks with data: address as two 64-bit halves (an IPv4 address is the top 32 bits of `hi`)."""

    hi: U64
    lo: U64
    depth: npt.NDArray[np.uint8]  # prefix length in bits, counted within IPv4 for IPv4 leaves
    record: U32  # which data record: equal numbers are one and the same record


class Alias(NamedTuple):
    """An IPv6 prefix whose next 32 bits are an IPv4 address, answered as that address."""

    prefix: int  # the 128-bit start of the prefix
    length: int  # in bits


class Tree(NamedTuple):
    """Every network of a City file, once."""

    v4: Leaves
    v6: Leaves
    aliases: list[Alias]


def walk(file: Path) -> Tree:
    """Walk the tree of an MMDB file of record size 24, 28 or 32 and of IP version 4 or 6.

    IPv4 lives at ::/96 of an IPv6 tree, and other prefixes (::ffff:0:0/96, 2002::/16, 2001::/32) may point at
    the same node. Those are returned as aliases instead of being walked four times over.
    """
    with maxminddb.open_database(str(file)) as reader:
        meta = reader.metadata()
    left, right = _children(file, meta.node_count, meta.record_size)
    nothing = meta.node_count
    if meta.ip_version == 4:
        v6, aliases = _no_leaves(), list[Alias]()
        v4, _ = _descend(left, right, 0, nothing)
    else:
        root4 = 0
        for _ in range(96):
            root4 = int(left[root4]) if root4 < nothing else root4
        if root4 < nothing:
            v6, aliases = _descend(left, right, 0, nothing, skip=root4)
            v4, _ = _descend(left, right, root4, nothing)
        else:  # no IPv4 in this file
            v6, aliases = _descend(left, right, 0, nothing)
            v4 = _no_leaves()
    return Tree(v4, v6, aliases)


def _children(file: Path, nodes: int, bits: int) -> tuple[U32, U32]:
    """Left and right child of every node."""
    raw = np.fromfile(file, dtype=np.uint8, count=nodes * bits // 4)
    if raw.size != nodes * bits // 4:
        raise unusable(f"{file.name} is shorter than its own metadata says.")
    if bits == 32:
        pair = raw.view(">u4").reshape(nodes, 2)
        return pair[:, 0].astype(np.uint32), pair[:, 1].astype(np.uint32)
    byte = raw.reshape(nodes, bits // 4)
    if bits == 24:
        return _number(byte[:, 0:3]), _number(byte[:, 3:6])
    if bits == 28:  # the middle byte holds the high nibble of each
        left, right = _number(byte[:, 0:3]), _number(byte[:, 4:7])
        left |= (byte[:, 3] & 0xF0).astype(np.uint32) << np.uint32(20)
        right |= (byte[:, 3] & 0x0F).astype(np.uint32) << np.uint32(24)
        return left, right
    raise unusable(f"{file.name} has records of {bits} bits, which the format doesn't know.")


def _number(three: npt.NDArray[np.uint8]) -> U32:
    """Big-endian 24-bit numbers."""
    number: U32 = three[:, 0].astype(np.uint32)
    for column in (1, 2):
        number <<= np.uint32(8)
        number |= three[:, column]
    return number


def _descend(
    left: U32, right: U32, root: int, nothing: int, skip: int | None = None
) -> tuple[Leaves, list[Alias]]:
    """All leaves below `root`; a node equal to `skip` is noted as an alias and left alone.

    Leaves are in order of depth, then of address: a node's two children stand side by side. So neighbours are read
    from the file side by side (three times as quick as all left ones first), and few runs are left to be sorted.
    """
    frontier = np.array([root], dtype=np.uint32)
    hi, lo = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
    found: list[Leaves] = []
    aliases: list[Alias] = []
    for depth in range(1, 129):
        child = _beside(left[frontier], right[frontier])
        if depth <= 64:
            hi = _beside(hi, hi | np.uint64(1 << (64 - depth)))
            lo = np.zeros(hi.size, np.uint64)
        else:
            hi = _beside(hi, hi)
            lo = _beside(lo, lo | np.uint64(1 << (128 - depth)))
        leaf = np.flatnonzero(child > nothing)
        if leaf.size:
            found.append(Leaves(hi[leaf], lo[leaf], np.full(leaf.size, depth, np.uint8), child[leaf]))
        open_ = child < nothing
        if skip is not None:
            same = child == skip
            pairs = zip(hi[same].tolist(), lo[same].tolist(), strict=True)
            aliases += [Alias((high << 64) | low, depth) for high, low in pairs]
            open_ &= ~same
        inner = np.flatnonzero(open_)
        frontier, hi, lo = child[inner], hi[inner], lo[inner]
        if not frontier.size:
            break
    if not found:
        return _no_leaves(), aliases
    return Leaves(*(np.concatenate(column) for column in zip(*found, strict=True))), aliases


def _beside(one: npt.NDArray[T], other: npt.NDArray[T]) -> npt.NDArray[T]:
    """First of one, first of the other, second of one and so on."""
    both = np.empty(2 * one.size, one.dtype)
    both[0::2], both[1::2] = one, other
    return both


def _no_leaves() -> Leaves:
    return Leaves(
        np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint8), np.zeros(0, np.uint32)
    )
