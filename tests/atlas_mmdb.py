"""A small writer of MMDB files, for tests: any record size, any prefix, any layout of records."""

import ipaddress
import struct
from pathlib import Path
from typing import Any

MARKER = b"\xab\xcd\xefMaxMind.com"
V4_ROOT = "::/96"


def write_mmdb(
    file: Path,
    networks: dict[str, Any],
    *,
    record_size: int = 28,
    ip_version: int = 6,
    aliases: tuple[str, ...] = (),
    built: int = 1_700_000_000,
) -> Path:
    """Write `networks` (CIDR to record) to `file`; IPv4 goes below ::/96 in a tree of IP version 6.

    Each of `aliases` points at the same node as ::/96 does, as GeoLite2's do.
    """
    nodes: list[list[int | None]] = [[None, None]]
    data = bytearray()
    at: dict[str, int] = {}
    leaves: dict[int, int] = {}  # a marker below zero for each data offset, as node numbers aren't final yet

    def place(bits: list[int], target: int) -> None:
        node = 0
        for bit in bits[:-1]:
            step = nodes[node][bit]
            if step is None:
                nodes.append([None, None])
                step = nodes[node][bit] = len(nodes) - 1
            assert step > 0, "networks may not overlap"
            node = step
        assert nodes[node][bits[-1]] is None, "networks may not overlap"
        nodes[node][bits[-1]] = target

    for network, record in networks.items():
        text = repr(record)
        if text not in at:
            at[text] = len(data)
            data += encode(record)
            leaves[-len(at)] = at[text]
        place(_bits(network, ip_version), -(list(at).index(text) + 1))
    if aliases:
        root = 0
        for bit in _bits(V4_ROOT, 6):
            step = nodes[root][bit]
            assert step is not None
            root = step
        for alias in aliases:
            place(_bits(alias, 6), root)

    count = len(nodes)

    def final(value: int | None) -> int:
        if value is None:
            return count
        return value if value >= 0 else count + 16 + leaves[value]

    tree = b"".join(_node(final(left), final(right), record_size) for left, right in nodes)
    meta = {
        "binary_format_major_version": ("u16", 2),
        "binary_format_minor_version": ("u16", 0),
        "build_epoch": ("u64", built),
        "database_type": "Test-City",
        "description": {"en": "a test"},
        "ip_version": ("u16", ip_version),
        "languages": ["en"],
        "node_count": ("u32", count),
        "record_size": ("u16", record_size),
    }
    file.write_bytes(tree + b"\0" * 16 + bytes(data) + MARKER + encode(meta))
    return file


def encode(value: Any) -> bytes:
    """A value in the data section's format; ('u16', 5) and its like choose an unsigned type."""
    if isinstance(value, dict):
        return _head(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(encode(v) for v in value)
    if isinstance(value, str):
        return _head(2, len(value.encode())) + value.encode()
    if isinstance(value, bool):
        return _head(14, int(value))
    if isinstance(value, float):
        return _head(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        value = ("u32", value)
    kind, number = value
    packed = number.to_bytes(8, "big").lstrip(b"\0")
    return _head({"u16": 5, "u32": 6, "u64": 9}[kind], len(packed)) + packed


def _head(kind: int, size: int) -> bytes:
    extra = b""
    if size >= 285:
        extra, size = (size - 285).to_bytes(2, "big"), 30
    elif size >= 29:
        extra, size = bytes([size - 29]), 29
    return (bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])) + extra


def _bits(network: str, ip_version: int) -> list[int]:
    parsed = ipaddress.ip_network(network)
    length = parsed.prefixlen
    if parsed.version == 4 and ip_version == 6:
        length += 96
    width = 128 if ip_version == 6 else 32
    number = int(parsed.network_address)
    return [(number >> (width - 1 - i)) & 1 for i in range(length)]


def _node(left: int, right: int, size: int) -> bytes:
    if size == 24:
        return left.to_bytes(3, "big") + right.to_bytes(3, "big")
    if size == 32:
        return left.to_bytes(4, "big") + right.to_bytes(4, "big")
    high = (left >> 24) << 4 | right >> 24
    return (left & 0xFFFFFF).to_bytes(3, "big") + bytes([high]) + (right & 0xFFFFFF).to_bytes(3, "big")
