"""Counts held against the clicks that they are of, after a single server was started anew; what a table lacks is made up for.

A killed server may have lost a part of one table and kept it in the others (`clickhouse_lost`). So whenever it has been started
again, tables are added up by day, and where a sum differs, by all that they tell apart: 0.2 s of a processor for a million clicks
of the months that were changed since (measured with ten million, chDB 26.9).
A batch at hand is in one table a moment before it is in another, and one that was cut short may be in some until it is finished.
So a difference is made up for only when several looks in a row find the same, and nothing was under way at two of them.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clickatlas.clicks.clickhouse_schema import COUNTED, Table
from clickatlas.clicks.clickhouse_scope import among
from clickatlas.clicks.clickhouse_server import RIGHTS, TOO_MUCH, ClickHouseFault, Server
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS

LOOKS = 3  # in a row that must find the same
EVERY_S = 1.0  # between two looks; doubled while something stays under way
SELDOM_S = 60.0
FAILED_S = 600.0  # after a look that was refused or too much: clicks are counted all the same
STALE_S = 600  # who made up for something that long ago was killed
EXISTS = 57  # ClickHouse's number of that error
MINE = "mending"  # a table that is there while somebody makes up for something: only one can make it
log = logging.getLogger("clickatlas.store")

_DAY = f"intDiv(time, {DAY_MS})"
_FIRST = f"toInt32(day - toDayOfMonth(fromUnixTimestamp64Milli(toInt64(day) * {DAY_MS}, 'UTC')) + 1)"
# By name: the table that has the same clicks, and by which days (of a month the first) both tell them. In this order: what a
# table is held against was itself before.
HELD = {
    "place_days": ("clicks", _DAY, "day"),
    "time_quarters": ("clicks", _DAY, f"intDiv(quarter, {DAY_MS // QUARTER_MS})"),
    "place_months": ("place_days", _FIRST, "day"),
    "seen": ("place_days", "0", "0"),
}
TABLES = {table.name: table for table in COUNTED}


class Look(NamedTuple):
    """What was found: the first table that differs, what it lacks, and what was under way meanwhile."""

    table: str  # "" where all are even
    lacking: Mapping[str, npt.NDArray[Any]]
    under_way: frozenset[str]

    def agrees(self, other: Look) -> bool:
        """Whether it found the same, and nothing that was under way at one was so at the other."""
        return (
            self.table == other.table
            and all(np.array_equal(column, other.lacking[name]) for name, column in self.lacking.items())
            and not self.under_way & other.under_way
        )


class Evenness:
    """Of one store, for one thread at a time. Each of several processes may have one. Raises `ClickHouseFault`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._database = server.address.database
        self._is_due, self._started = False, 0
        self._looks: list[Look] = []
        self._left: set[str] = set()  # tables that count more than there is
        self._next, self._pause = 0.0, EVERY_S

    def tend(self, started: int, since: int) -> bool:
        """Look, where that is due: ClickHouse runs from `started` on (s), single clicks are kept from `since` on (ms).

        Returns whether something was made up for.
        """
        if abs(started - self._started) > 1:
            self._started, self._is_due, self._looks = started, True, []
            self._next, self._pause, self._left = 0.0, EVERY_S, set()
        if not self._is_due or time.monotonic() < self._next:
            return False
        try:
            return self._tend(since)
        except ClickHouseFault as fault:
            if fault.code not in (*RIGHTS, *TOO_MUCH):
                raise
            self._is_due = fault.code not in RIGHTS
            self._looks, self._next = [], time.monotonic() + FAILED_S
            log.warning(
                "counts can't be held against clicks%s: %s",
                ", which is tried again"
                if self._is_due
                else ", as the user may not see what ClickHouse is at",
                fault,
            )
            return False

    def _tend(self, since: int) -> bool:
        marks = f"SELECT max(value) FROM {self._database}.marks WHERE name = 'even'"
        clock = self._ask(f"SELECT toInt64(toUnixTimestamp(now())) AS now, ({marks}) AS even")
        began = int(clock["now"][0])
        if int(clock["even"][0]) > self._started + 1:  # they were since, as this process or another found
            self._is_due = False
            return False
        if self._still_under_way():
            self._pause = min(2 * self._pause, SELDOM_S)
            self._next = time.monotonic() + self._pause
            return False
        look = self.look(since)
        self._looks = [*self._looks, look] if all(look.agrees(other) for other in self._looks) else [look]
        waits = len(self._looks) == 1
        self._pause = min(2 * self._pause, SELDOM_S) if waits and look.under_way else EVERY_S
        self._next = time.monotonic() + self._pause
        if not look.table and len(self._looks) > 1:
            self._is_due, self._looks = False, []
            self._server.do(f"INSERT INTO {self._database}.marks (name, value) VALUES ('even', {began})")
        elif look.table and len(self._looks) >= LOOKS:
            return self._mend(since)
        return False

    def _ask(self, sql: str) -> dict[str, npt.NDArray[Any]]:
        return self._server.ask(sql)

    def _under_way(self) -> frozenset[str]:
        """Inserts, and batches that were begun."""
        found = self._ask(
            f"SELECT query_id AS name FROM system.processes WHERE query_kind = 'Insert' AND position(query, '{self._database}.') > 0"
            f" UNION ALL SELECT token AS name FROM {self._database}.spool_positions FINAL WHERE token != '' AND NOT forgotten"
        )
        return frozenset(found["name"].tolist())

    def _still_under_way(self) -> bool:
        """Whether another look can't agree with those before it yet: each may read a billion clicks, this reads none."""
        before = frozenset[str]().union(*(look.under_way for look in self._looks))
        return bool(before and before & self._under_way())

    def look(self, since: int) -> Look:
        """At what was changed since all were even; `since` as with `tend`."""
        under_way = self._under_way()
        parts = self._ask(
            f"SELECT DISTINCT partition_id AS month FROM system.parts WHERE active AND database = '{self._database}'"
            f" AND table IN ('clicks', 'place_days', 'place_months', 'time_quarters') AND toUnixTimestamp(modification_time) + 1 >="
            f" (SELECT max(value) FROM {self._database}.marks WHERE name = 'even')"
        )
        months = sorted(parts["month"].tolist())
        for name, (source, *_) in HELD.items() if months else ():
            if {name, source} & self._left:
                continue
            if len((lacking := self._lacking(TABLES[name], months, since))["lacking"]):
                return Look(name, lacking, under_way | self._under_way())
        return Look("", {}, under_way | self._under_way())

    def _lacking(self, table: Table, months: list[str], since: int) -> dict[str, npt.NDArray[Any]]:
        """By all that `table` tells apart how many clicks it lacks; fewer than none where it has more."""
        source, day_there, day_here = HELD[table.name]
        asked = [f"link NOT IN (SELECT link FROM {self._database}.removed_links)"]
        here, there = list(asked), list(asked)
        if table.month:
            of_months = f"_partition_id IN ({', '.join(repr(month) for month in months)})"
            here, there = [*here, of_months], [*there, of_months]
        if source == "clicks" and since:
            there.append(f"time >= {since}")
            here.append(f"{day_here} >= {since // DAY_MS}")
        count = "toInt64(count())" if source == "clicks" else "sum(clicks)"
        days = self._ask(
            f"SELECT period, sum(n) AS lacking FROM (SELECT toInt32({day_there}) AS period, {count} AS n FROM"
            f" {self._rows(source, there)} GROUP BY period UNION ALL SELECT toInt32({day_here}) AS period, -sum(clicks) AS n"
            f" FROM {self._rows(table.name, here)} GROUP BY period) GROUP BY period HAVING lacking != 0"
        )
        if not len(days["lacking"]):
            return {"lacking": days["lacking"]}
        here.append(among(f"toInt32({day_here})", days["period"]))
        there.append(among(f"toInt32({day_there})", days["period"]))
        rows = table.filled.format(f"(SELECT * FROM {self._rows(source, there)})")
        if source != "clicks":
            keys = table.order.replace("day", f"{_FIRST} AS first_day") if table.month else table.order
            rows = f"SELECT {keys}, sum(clicks) AS clicks FROM {self._rows(source, there)} GROUP BY ALL"
            rows = rows if not table.month else f"SELECT * EXCEPT first_day, first_day AS day FROM ({rows})"
        return self._ask(
            f"SELECT {table.order}, sum(n) AS lacking FROM (SELECT {table.order}, clicks AS n FROM ({rows}) UNION ALL"
            f" SELECT {table.order}, -clicks AS n FROM {self._rows(table.name, here)}) GROUP BY {table.order}"
            f" HAVING lacking != 0 ORDER BY {table.order}"
        )

    def _rows(self, table: str, conditions: list[str]) -> str:
        return f"{self._database}.{table} WHERE {' AND '.join(conditions)}"

    def _mend(self, since: int) -> bool:
        """Make up for what was found, if it still is so and nobody else does."""
        last = self._looks[-1]
        if (more := -int(last.lacking["lacking"].clip(max=0).sum())) > 0:
            log.error("%s counts %d clicks that are not there; it is left as it is", last.table, more)
            self._left.add(last.table)
            self._looks = []
            return False
        with self._alone() as who:
            if not who or not (look := self.look(since)).agrees(last) or look.under_way:
                return False
            mine = self._ask(f"SELECT 1 AS it {self._mark} AND comment = '{who}'")
            if len(mine["it"]):  # nobody took this for one that was killed
                self._make_up(last)
        return bool(len(mine["it"]))

    def _make_up(self, look: Look) -> None:
        clicks = int(look.lacking["lacking"].sum())
        log.error(
            "%s lacked %d clicks since ClickHouse was killed; they are counted there now", look.table, clicks
        )
        columns = {name: pa.array(column.tolist()) for name, column in look.lacking.items()}
        columns["clicks"] = columns.pop("lacking")
        if look.table == "seen":
            mine = among("link", look.lacking["link"])
            known = self._ask(  # exact where the clicks are kept, else not beyond what is known
                f"SELECT link, min(early) AS first, max(late) AS last FROM (SELECT link, time AS early, time AS late FROM"
                f" {self._rows('clicks', [mine])} UNION ALL SELECT link, (toInt64(day) + 1) * {DAY_MS} - 1 AS early,"
                f" toInt64(day) * {DAY_MS} AS late FROM {self._rows('place_days', [mine])}) GROUP BY link ORDER BY link"
            )
            columns |= {"first": pa.array(known["first"]), "last": pa.array(known["last"])}
        self._server.insert(look.table, pa.table(columns))

    @property
    def _mark(self) -> str:
        return f"FROM system.tables WHERE database = '{self._database}' AND name = '{MINE}'"

    @contextmanager
    def _alone(self) -> Iterator[str]:
        """A name under which nobody else makes up for something until the end; "" where another does."""
        name, who = f"{self._database}.{MINE}", secrets.token_hex(8)
        try:
            self._server.do(f"CREATE TABLE {name} (nothing UInt8) ENGINE = Memory COMMENT '{who}'")
        except ClickHouseFault as fault:
            if fault.code != EXISTS:
                raise
            if len(
                self._ask(f"SELECT 1 AS it {self._mark} AND metadata_modification_time < now() - {STALE_S}")[
                    "it"
                ]
            ):
                self._server.do(f"DROP TABLE IF EXISTS {name} SYNC")
            yield ""
            return
        try:
            yield who
        finally:
            self._server.do(f"DROP TABLE IF EXISTS {name} SYNC")
