"""The page docs/scale.md, from what was measured: its words are here, its figures are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.fits import Fit, fit
from bench.scale_plan import Assumed, Measured, Plan, plan

BILLION = 1e9
LOADS = (1 * BILLION, 100 * BILLION)
SINGLE = ("clicks",)
PARTS = ("every link", "a link of a tenth")


def page(measured: dict[str, Any]) -> str:
    """All of it as Markdown."""
    stores: dict[str, dict[float, dict[str, Any]]] = {
        name: {int(size) / 1e6: found for size, found in sorted(sizes.items(), key=lambda each: int(each[0]))}
        for name, sizes in measured["stores"].items()
    }
    largest = max(stores["ClickHouse"])
    at = stores["ClickHouse"][largest]
    million = largest * 1e6
    single = sum(size for table, size in at["bytes"].items() if table in SINGLE) / million
    counts = sum(at["bytes"].values()) / million - single
    # Of a fill from nothing to `largest`, the last step: what a million costs where much is there already.
    needs = Measured(single, counts, at["fill"][1])
    assumed = Assumed()
    plans = [plan(load, needs, assumed) for load in LOADS]
    return WORDS.format(
        sizes=", ".join(f"{size:g}" for size in sorted(set().union(*stores.values()))),
        largest=f"{largest:g}",
        when="; ".join(
            f"{name} {size:g} million {found['when']} at load {found['load']}"
            for name, sizes in stores.items()
            for size, found in sizes.items()
        ),
        machine=at["on"],
        filled="\n".join(_filled(stores)),
        growth="\n".join(_growth(stores)),
        plans="\n".join(_plans(plans)),
        assumed="\n".join(_assumed(assumed)),
        first=_first(stores, needs, assumed),
        extrapolated=f"{largest:g} million",
    )


def _filled(stores: dict[str, dict[float, dict[str, Any]]]) -> Iterator[str]:
    yield (
        "| | " + " | ".join(f"{name}, {size:g} million" for name, of in stores.items() for size in of) + " |"
    )
    yield "| --- |" + " --- |" * sum(map(len, stores.values()))
    every = [(size, found) for of in stores.values() for size, found in of.items()]
    yield (
        "| bytes a click, all on disk | "
        + " | ".join(f"{sum(found['bytes'].values()) / size / 1e6:.1f}" for size, found in every)
        + " |"
    )
    yield (
        "| of them single clicks | "
        + " | ".join(
            f"{found['bytes']['clicks'] / size / 1e6:.1f}" if "clicks" in found["bytes"] else ""
            for size, found in every
        )
        + " |"
    )
    yield (
        "| ms to store a million, by the clock | "
        + " | ".join(f"{found['fill'][0]:,.0f}" for _, found in every)
        + " |"
    )
    yield (
        "| the same on the processors | "
        + " | ".join(f"{found['fill'][1]:,.0f}" for _, found in every)
        + " |"
    )


def _growth(stores: dict[str, dict[float, dict[str, Any]]]) -> Iterator[str]:
    sizes = sorted(set.intersection(*(set(of) for of in stores.values())))
    head = [f"{name}, {size:g} million" for name in stores for size in sizes]
    laws = [f"{name} grows" for name in stores]
    yield "| question, ms on the processors | " + " | ".join([*head, *laws]) + " |"
    yield "| --- |" + " --- |" * (len(head) + len(laws))
    first = next(iter(stores.values()))[sizes[0]]["questions"]
    for title in first:
        cells, told = [], []
        for of in stores.values():
            values = [max(of[size]["questions"][title][1], 0.01) for size in sizes]
            cells += [_short(value) for value in values]
            told.append(said(fit(sizes, values)) if len(sizes) > 1 else "")
        yield f"| {title} | " + " | ".join([*cells, *told]) + " |"


def said(found: Fit) -> str:
    """A law in words and figures."""
    sign = f"n^{found.exponent:.2f}" if found.law == "power" else f"base + n, n^{found.exponent:.2f} here"
    return f"{found.grows} ({sign}, R² {found.r2:.2f})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _plans(plans: list[Plan]) -> Iterator[str]:
    yield "| | " + " | ".join(f"{load / BILLION:g} billion a month" for load in LOADS) + " |"
    yield "| --- |" + " --- |" * len(plans)
    rows: list[tuple[str, Any]] = [
        ("redirects a second, on average; at the peak", lambda p: f"{p.average:,.0f}; {p.peak:,.0f}"),
        ("redirectors of 8 cores, one of which may fail", lambda p: f"{p.redirectors}"),
        ("network at the peak", lambda p: f"{p.gbit:,.2f} Gbit/s"),
        ("cores that store at the peak, both copies", lambda p: f"{p.storing:,.2g}"),
        ("single clicks of a year, both copies", lambda p: f"{p.single_gb / 1000:,.1f} TB"),
        ("counts of a year, both copies, at most", lambda p: f"{p.counts_gb / 1000:,.1f} TB"),
        ("ClickHouse, shards × replicas", lambda p: f"{p.shards} × {p.servers // p.shards}"),
        ("machines, a month", lambda p: f"${p.compute:,.0f}"),
        ("disks, a month", lambda p: f"${p.disks:,.0f}"),
        ("traffic, a month", lambda p: f"${p.traffic:,.0f}"),
        ("**all, a month**", lambda p: f"**${p.money:,.0f}**"),
        ("of a million clicks", lambda p: f"${p.money / LOADS[plans.index(p)] * 1e6:,.2f}"),
    ]
    for name, shown in rows:
        yield f"| {name} | " + " | ".join(shown(each) for each in plans) + " |"


def _assumed(assumed: Assumed) -> Iterator[str]:
    for name, value in (
        ("the busiest minute, times the average", f"{assumed.peak:g}"),
        ("how far machines are used then", f"{assumed.busy:.0%}"),
        (
            "months that single clicks are kept (`keep_clicks_days`); counts stay for ever",
            f"{assumed.kept_months}",
        ),
        ("copies of everything in ClickHouse", f"{assumed.copies}"),
        ("of each disk left free for merges", f"{assumed.free:.0%}"),
        (
            "bytes of a redirect in and out, with its share of TLS handshakes",
            f"{assumed.bytes_in:,} and {assumed.bytes_out:,}",
        ),
        ("redirects a second and core", f"{assumed.redirects:,}"),
        ("cores of a machine, disk of a ClickHouse machine", f"{assumed.cores}, {assumed.disk / 1000:g} TB"),
        ("a core with 4 GB of memory, a month", f"${assumed.core_month:g}"),
        ("a GB of SSD, a month", f"${assumed.gb_month:g}"),
        ("a GB to the world", f"${assumed.gb_out:g}"),
    ):
        yield f"| {name} | {value} |"


def _first(stores: dict[str, dict[float, dict[str, Any]]], needs: Measured, assumed: Assumed) -> str:
    """What is slowest of all links at the largest size, and what it would be at a billion."""
    of = stores["ClickHouse"]
    sizes = sorted(of)
    told = []
    for title, _ in sorted(of[sizes[-1]]["questions"].items(), key=lambda each: -each[1][1]):
        if title.endswith(PARTS[0]) and len(sizes) > 1:
            values = [of[size]["questions"][title][1] for size in sizes]
            # What reads single clicks ends up linear, whatever the law says of small sizes.
            ends = sorted((fit(sizes, values).at(1000), values[-1] * 1000 / sizes[-1]))
            told.append((title.partition(";")[0], values[-1], *(end / 1000 for end in ends)))
    return ", ".join(
        f"*{title}* {now:,.0f} ms (at a billion {' to '.join(dict.fromkeys((f'{low:,.0f}', f'{high:,.0f}')))} s)"
        for title, now, low, high in told[:3]
    )


WORDS = """# What a billion clicks need
Written by `python -m bench scale` from what it measured (bench/scale.json); `CLICKATLAS_BENCH_MILLIONS=0 python -m bench scale`
writes the page again without measuring. **Measured** are {sizes} million clicks in DuckDB and in ClickHouse's own engine, in one
process on one small machine ({machine}); all beyond {largest} million is **extrapolated**, and money is **assumed**.

