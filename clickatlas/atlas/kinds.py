"""Whose network an address belongs to: a home line, or a machine that only looks like a visitor."""

from enum import IntEnum


class NetworkKind(IntEnum):
    """Network kinds; the names in lower case are the ones that the API uses."""

    RESIDENTIAL = 0  # or not known: to be in no list is not a proof of a home line
    HOSTING = 1
    VPN = 2
    TOR = 3
    CDN = 4
    BOT = 5
