"""How often one key or one address may ask: token buckets in memory, gone when the app ends."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from clickatlas.errors import Problem

MOST = 20_000  # buckets kept; the ones that were asked longest ago are full again by then, as a rule


class Buckets:
    """`rate` requests a minute (or `hour`) for each name, up to that many at once; 0: no limit. Safe for threads."""

    def __init__(
        self, rate: int, what: str, clock: Callable[[], float] = time.monotonic, *, hour: bool = False
    ) -> None:
        self._rate = rate / (3600 if hour else 60)
        self._per = "an hour" if hour else "a minute"
        self._size = float(rate)
        self._what = what
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, name: str) -> None:
        """Raise `Problem` (429) where nothing is left for `name`."""
        self._take(name, 0.0)

    def take(self, name: str) -> None:
        """Use one up; raises `Problem` (429) where nothing is left for `name`."""
        self._take(name, 1.0)

    def give(self, name: str) -> None:
        """Give one back that was taken for nothing."""
        with self._lock:
            if name in self._left:
                left, then = self._left[name]
                self._left[name] = (left + 1, then)

    def headers(self, name: str) -> list[tuple[bytes, bytes]]:
        """How much `name` has left, and in how many seconds all of it again; none where nothing is limited.

        As draft-ietf-httpapi-ratelimit-headers-10 has it: `RateLimit-Policy` and `RateLimit`.
        """
        if not self._rate:
            return []
        now = self._clock()
        with self._lock:
            left, then = self._left.get(name, (self._size, now))
        left = min(self._size, left + (now - then) * self._rate)
        full = math.ceil((self._size - left) / self._rate)
        return [
            (b"ratelimit-policy", f'"key";q={self._size:.0f};w=60'.encode()),
            (b"ratelimit", f'"key";r={max(0, int(left))};t={full}'.encode()),
        ]

    def _take(self, name: str, cost: float) -> None:
        if not self._rate:
            return
        now = self._clock()
        with self._lock:
            left, then = self._left.get(name, (self._size, now))
            left = min(self._size, left + (now - then) * self._rate)
            enough = left >= 1
            self._left[name] = (left - cost if enough else left, now)
            self._left.move_to_end(name)
            if len(self._left) > MOST:
                self._left.popitem(last=False)
        if not enough:
            seconds = max(1, round((1 - left) / self._rate + 0.5))
            raise Problem(
                429,
                "Too many requests",
                f"{self._what}: {self._size:.0f} {self._per}.",
                remedy=f"Wait {seconds} s.",
                extra={"retry_after": seconds},
            )


def network_of(address: str) -> str:
    """Who is meant by an address: an IPv4 address, or an IPv6 one's /64, which is one household's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
