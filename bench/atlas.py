"""Building the atlas and counting its clusters, against reading every network and adding up cluster by cluster."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import maxminddb
import numpy as np

from bench import sample
from bench.table import Row, alternate, milliseconds, row, seconds, show
from clickatlas.atlas.build import build
from clickatlas.atlas.clusters import MAX_ZOOM
from clickatlas.atlas.sources import CITIES, ZIPS, Ingredients, fetch
from clickatlas.atlas.tree import walk
from clickatlas.progress import Silent
from tests.atlas_fixtures import cache, city_file

NETWORKS = 200_000  # that the peer reads; its time for all of them is worked out from these
ROUNDS = 5
ZOOM = 5
CLICKS = 1_000_000
MB = 1 / 1024  # ru_maxrss counts kilobytes


def main() -> None:
    """Measure and print."""
    _building()
    _counting()


def _building() -> None:
    took, processor, memory = _built_elsewhere()
    peer, networks = _all_networks()
    show(
        "Atlas: GeoLite2-City, IPv4 and IPv6, made into an atlas",
        [
            row("build, all of it", [took], _seconds, ("reading every network", [peer])),
            row("  of it on the processor", [processor], _seconds),
            Row("  peak memory", f"{memory:,.0f} MB", f"{memory / 2048:.2f}", "the limit of 2 GB"),
            row("reading every network with maxminddb's C reader", [peer], _seconds),
        ],
        (f"one build in a process of its own; the reader's time from {NETWORKS:,} of {networks:,} networks",),
    )


def _built_elsewhere() -> tuple[float, float, float]:
    """Seconds, seconds of processor and peak megabytes of a build in a fresh process."""
    here, there = multiprocessing.Pipe(duplex=False)
    work = multiprocessing.get_context("spawn").Process(target=_build, args=(there,))
    work.start()
    there.close()
    took, processor, memory = here.recv()
    work.join()
    return took, processor, memory


def _build(out: Connection) -> None:
    ingredients = Ingredients(city_file(), fetch(ZIPS, cache(), Silent()), fetch(CITIES, cache(), Silent()))
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as folder:
        began, used = time.perf_counter(), time.process_time()
        build(ingredients, Path(folder) / "atlas", keep=None, progress=Silent())
        took, processor = time.perf_counter() - began, time.process_time() - used
    out.send((took, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MB))


def _all_networks() -> tuple[float, int]:
    """Seconds for every network, one after the other, as one would without a tree walk; and how many there are."""
    tree = walk(city_file())
    counted = tree.v4.hi.size + tree.v6.hi.size
    with maxminddb.open_database(str(city_file()), maxminddb.MODE_MMAP_EXT) as reader:

        def read() -> None:
            for _, _record in zip(range(NETWORKS), reader, strict=False):
                pass

        return seconds(read) * counted / NETWORKS, counted


def _counting() -> None:
    atlas = sample.atlas()
    random = np.random.default_rng(sample.SEED)
    clicks = np.bincount(sample.places(CLICKS, random), minlength=len(atlas.places))
    node = np.asarray(atlas.clusters.node_of(ZOOM))
    count = len(atlas.clusters.nodes(ZOOM))

    def one_by_one() -> None:
        for cluster in range(count):
            clicks[node == cluster].sum()

    def added() -> None:
        total = np.zeros(count, np.int64)
        known = node >= 0
        np.add.at(total, node[known], clicks[known])

    figures = alternate(
        {
            "masks": lambda: seconds(one_by_one),
            "add.at": lambda: seconds(added),
            "ours": lambda: seconds(lambda: atlas.clusters.counts(ZOOM, clicks)),
            "all": lambda: seconds(
                lambda: [atlas.clusters.counts(zoom, clicks) for zoom in range(MAX_ZOOM + 1)]
            ),
        },
        ROUNDS,
    )
    peer = ("numpy, a mask per cluster", figures["masks"])
    show(
        f"Clusters: {CLICKS:,} clicks on {len(atlas.places):,} places into the {count:,} clusters of zoom {ZOOM}",
        [
            row("ClusterTree.counts", figures["ours"], milliseconds, peer),
            row("ClusterTree.counts, all fifteen zooms", figures["all"], milliseconds, peer),
            row("numpy add.at", figures["add.at"], milliseconds, peer),
            row("numpy, a mask per cluster", figures["masks"], milliseconds),
        ],
        (f"{ROUNDS} alternating runs; less is better",),
    )


def _seconds(value: float) -> str:
    return f"{value:.1f} s"
