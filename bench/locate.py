"""Addresses located per second, against maxminddb's C reader on the same addresses."""

from __future__ import annotations

from collections.abc import Callable

import maxminddb
import numpy as np

from bench import sample
from bench.table import Row, alternate, per_second, rate, row, show
from clickatlas.atlas.addresses import parse
from clickatlas.atlas.locate import Locator
from tests.atlas_fixtures import city_file

ADDRESSES = 1_000_000
STRINGS = 200_000
SINGLE = 50_000
ROUNDS = 5
UNIT = per_second("addresses")


def main() -> None:
    """Measure and print."""
    locator = sample.atlas().locator
    random = np.random.default_rng(sample.SEED)
    mixed = sample.addresses(STRINGS, random)
    six = [address for address in sample.addresses(4 * STRINGS, random) if ":" in address]
    packed = sample.packed(ADDRESSES, random)
    kinds = {
        "IPv4": (sample.texts(packed[:STRINGS]), lambda: locator.locate_packed(packed)),
        "IPv6": (six, _packed6(locator, six)),
        "one in four IPv6": (mixed, None),
    }
    rows = []
    with maxminddb.open_database(str(city_file()), maxminddb.MODE_MMAP_EXT) as reader:
        for kind, (texts, batch) in kinds.items():
            rows += _rows(kind, locator, reader, texts, batch)
    show(
        "Locate: addresses of real networks, IPv4 drawn by population",
        rows,
        (f"{SINGLE:,} to {ADDRESSES:,} addresses per run, {ROUNDS} alternating runs",),
    )


def _packed6(locator: Locator, texts: list[str]) -> Callable[[], object]:
    found = parse(texts)
    hi, lo = (np.tile(half, ADDRESSES // len(texts)) for half in (found.hi, found.lo))
    return lambda: locator.locate_packed6(hi, lo)


def _rows(
    kind: str,
    locator: Locator,
    reader: maxminddb.Reader,
    texts: list[str],
    batch: Callable[[], object] | None,
) -> list[Row]:
    """The reader and all our ways of asking, on addresses of one kind."""
    single = texts[:SINGLE]

    def look_up() -> None:
        for address in single:
            reader.get(address)

    def one_by_one() -> None:
        for address in single:
            locator.place_of(address)

    contestants = {
        "peer": rate(look_up, SINGLE),
        "single": rate(one_by_one, SINGLE),
        "strings": rate(lambda: locator.locate(texts), STRINGS),
    }
    if batch:
        contestants["packed"] = rate(batch, ADDRESSES)
    figures = alternate(contestants, ROUNDS)
    peer = ("maxminddb get", figures["peer"])
    rows = [
        row(f"{kind}: maxminddb get, C reader", figures["peer"], UNIT),
        row("  Locator.place_of, one string at a time", figures["single"], UNIT, peer),
        row("  Locator.locate, a list of strings", figures["strings"], UNIT, peer),
    ]
    if batch:
        rows.append(row("  Locator.locate_packed, arrays of numbers", figures["packed"], UNIT, peer))
    return rows