## In short
- Short links are never the bottleneck: a redirector asks no store, and there may be any number of them.
- The first bottleneck is **reading single clicks**: questions that counts can't answer (browsers, languages, hosts, hours at each place's
  clock, a part of a country by the day) read all clicks of the filter. Of every link at {largest} million, on the processors, ClickHouse takes
  most for {first}. Of a workspace's own links it is as many clicks as these have; and shards share it, as a link's clicks are all on one.
- The second is the disk, which single clicks fill: `keep_clicks_days` bounds them. Counts grow with links × places × days that have clicks,
  more slowly than clicks.
- Storing is not: see the cores below.

## Measured
1,000 links over 90 days, a tenth of all clicks on one of them, 250,000 places; the same clicks in both. Stored straight from arrays in
batches of 500,000, with all rollups; a column's times are of the clicks since the column before. {when}. The load says how much else the
machine did: **the clock then says little, the processors' time most**.

{filled}

Another fill of DuckDB with 100 million, with its questions by the clock, is in [benchmarks.md](benchmarks.md).

## How questions grow
Medians of three, in ms on the processors (divide by the cores of a shard for the least that the clock could show). A law is fitted by least
squares on logarithms: a power of n, or a fixed part and one of each click, whichever tells more (R²). Below n^0.15 a question is called
constant, below n^0.85 sublinear. Through two sizes either law goes exactly, so R² is 1 and says nothing there: a hint, no proof.

{growth}

What is said of a billion above is by that law, and in a straight line from the largest size on.
Questions that read counts stay below linear until each place has clicks in each day; what reads single clicks ends up linear, whatever the law
says of small sizes.

## What it takes
Extrapolated from ClickHouse at {largest} million: bytes a click and time to store stay as they are there. The counts' bytes are then too high,
as clicks share more of them the more there are.

{plans}

With one machine for the app, PostgreSQL on two, and Keeper on three of them. A billion a month also fits one machine with DuckDB for as
long as its disk holds them, without a second copy: [operations.md](operations.md).

| assumed | |
| --- | --- |
{assumed}

Prices are the order of list prices of large clouds in 2025 and 2026, not looked up on a day: put in your own. Rented machines with their own
disks and flat traffic cost a fraction; then traffic, the largest part here, is next to nothing.

## Which numbers to believe
| | |
| --- | --- |
| bytes a click, ms to store, ms of questions up to {largest} million | measured, on made-up clicks: real ones repeat words and places more |
| redirects a second | measured: 27,500 to 32,300 on one worker without TLS ([benchmarks.md](benchmarks.md)); 20,000 is taken |
| everything at a billion and more | extrapolated by more than a factor of ten |
| shards, replicas, network between them | not measured: all was one process |
| peaks, TLS, bytes of a redirect, prices | assumed |
"""
