"""Addresses written as text, read thousands at a time in numpy, and one at a time by the system's `inet_pton`.

A batch is joined to lines of bytes. Everything that isn't a digit ends a group; groups are read where they end, all
of them side by side. Whatever is not plainly an address in the common form goes to `inet_pton`: it decides.
"""

from collections.abc import Sequence
from itertools import compress
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

At = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

# What inet_pton makes of junk, of NULs and surrogates, of things not text.
BAD = (OSError, ValueError, TypeError, AttributeError)
PAD = "\n" * 3  # and the newline behind it: looking back from the first group's end stays inside
ZERO, LETTER, CASE, NEWLINE, COLON = (np.uint8(ord(letter)) for letter in "0a \n:")
DOTS = np.frombuffer(b"...\n", np.uint8)
LEAST = np.array([0, 0, 10, 100], np.uint16)  # of a number of so many digits without leading zeros


class Parsed(NamedTuple):
    """Which of a batch are IPv4 and IPv6 addresses, and these as numbers; the others are no addresses."""

    at4: At
    v4: U32
    at6: At
    hi: U64
    lo: U64


def parse(texts: Sequence[str]) -> Parsed:
    """The addresses of a batch; anything else in it, of whatever type, is left out."""
    try:
        lines = _lines(texts)
        stop = np.flatnonzero(lines - ZERO > 9)[len(PAD) :]  # the first one ends the line before the first
        if stop.size == 4 * len(texts) + 1 and (lines.take(stop[1:]).reshape(-1, 4) == DOTS).all():
            at4, v4 = _octets(lines, stop[1:], np.diff(stop) - 1, np.arange(len(texts)))
            if at4.size == len(texts):
                return Parsed(at4, v4, np.zeros(0, np.intp), np.zeros(0, np.uint64), np.zeros(0, np.uint64))
        elif np.count_nonzero(lines == NEWLINE) != len(texts) + len(PAD) + 1:
            raise TypeError
    except TypeError:  # not texts all of them, or some with line ends in them: these become empty lines
        lines = _lines([text if isinstance(text, str) and "\n" not in text else "" for text in texts])
    return _any(texts, lines)


def _any(texts: Sequence[str], lines: U8) -> Parsed:
    at4, v4, at6, halves = _mixed(lines, len(texts))
    odd = np.ones(len(texts), np.bool_)
    odd[at4] = odd[at6] = False
    if odd.any():
        at = np.flatnonzero(odd)
        packed = [packed_one(text) for text in compress(texts, odd.tolist())]
        size = np.fromiter(map(len, packed), np.intp, len(packed))
        four = np.frombuffer(b"".join(p for p in packed if len(p) == 4), ">u4").astype(np.uint32)
        six = np.frombuffer(b"".join(p for p in packed if len(p) == 16), ">u8").astype(np.uint64)
        at4, v4 = np.concatenate([at4, at[size == 4]]), np.concatenate([v4, four])
        at6, halves = np.concatenate([at6, at[size == 16]]), np.concatenate([halves, six.reshape(-1, 2)])
    return Parsed(at4, v4, at6, np.ascontiguousarray(halves[:, 0]), np.ascontiguousarray(halves[:, 1]))


def as_list(texts: Any) -> list[Any]:
    """A list of what a list, a numpy array (of bytes, too) or a column of pandas, Arrow or DuckDB holds."""
    if isinstance(texts, list):
        return texts
    if isinstance(texts, np.ndarray) and texts.dtype.kind == "S":
        return list(np.char.decode(texts, "latin-1").tolist())
    for method in ("to_pylist", "tolist"):
        if hasattr(texts, method):
            return list(getattr(texts, method)())
    return list(texts)


def packed_one(address: object) -> bytes:
    """4 or 16 bytes of one address, none for what is no address. The zone of an IPv6 one (`%eth0`) is dropped."""
    try:
        if ":" not in address:  # type: ignore[operator]
            return inet_pton(AF_INET, address)  # type: ignore[arg-type]
        number, percent, zone = address.partition("%")  # type: ignore[attr-defined]
        if percent and (not zone or "%" in zone or "/" in zone):
            return b""
        return inet_pton(AF_INET6, number)
    except BAD:
        return b""


