"""Clicks as they come into a ClickHouse, whoever stores them: each once, to those who began to ask before it came.

ClickHouse notes of each insert when it began and a number of its own (the table `arrivals`). An insert is seen as a whole when it
ends, which may be seconds later, on a shard whose clock is another. So what has come is asked for from some time before the last
look on, and what of it is known is told apart by the insert's number.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clickatlas.clicks.clickhouse_scope import listed_constant
from clickatlas.clicks.clickhouse_server import Server
from clickatlas.clicks.clickhouse_words import as_clicks
from clickatlas.clicks.store import Batch, Integers
from clickatlas.redirect.record import RECORD

OVERLAP_MS = 60_000  # how long an insert may take, and how much clocks may differ, together
MOST = 50_000  # clicks of one answer
COLUMNS = (
    "arrived, batch, number, time, link, place, kind, flags, device, browser, system, language, referrer"
)


class Told(NamedTuple):
    """Of an insert: when it began, by ClickHouse's clock (ms), and the first of its rows that is not told."""

    began: int
    untold: int


class ClickHouseArrivals:
    """What comes into a store from now on, but for clicks of links that are `removed`. For one thread.

    Raises `ClickHouseFault`.
    """

    def __init__(self, server: Server, removed: Callable[[], Integers]) -> None:
        self._server, self._removed = server, removed
        self._from = f"FROM {server.address.database}.arrivals"
        self._looked = _steady_ms()
        [clock] = server.ask("SELECT toUnixTimestamp64Milli(now64(3)) AS clock")["clock"].tolist()
        self._ahead = int(clock) - self._looked  # ClickHouse's clock, of one that is never put back
        self.behind = False
        rows = server.ask(
            f"SELECT batch, max(arrived) AS began, toInt64(max(number)) + 1 AS untold {self._from}"
            f" WHERE arrived >= {self._since} GROUP BY batch"
        )
        told = zip(*(rows[name].tolist() for name in ("batch", "began", "untold")), strict=True)
        self._told = {batch: Told(began, untold) for batch, began, untold in told}

    @property
    def _since(self) -> int:
        return self._looked + self._ahead - OVERLAP_MS

    def new(self) -> Batch:
        """Clicks that were stored since the last time; where there are more than `MOST`, the others are left to the next."""
        looked = _steady_ms()
        rows = self._server.ask(
            f"SELECT {COLUMNS} {self._from} WHERE arrived >= {self._since}{self._untold()}"
            f" ORDER BY arrived, batch, number LIMIT {MOST}"
        )
        self.behind = len(rows["batch"]) == MOST
        if not self.behind:
            self._looked = looked
        batches, last = np.unique(rows["batch"][::-1], return_index=True)
        for batch, at in zip(batches.tolist(), (len(rows["batch"]) - 1 - last).tolist(), strict=True):
            self._told[batch] = Told(int(rows["arrived"][at]), int(rows["number"][at]) + 1)
        self._told = {batch: told for batch, told in self._told.items() if told.began >= self._since}
        kept = ~np.isin(rows["link"], self._removed())
        flags = rows.pop("flags")[kept]
        clicks = as_clicks({name: column[kept] for name, column in rows.items()})
        records = np.zeros(len(flags), RECORD)
        for name in ("time", "link", "place", "kind", "agent", "referrer"):
            records[name] = getattr(clicks, name)
        records["flags"] = flags
        return Batch(records, clicks.agents, clicks.referrers, {})

    def _untold(self) -> str:
        """The condition that a row is none of those that were told."""
        if not self._told:
            return ""
        batches = listed_constant(self._told, "UInt64")
        numbers = listed_constant((told.untold for told in self._told.values()), "UInt64")
        return f" AND number >= transform(batch, {batches}, {numbers}, toUInt64(0))"


def _steady_ms() -> int:
    return time.monotonic_ns() // 1_000_000
