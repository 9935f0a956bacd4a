"""Visitors of known whereabouts, from the real City database through `maxminddb`'s own reader."""

from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import iporigin
import maxminddb

from tests.atlas_fixtures import city_file

# Where registries give IPv6 addresses out: a number drawn here has a good chance to be somebody's.
V6_BLOCKS = (0x2001, 0x2400, 0x2404, 0x2409, 0x240E, 0x2600, 0x2601, 0x2605, 0x2607, 0x2620, 0x2800, 0x2804,
             0x2A00, 0x2A01, 0x2A02, 0x2A04, 0x2A0A, 0x2C0F)  # fmt: skip
PEOPLE = "residential"
DEVICES = {
    "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "mobile": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.1 Mobile/15E148 Safari/604.1",
    "tablet": "Mozilla/5.0 (iPad; CPU OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.1 Mobile/15E148 Safari/604.1",
}
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@dataclass(frozen=True)
class Visitor:
    """One click to come: whose, by what device, on which link; and what the database says of the address."""

    address: str
    record: dict[str, Any]
    agent: str
    device: str
    kind: str
    link: int

    @property
    def country(self) -> str:
        return str(self.record.get("country", {}).get("iso_code", ""))

    @property
    def region(self) -> tuple[str, str]:
        """(ISO code below the country or '', English name) of the first subdivision."""
        first = (self.record.get("subdivisions") or [{}])[0]
        return str(first.get("iso_code", "")), str(first.get("names", {}).get("en", ""))

    @property
    def city(self) -> int | None:
        return self.record.get("city", {}).get("geoname_id")

    @property
    def postal(self) -> str:
        return str(self.record.get("postal", {}).get("code", ""))

    @property
    def position(self) -> tuple[float, float] | None:
        spot = self.record.get("location", {})
        return (spot["latitude"], spot["longitude"]) if "latitude" in spot else None

    @property
    def unplaced(self) -> bool:
        """By the project's rule: neither city nor postal code, or a radius of 500 km or more."""
        radius = self.record.get("location", {}).get("accuracy_radius", 0)
        return not (self.city or self.postal) or radius >= 500 or self.position is None


@cache
def reader() -> maxminddb.Reader:
    return maxminddb.open_database(str(city_file()))


def record_of(address: str) -> dict[str, Any]:
    """What the database says; nothing for addresses that it doesn't know."""
    found = reader().get(address)
    return found if isinstance(found, dict) else {}


def kind_of(address: str) -> str:
    """The network kind by `iporigin`'s own look-up, of the IPv4 address within where there is one."""
    parsed = ipaddress.ip_address(address)
    within = (parsed.ipv4_mapped or parsed.sixtofour) if parsed.version == 6 else None
    kind = iporigin.classify(within or parsed).kind
    return kind if kind in ("hosting", "vpn", "tor", "cdn", "bot") else PEOPLE


def draw(count: int, *, seed: int, links: int = 5) -> list[Visitor]:
    """Visitors by chance, the same for the same seed: each sort of address is among them."""
    chance = random.Random(seed)
    # Some that no draw must miss: unknown, private, mapped, MIT, Kansas (country only), 6to4, hosting, Tor.
    fixed = ["192.168.7.9", "10.0.0.1", "::1", "fd00::5", "::ffff:18.9.22.69", "18.9.22.69", "2002:1209:1645::1",
             "52.95.110.1", "3.5.140.9", "2600:1f18::5", "240.0.0.9", "198.18.0.9"]  # fmt: skip
    visitors = [_visitor(address, chance, links) for address in fixed]
    while len(visitors) < count:
        one = _six if chance.random() < 0.35 else _four
        address = one(chance)
        while not record_of(address) and chance.random() < 0.995:  # a few stay unknown
            address = one(chance)
        visitors.append(_visitor(address, chance, links))
    return visitors


def _four(chance: random.Random) -> str:
    return str(ipaddress.IPv4Address(chance.getrandbits(32)))


def _six(chance: random.Random) -> str:
    block = chance.choice(V6_BLOCKS)
    return str(ipaddress.IPv6Address((block << 112) | chance.getrandbits(112)))


def _visitor(address: str, chance: random.Random, links: int) -> Visitor:
    bot = chance.random() < 0.03
    device = "other" if bot else chance.choice(sorted(DEVICES))
    agent = BOT if bot else DEVICES[device]
    kind = "bot" if bot else kind_of(address)
    # The last link has few clicks, the first ones more.
    link = min(int(chance.random() ** 2 * links), links - 1)
    return Visitor(address, record_of(address), agent, device, kind, link)
