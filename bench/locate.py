"""Addresses located per second, against maxminddb's C reader on the same addresses."""

from __future__ import annotations

import maxminddb
import numpy as np

from bench import sample
from bench.table import alternate, per_second, rate, row, show
from tests.atlas_fixtures import city_file

ADDRESSES = 1_000_000
STRINGS = 200_000
SINGLE = 50_000
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    locator = sample.atlas().locator
    packed = sample.packed(ADDRESSES, np.random.default_rng(sample.SEED))
    strings = sample.addresses(STRINGS, np.random.default_rng(sample.SEED))
    single = strings[:SINGLE]
    with maxminddb.open_database(str(city_file()), maxminddb.MODE_MMAP_EXT) as reader:

        def look_up() -> None:
            for address in single:
                reader.get(address)

        def one_by_one() -> None:
            for address in single:
                locator.place_of(address)

        figures = alternate(
            {
                "peer": rate(look_up, SINGLE),
                "single": rate(one_by_one, SINGLE),
                "strings": rate(lambda: locator.locate(strings), STRINGS),
                "packed": rate(lambda: locator.locate_packed(packed), ADDRESSES),
            },
            ROUNDS,
        )
    peer = ("maxminddb get", figures["peer"])
    unit = per_second("addresses")
    show(
        "Locate: addresses of real networks, drawn by population",
        [
            row("maxminddb get, C reader", figures["peer"], unit),
            row("Locator.place_of, one string at a time", figures["single"], unit, peer),
            row("Locator.locate, a list of strings", figures["strings"], unit, peer),
            row("Locator.locate_packed, an array of IPv4", figures["packed"], unit, peer),
        ],
        (f"{SINGLE:,} to {ADDRESSES:,} addresses per run, {ROUNDS} alternating runs",),
    )