def _lines(texts: Sequence[str]) -> U8:
    """All texts, each with a newline behind it, `PAD` before them."""
    return np.frombuffer("\n".join([PAD, *texts, ""]).encode("ascii", "replace"), np.uint8)


def _mixed(lines: U8, count: int) -> tuple[At, U32, At, U64]:
    """Which of `count` lines are IPv4 addresses, which IPv6, and these: as numbers, as rows of two halves."""
    stop = np.flatnonzero((lines - ZERO > 9) & ((lines | CASE) - LETTER > 5))[len(PAD) :]
    length = np.diff(stop) - 1
    stop = stop[1:]
    ends = lines.take(stop)
    last = np.flatnonzero(ends == NEWLINE)
    groups = np.diff(last, prepend=-1)
    at4 = np.flatnonzero(groups == 4)
    four = last[at4][:, None] + np.arange(-3, 1)
    dotted = np.flatnonzero((ends.take(four) == DOTS).all(axis=1))
    four = four.take(dotted, axis=0).ravel()
    at4, v4 = _octets(lines, stop.take(four), length.take(four), at4.take(dotted))
    fit = (groups > 2) & (groups <= 8) & (ends[last - groups + 1] == COLON)
    at6 = np.flatnonzero(fit)
    if at6.size < count:
        mine = np.flatnonzero(np.repeat(fit, groups))
        stop, length, ends, groups = stop.take(mine), length.take(mine), ends.take(mine), groups.take(at6)
    good, halves = _groups(lines, stop, length, ends, groups)
    return (at4, v4, at6, halves) if good.all() else (at4, v4, at6[good], halves[good])


def _octets(lines: U8, stop: At, length: At, at: At) -> tuple[At, U32]:
    """Decimal numbers of `length` digits that end before `stop`, four to an address; which of `at` are right."""
    ones = lines.take(stop - 1) - ZERO
    tens = (lines.take(stop - 2) - ZERO) * (length > 1)
    hundreds = (lines.take(stop - 3) - ZERO) * (length > 2)
    letters = (ones | tens | hundreds) > 15  # no two digits make that together, and every letter is more
    number = hundreds * np.uint16(100) + (tens * np.uint8(10) + ones)
    good = ((length - 1).view(np.uintp) <= 2) & (number <= 255) & ~letters
    good &= number >= LEAST.take(length, mode="clip")
    v4 = number.astype(np.uint8).view(">u4").astype(np.uint32)
    if good.all():
        return at, v4
    right = good.reshape(-1, 4).all(axis=1)
    return at[right], v4[right]


def _groups(lines: U8, stop: At, length: At, ends: U8, groups: At) -> tuple[Flags, U64]:
    """Hexadecimal numbers of `length` digits that end before `stop`, `groups` of them (3 to 8) to an address.

    Which addresses are right (no group empty but for one `::`), and all of them as rows of two halves.
    """
    after = np.cumsum(groups)
    first, last = after - groups, after - 1
    empty = np.flatnonzero(length == 0)
    line = np.searchsorted(after, empty, side="right")
    empties = np.bincount(line, minlength=groups.size)
    gap = first.copy()  # the first empty group: where `::` puts zeros
    gap[line[::-1]] = empty[::-1]
    begins, closes = gap == first, length[last] == 0
    good = np.where(empties == 0, groups == 8, (empties == 1) & ~begins & ~closes)
    if (empties > 1).any():
        good |= (empties == 2) & begins & (length[first + 1] == 0)
        good |= (empties == 2) & closes & (gap == last - 1)
        good |= (empties == 3) & (groups == 3)
    wrong = ends != COLON
    wrong[last] = False
    wrong |= length > 4
    good[np.searchsorted(after, np.flatnonzero(wrong), side="right")] = False
    number = np.zeros(stop.size, np.uint16)
    for digits in range(4):
        letter = lines.take(stop - 1 - digits)
        digit = (letter & 15) + (letter >> 6) * np.uint8(9)  # letters begin at 64 + 1 and 96 + 1
        number |= (digit * (length > digits)).astype(np.uint16) << np.uint16(4 * digits)
    # Every address fills eight places, its groups one after the other but for the leap at its gap.
    step = np.ones(stop.size, np.intp)
    step[gap] += 8 - groups
    words = np.zeros(groups.size * 8, ">u2")
    words[np.cumsum(step) - 1] = number
    return good, words.view(">u8").astype(np.uint64).reshape(-1, 2)
