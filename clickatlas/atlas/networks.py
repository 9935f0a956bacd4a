"""What is known about networks besides their place: their kind, and which of them are nobody's.

Read at build only. Kinds come from the table in the `iporigin` package.
The package compiles the providers' own published feeds and has already merged them: "ranges never overlap
within the merged table" (its `_data.py`). So there is no order of precedence left for us to apply.
"""

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from iporigin import _data

from clickatlas.atlas.files import unusable
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.ranges import Ranges
from clickatlas.errors import Problem

V4_IN_128 = 96  # an IPv4 address is kept in the top 32 of 128 bits
LAST = (1 << 128) - 1


def network_kinds(file: Path | None = None) -> tuple[Ranges, Ranges]:
    """Network kinds as (IPv4 ranges, IPv6 ranges); values are `NetworkKind` numbers.

    Of `file` (a ranges.bin), or of the installed package. Addresses that are nobody's (`SPECIAL4`, `SPECIAL6`) are
    RESIDENTIAL: the feed calls documentation networks hosting, say, because providers list them. A kind that this version doesn't know is left out.
    """
    data = _table(file)
    known = NetworkKind.__members__
    kinds = [int(known.get(name.upper(), NetworkKind.RESIDENTIAL)) for _, name in data.labels]
    v4 = (
        (start << V4_IN_128, ((end + 1) << V4_IN_128) - 1, kinds[label])
        for start, end, label in zip(data.v4_starts, data.v4_ends, data.v4_labels, strict=True)
    )
    v6 = (
        (start, end, kinds[label])
        for start, end, label in zip(data.v6_starts, data.v6_ends, data.v6_labels, strict=True)
    )
    return _gapless(_public(v4, SPECIAL4)), _gapless(_public(v6, SPECIAL6))


def built(file: Path | None = None) -> datetime:
    """When the table of `file`, or of the installed package, was compiled. Raises `Problem` for junk."""
    return datetime.fromtimestamp(_table(file).built_at, UTC)


def newer(file: Path) -> Path | None:
    """`file`, where it can be read and is newer than the installed table; else None: the installed one serves."""
    try:
        return file if built(file) > built() else None
    except Problem:
        return None


def _table(file: Path | None) -> Any:
    if file is None:
        return _data.dataset()  # type: ignore[no-untyped-call]
    try:
        return _data._Dataset(file.read_bytes())  # type: ignore[no-untyped-call]
    except (OSError, ValueError, struct.error, _data.DatasetError) as error:
        raise unusable(f"{file.name} is no table of network kinds: {error}.") from error


def _public(
    ranges: Iterable[tuple[int, int, int]], special: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    """What of (first, last, kind) ranges lies outside of `special` prefixes."""
    reserved = sorted((start, start + (1 << (128 - length)) - 1) for start, length in special)
    for first, last, kind in ranges:
        for start, end in reserved:
            if end < first:
                continue
            if start > last:
                break
            if first < start:
                yield first, start - 1, kind
            first = end + 1
        if first <= last:
            yield first, last, kind


def _gapless(ranges: Iterable[tuple[int, int, int]]) -> Ranges:
    """(first, last, kind) of 128-bit addresses to ranges without gaps: what lies between is RESIDENTIAL."""
    starts, values = [0], [0]
    for first, last, kind in sorted(ranges):
        if starts[-1] == first:
            values[-1] = kind
        else:
            starts.append(first)
            values.append(kind)
        if last < LAST:
            starts.append(last + 1)
            values.append(0)
    hi = np.array([start >> 64 for start in starts], np.uint64)
    lo = np.array([start & (2**64 - 1) for start in starts], np.uint64)
    return Ranges(hi, lo, np.array(values, np.int32)).merged()


def _prefix(network: str) -> tuple[int, int]:
    """(128-bit start, length); IPv4 in the top 32 bits."""
    parsed = ipaddress.ip_network(network)
    start = int(parsed.network_address)
    return (start << V4_IN_128 if parsed.version == 4 else start), parsed.prefixlen


# Addresses that are nobody's in public: all that IANA's special-purpose registries
# (https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-) call not globally reachable, multicast
# and site-local. Their place is PRIVATE where the database doesn't say otherwise; their kind is none, whatever the
# feed says. Elsewhere: ::/96 and mapped addresses are asked for as IPv4 (locate.py), and in 2001::/23 only what is
# named is reserved here: the rest of it is Teredo, reachable for a purpose of its own, or not assigned at all.
SPECIAL4 = tuple(
    _prefix(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
    )
)
SPECIAL6 = tuple(
    _prefix(network)
    for network in (
        "64:ff9b:1::/48",  # translation within a network
        "100::/64",  # discard-only
        "100:0:0:1::/64",  # dummy
        "2001:2::/48",  # benchmarking
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
