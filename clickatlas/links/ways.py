"""A link's ways: what of it is counted apart, by a number of its own among the clicks.

A link has one number. Its clicks carry that number and, in bits above it, the way they took: one of its rules
or one side of its split, and whether its QR code was scanned. So the click store counts ways as it counts links,
with all its rollups, and need not know of them (docs/decisions/0010-ways.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

SCAN = 1 << 39  # a link's number is below
WAY = 1 << 40  # times a way's own number, which is below 4096: the sum is exact as a double, too
MOST_WAYS = 4095  # that a link ever had
QR = "qr"  # the channel of a scan, whatever the link's own is
MARK = b"q"  # what a QR code adds to a short link as a query

Counted = TypeVar("Counted", int, Any)


def click_number(link: int, way: int = 0, *, scanned: bool = False) -> int:
    """What the clicks on `link` by `way` carry; way 0 is the link's own."""
    return link + way * WAY + (SCAN if scanned else 0)


def link_of(number: Counted) -> Counted:
    """The link of a click number, or of an array of them."""
    return number & (SCAN - 1)


def is_scan(number: int) -> bool:
    """Whether a click number is of a scanned QR code."""
    return bool(number & SCAN)


def way_of(number: int) -> int:
    """The way of a click number; 0 is the link's own."""
    return number // WAY


def click_numbers(link: int, ways_made: int, *, scanned: bool | None = None) -> list[int]:
    """Every click number that `link` may have had; only scans, or only the others, if `scanned` says so."""
    either = (False, True) if scanned is None else (scanned,)
    return [click_number(link, way, scanned=scan) for scan in either for way in range(ways_made + 1)]


def by_link(counts: Mapping[int, Counted]) -> dict[int, Counted]:
    """Counts (or series of them) by click number, summed by link."""
    found: dict[int, Counted] = {}
    for number, count in counts.items():
        link = link_of(number)
        found[link] = found[link] + count if link in found else count
    return found


def marked(query: bytes) -> tuple[bool, bytes]:
    """Whether a short link's query has the QR code's mark, and the query without it: ``q`` or ``q&…``."""
    if query == MARK:
        return True, b""
    if query[:2] == b"q&":
        return True, query[2:]
    return False, query


class Seen(NamedTuple):
    """What is known of a visitor where a way is chosen: codes as in the atlas, '' where not known."""

    country: str  # 'AT'
    region: str  # 'AT-9'
    device: str  # as `filter.DEVICES`
    language: str  # 'de' or 'de-AT'


@dataclass(frozen=True)
class Way:
    """A rule, or one side of a split (then `weight` is above 0). Conditions of different kinds all hold; of one, any."""

    number: int
    name: str
    url: str = ""  # '': the link's own
    weight: int = 0
    countries: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()  # 'de' stands for 'de-AT', too; in lower case

    def holds(self, seen: Seen) -> bool:
        """Whether a visitor is meant."""
        language = seen.language.lower()
        return (
            (not self.countries or seen.country in self.countries)
            and (not self.regions or seen.region in self.regions)
            and (not self.devices or seen.device in self.devices)
            and (not self.languages or not self.languages.isdisjoint((language, language.partition("-")[0])))
        )


@dataclass(frozen=True)
class Ways:
    """A link's rules, in their order, and its split among those that no rule is for."""

    rules: tuple[Way, ...] = ()
    split: tuple[Way, ...] = ()

    @classmethod
    def read(cls, stored: Iterable[Mapping[str, Any]] | None) -> Ways | None:
        """From a link's column; None for a link without."""
        ways = [_way(row) for row in stored or ()]
        if not ways:
            return None
        return cls(tuple(way for way in ways if not way.weight), tuple(way for way in ways if way.weight))

    def choose(self, seen: Seen, lot: int) -> Way | None:
        """The way for a visitor; None is the link's own. The same `lot` draws the same side of a split; 0 any."""
        for way in self.rules:
            if way.holds(seen):
                return way
        if not self.split:
            return None
        left = (lot or random.getrandbits(32)) % sum(way.weight for way in self.split)
        for way in self.split:
            left -= way.weight
            if left < 0:
                return way
        raise AssertionError("weights are above 0")


def _way(row: Mapping[str, Any]) -> Way:
    return Way(
        number=row["way"],
        name=row["name"],
        url=row.get("url") or "",
        weight=row.get("weight", 0),
        countries=frozenset(row.get("countries", ())),
        regions=frozenset(row.get("regions", ())),
        devices=frozenset(row.get("devices", ())),
        languages=frozenset(language.lower() for language in row.get("languages", ())),
    )


@lru_cache(maxsize=4096)
def parted(url: str) -> tuple[bytes, bytes]:
    """A destination as it goes into a header: all before its fragment, and that."""
    before, mark, fragment = url.partition("#")
    return before.encode("ascii"), (mark + fragment).encode("ascii")
