"""The click record: what is written down of one answered redirect, and nothing more.

A record is 48 bytes. Words (browser, referrer and the like) are numbers that point into
the segment's own list of terms, so records can be read as one array.
"""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import NamedTuple

import numpy as np

RECORD = np.dtype(
    [
        ("time", "<i8"),      # milliseconds since 1970 UTC
        ("link", "<i8"),      # link number
        ("place", "<u8"),     # place key
        ("visitor", "<u8"),   # keyed daily hash; 0: not known
        ("agent", "<u4"),     # term: device, browser, system, language
        ("referrer", "<u4"),  # term: host of the referring page
        ("kind", "u1"),       # network kind
        ("flags", "u1"),
        ("spare", "<u2"),
        ("spare2", "<u4"),
    ]
)  # fmt: skip
PACK = struct.Struct("<qqQQIIBBHI").pack


class Flags(IntFlag):
    """What else is known of a click."""

    HEAD = 1  # asked by HEAD or as a prefetch: nobody saw the page yet
    SAMPLE = 2  # made up by `clickatlas demo`
    IMPORTED = 4  # brought in by `clickatlas import`


class Agent(NamedTuple):
    """What a visitor's headers say of their device; never who they are."""

    device: str
    browser: str
    system: str
    language: str


def pack(
    time_ms: int, link: int, place_key: int, visitor: int, agent: int, referrer: int, kind: int, flags: int
) -> bytes:
    """One record's 48 bytes."""
    return PACK(time_ms, link, place_key, visitor, agent, referrer, kind, flags, 0, 0)
