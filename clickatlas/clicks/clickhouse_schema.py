"""The tables of a ClickHouse store, from one description: for one server, and for a cluster of shards and replicas.

Clicks and what is counted of them lie on the shard of their link, so that a link's clicks are counted where they are, and a
batch and its counts are told apart from a repeated one on the same server. What every ingest must know is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from clickatlas.clicks.clickhouse_address import Address
from clickatlas.clicks.clickhouse_server import OLDEST, Server
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.errors import Problem
from clickatlas.redirect.record import Flags

VERSION = 3
WINDOW = 100_000  # parts whose tokens a table remembers: with a batch a second more than a day's
WINDOW_S = 30 * 86_400
TOLD_MINUTES = 10  # that a click may still be told live after it was stored
SWEEP_S = 60  # between two looks at what of that is over; ClickHouse's own would be four hours
_LC = "LowCardinality(String)"
_MONTH = "toYYYYMM(fromUnixTimestamp64Milli({}, 'UTC'))"


@dataclass(frozen=True)
class Table:
    """One table; `filled` is the SELECT that fills it from each batch of clicks, "" where we do."""

    name: str
    columns: str
    order: str
    engine: str = "MergeTree"
    month: str = ""  # the moment (ms) whose month says which partition a row belongs to
    filled: str = ""
    everywhere: bool = False  # all of it on each server of a cluster
    ttl: str = ""  # when a row may go, "" for never

    @property
    def month_of(self) -> str:
        """Its partition."""
        return _MONTH.format(self.month)


CLICKS = Table(
    "clicks",
    "time Int64 CODEC(Delta, ZSTD(1)), link Int64 CODEC(ZSTD(1)), place UInt64 CODEC(ZSTD(1)), kind UInt8, flags UInt8,"
    f" visitor UInt32, device {_LC}, browser {_LC}, system {_LC}, language {_LC}, referrer {_LC}",
    "link, time, place",
    month="time",
)
COUNTED = (
    Table(
        "place_days",
        f"link Int64, day Int32, place UInt64 CODEC(ZSTD(1)), kind UInt8, device {_LC}, clicks Int64 CODEC(ZSTD(1))",
        "link, day, place, kind, device",
        "SummingMergeTree",
        f"toInt64(day) * {DAY_MS}",
        f"SELECT link, toInt32(intDiv(time, {DAY_MS})) AS day, place, kind, device, toInt64(count()) AS clicks FROM {{}}"
        " GROUP BY link, day, place, kind, device",
    ),
    Table(
        "place_months",  # by the day that it begins on
        f"link Int64, day Int32, place UInt64 CODEC(ZSTD(1)), kind UInt8, device {_LC}, clicks Int64 CODEC(ZSTD(1))",
        "link, day, place, kind, device",
        "SummingMergeTree",
        f"toInt64(day) * {DAY_MS}",
        f"SELECT link, toInt32(intDiv(time, {DAY_MS}) - toDayOfMonth(fromUnixTimestamp64Milli(time, 'UTC')) + 1) AS day,"
        " place, kind, device, toInt64(count()) AS clicks FROM {} GROUP BY link, day, place, kind, device",
    ),
    Table(
        "time_quarters",
        f"link Int64, quarter Int32 CODEC(Delta, ZSTD(1)), kind UInt8, device {_LC}, clicks Int64 CODEC(ZSTD(1))",
        "link, quarter, kind, device",
        "SummingMergeTree",
        f"toInt64(quarter) * {QUARTER_MS}",
        f"SELECT link, toInt32(intDiv(time, {QUARTER_MS})) AS quarter, kind, device, toInt64(count()) AS clicks FROM {{}}"
        " GROUP BY link, quarter, kind, device",
    ),
    Table(
        "seen",
        "link Int64, first SimpleAggregateFunction(min, Int64), last SimpleAggregateFunction(max, Int64),"
        " clicks SimpleAggregateFunction(sum, Int64)",
        "link",
        "AggregatingMergeTree",
        filled="SELECT link, min(time) AS first, max(time) AS last, toInt64(count()) AS clicks FROM {} GROUP BY link",
    ),
    Table(
        "hosts",  # of referring pages: which are an origin's is known by looking at all of them
        f"link Int64, referrer {_LC}",
        "link, referrer",
        "ReplacingMergeTree",
        filled="SELECT link, referrer FROM {} GROUP BY link, referrer",
    ),
)
_NOW = "toUnixTimestamp64Milli(now64(3))"
# What is told live of each batch. Rows are told apart by the insert that they came with, and their number in it: neither is the
# same when a batch comes again, but then its token is. So it must have no partitions: a token is remembered by partition.
ARRIVALS = Table(
    "arrivals",
    "arrived Int64 CODEC(Delta, ZSTD(1)), batch UInt64 CODEC(ZSTD(1)), number UInt32 CODEC(Delta, ZSTD(1)), time Int64"
    " CODEC(Delta, ZSTD(1)), link Int64 CODEC(ZSTD(1)), place UInt64 CODEC(ZSTD(1)), kind UInt8, flags UInt8,"
    f" device {_LC}, browser {_LC}, system {_LC}, language {_LC}, referrer {_LC}",
    "arrived, batch, number",
    filled=f"SELECT {_NOW} AS arrived, bitShiftLeft(toUInt64(randConstant(1)), 32) + randConstant(2) AS batch,"
    " toUInt32(rowNumberInAllBlocks()) AS number, time, link, place, kind, flags, device, browser, system, language, referrer"
    f" FROM {{}} WHERE bitAnd(flags, {int(Flags.SAMPLE | Flags.IMPORTED)}) = 0 AND time > {_NOW} - {DAY_MS}",
    ttl=f"toDateTime(fromUnixTimestamp64Milli(arrived, 'UTC'), 'UTC') + toIntervalMinute({TOLD_MINUTES})",
)
KNOWN = (
    Table(
        "spool_positions",  # `done` is in the store; what is up to `ends` may be, in part
        "stream String, done_segment Int64, done_offset Int64, ends_segment Int64, ends_offset Int64, token String,"
        " noted UInt64, forgotten UInt8",
        "stream",
        "ReplacingMergeTree(noted)",
        everywhere=True,
    ),
    Table("removed_links", "link Int64", "link", "ReplacingMergeTree", everywhere=True),
    Table(
        "marks",  # numbers that only grow: format, journal, kept_since
        "name String, value SimpleAggregateFunction(max, Int64)",
        "name",
        "AggregatingMergeTree",
        everywhere=True,
    ),
)
OF_LINKS = (CLICKS, *COUNTED, ARRIVALS)


def local(table: Table, cluster: str) -> str:
    """The name of a table on the server that has its rows."""
    return f"{table.name}_local" if cluster and not table.everywhere else table.name


def on_cluster(cluster: str) -> str:
    """Where a command is done."""
    return f" ON CLUSTER {cluster}" if cluster else ""


def made(table: Table, database: str, cluster: str) -> Iterator[str]:
    """The commands that make a table where there is none."""
    where, name = on_cluster(cluster), local(table, cluster)
    engine, dedup = table.engine, f"non_replicated_deduplication_window = {WINDOW}"
    if cluster:
        kind, _, given = engine.partition("(")
        path, replica = f"{{shard}}/{database}/{name}", "{replica}"
        if table.everywhere:
            path, replica = f"everywhere/{database}/{name}", "{shard}-{replica}"
        own = ", ".join([f"'/clickhouse/tables/{path}'", f"'{replica}'", *([given[:-1]] if given else [])])
        engine = f"Replicated{kind}({own})"
        dedup = f"replicated_deduplication_window = {WINDOW}, replicated_deduplication_window_seconds = {WINDOW_S}"
    partition = f" PARTITION BY {table.month_of}" if table.month else ""
    settings = "" if table.everywhere else f" SETTINGS {dedup}"
    if table.ttl:
        settings = f" TTL {table.ttl}{settings}, merge_with_ttl_timeout = {SWEEP_S}"
    yield (
        f"CREATE TABLE IF NOT EXISTS {database}.{name}{where} ({table.columns}) ENGINE = {engine}{partition}"
        f" ORDER BY ({table.order}){settings}"
    )
    if cluster and not table.everywhere:
        yield (
            f"CREATE TABLE IF NOT EXISTS {database}.{table.name}{where} AS {database}.{name}"
            f" ENGINE = Distributed({cluster}, {database}, {name}, cityHash64(link))"
        )
    if table.filled:
        clicks = f"{database}.{local(CLICKS, cluster)}"
        yield (
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.to_{table.name}{where} TO {database}.{name}"
            f" AS {table.filled.format(clicks)}"
        )


def migrations(address: Address) -> dict[int, list[str]]:
    """By version what brings a store there from the one before."""
    database, cluster = address.database, address.cluster
    tables = {1: (*KNOWN, CLICKS, *COUNTED), 2: (ARRIVALS,)}
    found = {
        number: [command for table in of for command in made(table, database, cluster)]
        for number, of in tables.items()
    }
    # A spool lets go of what is noted to be here. Replicas have it from each other; counts are held against clicks.
    found[3] = [
        f"ALTER TABLE {database}.{table.name} MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1"
        for table in (*KNOWN, CLICKS)
        if not cluster
    ]
    return found


def retention(address: Address, days: int) -> str:
    """The command that has ClickHouse let go of single clicks older than so many days; 0: of none."""
    table = f"{address.database}.{local(CLICKS, address.cluster)}"
    head = f"ALTER TABLE {table}{on_cluster(address.cluster)}"
    if not days:
        return f"{head} REMOVE TTL"
    # Two days later than questions leave them out: nothing goes that is still asked for.
    return f"{head} MODIFY TTL toDateTime(fromUnixTimestamp64Milli(time, 'UTC'), 'UTC') + toIntervalDay({days + 2})"


def bring_along(server: Server) -> None:
    """Make what is missing. Raises `Problem` where the server is too old, or the store newer than this program."""
    address = server.address
    if server.version() < OLDEST:
        raise Problem(
            503,
            "ClickHouse is too old",
            f"{address.shown} is ClickHouse {'.'.join(map(str, server.version()))}; from {OLDEST[0]}.{OLDEST[1]} on it is needed.",
            remedy="Upgrade ClickHouse.",
        )
    database, where = address.database, on_cluster(address.cluster)
    found = server.ask(
        f"SELECT name FROM system.tables WHERE database = '{database}' AND name IN ('marks', 'clicks_local')"
    )
    names, version = set(found["name"].tolist()), 0
    if "marks" in names:
        known = server.ask(f"SELECT max(value) AS version FROM {database}.marks WHERE name = 'format'")
        version = int(known["version"][0])
    if version > VERSION:
        raise Problem(
            503,
            "The click store is of a newer version",
            f"{address.shown} was written by a newer clickatlas: format {version}, this one reads up to {VERSION}.",
            remedy="Install the newer clickatlas again.",
        )
    if version and bool(address.cluster) != ("clicks_local" in names):
        raise Problem(
            503,
            "The click store is of another kind",
            f"{address.shown}: the tables were made {'without' if address.cluster else 'for'} a cluster.",
            remedy="Say 'cluster=NAME' in 'clicks_url' as when they were made, or name another database.",
        )
    if version == VERSION:
        return
    server.do(f"CREATE DATABASE IF NOT EXISTS {database}{where}")
    for number, commands in migrations(address).items():
        if number > version:
            for command in commands:
                server.do(command)
            server.do(f"INSERT INTO {database}.marks (name, value) VALUES ('format', {number})")


def schema(database: str = "clickatlas", cluster: str = "") -> str:
    """All of it as SQL, to be read."""
    address = replace(Address(database), cluster=cluster)
    return "".join(f"{command};\n" for commands in migrations(address).values() for command in commands)
