"""Clicks whose token a killed server had noted, but which it had not kept: found missing, and put back.

A server of its own notes the token of a part in a log before it gives the part its name (``MergeTreeSink::finishDelayedChunk``,
seen with 26.9). Killed between the two it has the token and not the clicks, and drops them when they come again. On a cluster
Keeper takes both at once. So whoever finishes a batch that was cut short on such a server looks whether its clicks are there.
"""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from clickatlas.clicks.clickhouse_scope import among
from clickatlas.clicks.clickhouse_server import Server

TOLD_BY = ["link", "time", "place", "kind", "flags", "visitor"]
log = logging.getLogger("clickatlas.store")


def put_back(server: Server, clicks: pa.Table, name: str, since: int) -> int:
    """Store those of `clicks`, a piece that was inserted under a token, which are not there; returns how many.

    A month of them is one part, there as a whole or not at all: lost where most of its clicks are missing, as another's click
    may be the same in all that is compared. Before `since` (ms) none are looked for. `name` is the piece's own. Counts of
    them are left as they are, as each table has its own part. Raises `ClickHouseFault`.
    """
    beside = f"lost_{name.replace('-', '_')}"
    # Of one that was killed at this; a command of its that still runs ends before.
    server.do(f"DROP TABLE IF EXISTS {server.address.database}.{beside} SYNC")
    lost = clicks.filter(pa.array(_lost(server, clicks, since)))
    if lost.num_rows:
        log.error(
            "ClickHouse had taken %d clicks and lost them when it was killed; they are put back",
            lost.num_rows,
        )
        _attach(server, lost, beside)
    hosts = clicks.select(["link", "referrer"]).group_by(["link", "referrer"]).aggregate([])
    server.insert("hosts", hosts)  # may be said twice
    return int(lost.num_rows)


def _lost(server: Server, clicks: pa.Table, since: int) -> npt.NDArray[np.bool_]:
    """Of each click whether it is one of a month of which most are missing."""
    times, links = clicks["time"].to_numpy(), clicks["link"].to_numpy()
    database = server.address.database
    there = server.ask(
        f"SELECT {', '.join(TOLD_BY)}, toInt64(count()) AS times FROM {database}.clicks WHERE {among('link', np.unique(links))}"
        f" AND time BETWEEN {max(int(times.min()), since)} AND {int(times.max())}"
        # Between a click that was imported and one of today may lie all that there are.
        f" AND {among('time', np.unique(times))} GROUP BY {', '.join(TOLD_BY)}"
    )
    removed = server.ask(f"SELECT DISTINCT link FROM {database}.removed_links")["link"]
    sent = clicks.select(TOLD_BY).group_by(TOLD_BY).aggregate([([], "count_all")])
    both = sent.join(pa.table(there), TOLD_BY, join_type="left outer")
    few = pc.less(pc.fill_null(both["times"], 0), both["count_all"])
    held = _held(both, since, removed)
    missing, all_held = (
        np.unique(_months(both["time"].to_numpy()[which]), return_counts=True)
        for which in (held & few.to_numpy(zero_copy_only=False), held)
    )
    of_all = dict(zip(*(part.tolist() for part in all_held), strict=True))
    gone = [month for month, n in zip(*missing, strict=True) if 2 * n > of_all[month.item()]]
    return np.isin(_months(times), np.array(gone, "M8[M]")) & _held(clicks, since, removed)


def _held(clicks: pa.Table, since: int, removed: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of them are to be there: not what is kept no longer, nor what was deleted."""
    found = (clicks["time"].to_numpy() >= since) & ~np.isin(clicks["link"].to_numpy(), removed)
    return np.asarray(found, np.bool_)


def _months(times: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    return times.astype("M8[ms]").astype("M8[M]")


def _attach(server: Server, clicks: pa.Table, name: str) -> None:
    """Into the table of clicks by a table beside it: what goes in as an insert is counted in all others again."""
    database = server.address.database
    server.do(f"CREATE TABLE {database}.{name} AS {database}.clicks")
    server.insert(name, clicks)
    for month in np.unique(_months(clicks["time"].to_numpy())):
        partition = month.item().strftime("%Y%m")
        server.do(f"ALTER TABLE {database}.clicks ATTACH PARTITION {partition} FROM {database}.{name}")
    server.do(f"DROP TABLE {database}.{name} SYNC")
