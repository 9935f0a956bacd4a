"""What the benchmarks measure with: the real atlas, addresses of real networks, plausible clicks."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.atlas import files
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import PRIVATE
from clickatlas.demo import BROWSERS, Networks
from clickatlas.redirect.record import RECORD, Agent
from clickatlas.redirect.visitor import read_agent
from tests.atlas_fixtures import built_atlas

DAYS = 90
LINKS = 1000
LANGUAGES = ("en-US", "en-GB", "de", "fr", "es", "it", "nl", "pl", "ja", "pt-BR")
HOSTS = tuple(f"site-{number}.example" for number in range(200))
SEED = 20261122


@cache
def atlas_root() -> Path:
    """A data folder's `atlas` of the real City database, shared with the tests: built by the first run only."""
    print("• opening the atlas (the first time it is built: half a minute)", flush=True)
    return built_atlas()


@cache
def atlas() -> Atlas:
    """The atlas, open."""
    folder = files.current(atlas_root())
    assert folder is not None
    return Atlas.open(folder)


@cache
def networks() -> Networks:
    """The atlas's IPv4 networks by place."""
    return Networks.of(atlas())


@cache
def _ends() -> npt.NDArray[np.float64]:
    """The places' shares of all clicks, added up: a place's people, and one click in ten anywhere at all."""
    reachable = networks().last > networks().first
    people = np.where(reachable & ~np.asarray(atlas().places.unplaced), atlas().places.population, 0.0)
    ends: npt.NDArray[np.float64] = np.cumsum(0.9 * people / people.sum() + 0.1 * reachable / reachable.sum())
    return ends


def places(count: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Place numbers, drawn by population."""
    drawn = np.searchsorted(_ends(), random.random(count) * _ends()[-1], side="right")
    return np.asarray(drawn, np.int64)


def packed(count: int, random: np.random.Generator) -> npt.NDArray[np.uint32]:
    """IPv4 addresses of places where people are, as 32-bit numbers."""
    return networks().draw(places(count, random), random).astype(np.uint32)


def texts(addresses: npt.NDArray[np.uint32]) -> list[str]:
    """The same as text."""
    return [str(ipaddress.IPv4Address(address)) for address in addresses.tolist()]


def addresses(count: int, random: np.random.Generator) -> list[str]:
    """Addresses as text, every fourth of them IPv6, from networks that the City database knows."""
    starts, value = (files.load(atlas().folder, f"v6_{name}") for name in ("start", "value"))
    known = starts[value > PRIVATE]
    drawn = known[random.integers(0, len(known), count // 4)].tolist()
    mixed = texts(packed(count - len(drawn), random)) + [
        str(ipaddress.IPv6Address((start << 64) + 1 + at)) for at, start in enumerate(drawn)
    ]
    return [mixed[at] for at in random.permutation(count).tolist()]


def agents() -> list[Agent]:
    """What visitors' browsers say of themselves: browsers × languages."""
    found = [read_agent(text)[:3] for text, _ in BROWSERS]
    return [Agent(*agent, language) for agent in found for language in LANGUAGES]


def bundles() -> dict[str, npt.NDArray[np.int64]]:
    """Which links belong together: each to one of 20 campaigns, or to that of small links, and to one of 5 channels."""
    links = np.arange(1, LINKS + 1)
    small = links > LINKS // 10
    found = {f"campaign {number}": links[~small & (links % 20 == number)] for number in range(20)}
    found["campaign of 900 small links"] = links[small]
    return found | {f"channel {number}": links[links % 5 == number] for number in range(5)}


def clicks(count: int, chunk: int) -> Iterator[npt.NDArray[np.void]]:
    """Click records in time order over 90 days, `chunk` at a time; a few links get most of them."""
    random = np.random.default_rng(SEED)
    end = int(time.time() * 1000)
    span = DAYS * 86_400_000
    keys = np.asarray(atlas().locator.keys)
    for start in range(0, count, chunk):
        size = min(chunk, count - start)
        records = np.zeros(size, RECORD)
        records["time"] = end - span + np.sort(random.integers(start, start + size, size)) * span // count
        records["link"] = 1 + (LINKS * random.random(size) ** 3).astype(np.int64)
        records["place"] = keys[places(size, random)]
        records["visitor"] = random.integers(1, 1 << 62, size, np.uint64)
        records["agent"] = random.integers(0, len(agents()), size)
        records["referrer"] = (len(HOSTS) * random.random(size) ** 4).astype(np.uint32)
        records["kind"] = np.where(random.random(size) < 0.06, int(NetworkKind.HOSTING), 0)
        yield records
