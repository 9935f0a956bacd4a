"""The ClickHouse that has the clicks: whether it answers, in which format, and how its replicas and parts are. Only asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from clickatlas.clicks.clickhouse_address import address
from clickatlas.clicks.clickhouse_schema import VERSION
from clickatlas.clicks.clickhouse_server import OLDEST, ClickHouseFault, Server, explained
from clickatlas.clicks.moving_notes import MoveNotes
from clickatlas.doctor.finding import Finding, broken, fine, warning
from clickatlas.settings import Settings

MANY_PARTS = 300  # of a table and month: ClickHouse slows inserts down from 1,000 on
BEHIND_S = 60
HELD_S = 600  # after a start of ClickHouse counts are held against clicks by then


def look(settings: Settings) -> Iterator[Finding]:
    """Findings on the store that `clicks_url` names."""
    place = address(settings.clicks_url)
    with closing(Server(place)) as server:
        try:
            yield from _asked(server)
        except ClickHouseFault as fault:
            problem = explained(fault, place)
            yield broken("clickhouse", f"{problem.title}: {problem.detail}", problem.remedy)


def _asked(server: Server) -> Iterator[Finding]:
    shown, database, version = server.address.shown, server.address.database, server.version()
    said = ".".join(map(str, version))
    if version < OLDEST:
        needed = ".".join(map(str, OLDEST))
        yield broken(
            "clickhouse",
            f"{shown} is ClickHouse {said}; from {needed} on it is needed.",
            "Upgrade ClickHouse.",
        )
        return
    tables = server.ask(f"SELECT name FROM system.tables WHERE database = '{database}' AND name = 'marks'")
    if not len(tables["name"]):
        yield fine(
            "clickhouse", f"ClickHouse {said} answers at {shown}; its tables are made by the next start."
        )
        return
    known = server.ask(f"SELECT max(value) AS format FROM {database}.marks WHERE name = 'format'")
    if (number := int(known["format"][0])) > VERSION:
        yield broken(
            "clickhouse",
            f"{shown} was written by a newer clickatlas: format {number}, this one reads up to {VERSION}.",
            "Install the newer clickatlas again.",
        )
        return
    due = f", and brought to {VERSION} by the next start" if number < VERSION else ""
    yield fine("clickhouse", f"ClickHouse {said} answers at {shown}; the clicks are of format {number}{due}.")
    if MoveNotes(server).unfinished():
        yield warning(
            "clicks_copied",
            "Clicks of a DuckDB file are being copied there, and not all of them are there: nothing is counted until then.",
            "Let 'clickatlas migrate-store' end, or run it again.",
        )
    yield from _parts(server)
    yield from _counts(server)
    yield from _replicas(server)


def _everywhere(server: Server, table: str) -> str:
    """A system table, of all servers of a cluster that answer."""
    cluster = server.address.cluster
    return f"clusterAllReplicas({cluster}, {table})" if cluster else table


def _parts(server: Server) -> Iterator[Finding]:
    found = server.ask(
        "SELECT table, partition, toInt64(count()) AS parts FROM (SELECT hostName() AS host, table, partition FROM"
        f" {_everywhere(server, 'system.parts')} WHERE database = '{server.address.database}' AND active)"
        " GROUP BY host, table, partition ORDER BY parts DESC LIMIT 1 SETTINGS skip_unavailable_shards = 1"
    )
    for table, partition, parts in zip(
        *(found[name].tolist() for name in ("table", "partition", "parts")), strict=True
    ):
        if parts >= MANY_PARTS:
            yield warning(
                "clickhouse_parts",
                f"ClickHouse does not keep up with merging: {table} has {parts:,} parts of {partition}.",
                "Let batches be larger (ingest_interval_ms), or give ClickHouse a quicker disk. See system.merges.",
            )


def _counts(server: Server) -> Iterator[Finding]:
    """Of a server of its own: whether counts were held against clicks since it was started (`clickhouse_even`)."""
    if server.address.cluster:
        return
    database = server.address.database
    found = server.ask(
        "SELECT toInt64(toUnixTimestamp(now())) AS now, toInt64(uptime()) AS runs, max(value) AS even"
        f" FROM {database}.marks WHERE name = 'even'"
    )
    now, runs, even = (int(found[name][0]) for name in ("now", "runs", "even"))
    if runs < HELD_S or even >= now - runs:
        return
    begun = server.ask(
        f"SELECT stream FROM {database}.spool_positions FINAL WHERE token != '' AND NOT forgotten ORDER BY stream"
    )["stream"].tolist()
    why = "the log of clickatlas says which table differs, or clickatlas does not run"
    mend = "See its log, or start it (docs/clickhouse.md, 'A single server that is killed')."
    if begun:
        why = f"a batch of {', '.join(begun[:3])}{' and others' if len(begun) > 3 else ''} was begun and is not finished"
        mend = "Start clickatlas on the machine that has this spool, or count its disk: 'clickatlas ingest --once'."
    yield warning(
        "clickhouse_counts",
        f"Counts were not held against the clicks since ClickHouse was started {runs // 60:,} minutes ago: {why}.",
        mend,
    )


def _replicas(server: Server) -> Iterator[Finding]:
    if not server.address.cluster:
        return
    found = server.ask(
        "SELECT hostName() AS host, toInt64(max(is_readonly)) AS readonly, toInt64(max(absolute_delay)) AS behind FROM"
        f" {_everywhere(server, 'system.replicas')} WHERE database = '{server.address.database}' GROUP BY host ORDER BY host"
        " SETTINGS skip_unavailable_shards = 1"
    )
    [wanted] = server.ask(
        f"SELECT toInt64(count()) AS servers FROM system.clusters WHERE cluster = '{server.address.cluster}'"
    )["servers"].tolist()
    if len(found["host"]) < wanted:
        yield warning(
            "clickhouse_replicas",
            f"{len(found['host'])} of {wanted} servers of the cluster answer, or have the tables.",
            "Start the others. What was stored meanwhile comes to them by itself.",
        )
    for host, readonly, behind in zip(
        *(found[name].tolist() for name in ("host", "readonly", "behind")), strict=True
    ):
        if readonly:
            yield broken(
                "clickhouse_replicas",
                f"Tables on {host} can only be read.",
                "See ClickHouse's log there, and Keeper's.",
            )
        elif behind > BEHIND_S:
            yield warning(
                "clickhouse_replicas",
                f"{host} is {behind:,} seconds behind the other replicas: it may answer with older numbers.",
                "See system.replication_queue there.",
            )
