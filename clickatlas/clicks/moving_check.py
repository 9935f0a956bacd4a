"""Whether a copy is right: a DuckDB file and a ClickHouse store, each counted by itself, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.clickhouse_server import Server
from clickatlas.clicks.moving_source import Rows, Source, runs
from clickatlas.clicks.periods import DAY_MS
from clickatlas.progress import Progress
from clickatlas.redirect.record import Agent

AT_ONCE = 2_000_000  # clicks of the days that are compared at once: there are never more days of links
TOLD = 5  # differences that are told of one kind
Table = npt.NDArray[np.uint64]  # rows of keys and, last, clicks
LAST = 1 << 31


def differences(source: Source, server: Server, since: int, progress: Progress) -> list[str]:
    """What differs, a line each; none where all is equal. Single clicks before `since` (ms) are not kept any more."""
    progress.step("comparing days and links")
    found = list(_days(source, server, since, progress))
    progress.step("comparing places, links and words")
    for compare in (_places, _links):
        found += compare(source, server)
    found += _words(source, server, since)
    progress.done()
    return found


def _days(source: Source, server: Server, since: int, progress: Progress) -> Iterator[str]:
    rolled = f"FROM time_rollup WHERE {source.counted}"
    by_day = f"SELECT (time // {DAY_MS})::INTEGER AS day, count(*) AS clicks FROM clicks WHERE {source.stays} GROUP BY day"
    days = source.ask(
        f"SELECT day, sum(clicks)::BIGINT AS clicks FROM ({by_day} UNION ALL SELECT first AS day, sum(clicks) AS clicks"
        f" {rolled} GROUP BY first) GROUP BY day ORDER BY day"
    )
    starts = [begin for begin, _, _ in runs(days["day"], days["clicks"], AT_ONCE)]
    # Days without clicks, too, before the first and after the last: there must be none in ClickHouse either.
    spans = list(zip([0, *starts[1:]], [*starts[1:], LAST], strict=True)) if starts else [(0, LAST)]
    database = server.address.database
    for number, (begin, end) in enumerate(spans):
        within = f"time >= {begin * DAY_MS} AND time < {end * DAY_MS} AND {source.stays}"
        single = (
            f"SELECT (time // {DAY_MS})::INTEGER AS day, link, count(*) AS clicks FROM clicks WHERE {within}"
        )
        wanted = source.ask(
            f"SELECT day, link, sum(clicks)::BIGINT AS clicks FROM ({single} GROUP BY day, link UNION ALL"
            f" SELECT first AS day, link, sum(clicks) AS clicks {rolled} AND first >= {begin} AND first < {end}"
            " GROUP BY first, link) GROUP BY day, link HAVING sum(clicks) <> 0"
        )
        for table, day, inside in (
            (
                "time_quarters",
                "toInt32(intDiv(quarter, 96))",
                f"quarter >= {begin * 96} AND quarter < {end * 96}",
            ),
            ("place_days", "day", f"day >= {begin} AND day < {end}"),
        ):
            there = server.ask(
                f"SELECT {day} AS of, link, sum(clicks) AS total FROM {database}.{table} WHERE {inside} GROUP BY of, link"
                " HAVING total != 0"
            )
            yield from unlike(table, "day", wanted, there)
        kept = f"time >= {max(begin * DAY_MS, since)} AND time < {end * DAY_MS}"
        wanted = source.ask(f"{single} AND time >= {since} GROUP BY day, link")
        there = server.ask(
            f"SELECT toInt32(intDiv(time, {DAY_MS})) AS of, link, count() AS total FROM {database}.clicks WHERE {kept}"
            " GROUP BY of, link"
        )
        yield from unlike("clicks", "day", wanted, there)
        progress.advance((number + 1) / len(spans))


def _places(source: Source, server: Server) -> Iterator[str]:
    wanted = source.ask(
        "SELECT key, kind, sum(clicks)::BIGINT AS clicks FROM (SELECT place, kind, count(*) AS clicks FROM clicks"
        f" WHERE {source.stays} GROUP BY place, kind UNION ALL SELECT place, kind, sum(clicks) AS clicks FROM place_rollup"
        f" WHERE {source.counted} GROUP BY place, kind) JOIN places ON id = place GROUP BY key, kind HAVING sum(clicks) <> 0"
    )
    for table in ("place_days", "place_months"):
        there = server.ask(
            f"SELECT place, kind, sum(clicks) AS total FROM {server.address.database}.{table} GROUP BY place, kind"
            " HAVING total != 0"
        )
        yield from unlike(table, "place", wanted, there)


def _links(source: Source, server: Server) -> Iterator[str]:
    wanted = source.ask(
        "SELECT link, min(first) AS first, max(last) AS last, sum(clicks)::BIGINT AS clicks FROM (SELECT link, first, last,"
        f" clicks FROM seen WHERE {source.stays} UNION ALL SELECT link, min(time), max(time), count(*) FROM incoming"
        f" WHERE {source.stays} GROUP BY link) WHERE clicks > 0 GROUP BY link"
    )
    there = server.ask(
        "SELECT link, min(first) AS begin, max(last) AS end, sum(clicks) AS total"
        f" FROM {server.address.database}.seen GROUP BY link HAVING total != 0"
    )
    yield from unlike("seen", "link", wanted, there)


def _words(source: Source, server: Server, since: int) -> Iterator[str]:
    """Single clicks by each of their words, and sums of what is a number."""
    kept = f"clicks WHERE time >= {since} AND {source.stays}"
    there = f"{server.address.database}.clicks WHERE time >= {since}"
    for name in (*Agent._fields, "referrer"):
        table, word = ("referrers", "host") if name == "referrer" else ("agents", name)
        column = "referrer" if name == "referrer" else "agent"
        mine = source.ask(
            f"SELECT {word} AS word, sum(clicks)::BIGINT AS clicks FROM (SELECT {column} AS number, count(*) AS clicks"
            f" FROM {kept} GROUP BY number) JOIN {table} ON id = number GROUP BY word"
        )
        its = server.ask(f"SELECT {name} AS word, count() AS clicks FROM {there} GROUP BY word")
        one, other = (
            dict(zip(of["word"].tolist(), of["clicks"].tolist(), strict=True)) for of in (mine, its)
        )
        for each in sorted(word for word in {*one, *other} if one.get(word) != other.get(word))[:TOLD]:
            yield f"{name} {each!r}: {one.get(each, 0):,} in the file, {other.get(each, 0):,} in clicks of ClickHouse"
    sums = {name: f"sum({name})" for name in ("kind", "flags", "visitor")}
    sums |= {"time": "sum(time % 86400000)"}
    for name, of in sums.items():
        told = int(source.ask(f"SELECT coalesce({of}, 0)::BIGINT AS total FROM {kept}")["total"][0])
        found = int(server.ask(f"SELECT toInt64({of}) AS total FROM {there}")["total"][0])
        if told != found:
            yield f"sum of {name}: {told:,} in the file, {found:,} in clicks of ClickHouse"


def unlike(table: str, what: str, wanted: Rows, there: Rows) -> list[str]:
    """Rows that are in one and not in the other, in words; the first column is a day, a place or a link."""
    one, other = _sorted(wanted), _sorted(there)
    if np.array_equal(one, other):
        return []
    rows, times = np.unique(np.concatenate([one, other]), axis=0, return_counts=True)
    single = rows[times == 1]
    keys = np.unique(single[:, : 1 if what == "link" else 2], axis=0)
    lines = []
    for key in keys[:TOLD]:
        mine, its = (_of(key, table_rows) for table_rows in (one, other))
        lines.append(f"{_named(what, key)}: {mine} in the file, {its} in {table} of ClickHouse")
    if len(keys) > TOLD:
        lines.append(f"… and {len(keys) - TOLD:,} more of {table}")
    return lines


def _sorted(columns: Rows) -> Table:
    rows = np.stack([np.asarray(column).astype(np.uint64) for column in columns.values()], axis=1)
    ordered: Table = rows[np.lexsort(rows.T[::-1])]
    return ordered


def _of(key: npt.NDArray[Any], rows: Table) -> str:
    found = rows[(rows[:, : len(key)] == key).all(axis=1)]
    if not len(found):
        return "0 clicks"
    ends = f" from {found[0, 1]} to {found[0, 2]}" if rows.shape[1] == 4 else ""
    return f"{int(found[0, -1]):,} clicks{ends}"


def _named(what: str, key: npt.NDArray[Any]) -> str:
    if what == "day":
        return f"{np.datetime64(int(key[0]), 'D')}, link {key[1]}"
    return f"link {key[0]}" if what == "link" else f"place {key[0]}, network kind {key[1]}"
