"""Where the answer to a question is read: which periods of which rollups, and which single clicks.

What a rollup doesn't have at all, or not so finely (the edges of a range of dates, which is cut by the
reader's clock), comes from `settled`; the newest clicks come from `incoming`. Together they are each click once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import (
    COARSE_LEVELS,
    DAY_MS,
    EVERY_LEVEL,
    QUARTER_MS,
    Block,
    Level,
    cover,
    first_day,
    next_day,
)
from clickatlas.clicks.rollups import DEVICE_COLUMNS, EVERY
from clickatlas.clicks.store import Integers

WORTH_TAKING_AWAY = 2_000_000  # clicks that reading every link's rollup is about as dear as
SHORTEST_DAY_MS = 20 * 3_600_000  # when clocks are put forward
INLINE = 50  # links in a list that DuckDB holds against each row group's smallest and largest


@dataclass(frozen=True)
class Group:
    """Links that are read in the same way; `links` as a condition in SQL, "" for any click."""

    sign: int
    rolled: str
    clicks: str
    levels: tuple[Level, ...]  # of their place rollup; days of single links are for swept days only
    total: int  # clicks, of all times

    @property
    def busy(self) -> bool:
        """Whether rollups have all of their settled clicks."""
        return bool(self.levels)


class Part(NamedTuple):
    """A SELECT of (place, kind, clicks), or of single clicks' (place, kind): `about` so many; to add or take away."""

    sign: int
    select: str
    single: bool = False
    about: int = 0


class Sources:
    """What one selection is read from, as of the transaction that `cursor` is in."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, selection: Selection, kinds: Sequence[int] | None = None
    ) -> None:
        self._cursor = cursor
        self._lists = 0
        self.selection = selection
        self.parameters: dict[str, Any] = {}
        value, which = ["clicks"], []
        if selection.devices:
            self.parameters["devices"] = list(selection.devices)
            which.append("agent IN (SELECT id FROM agents WHERE list_contains($devices, device))")
            value = [device for device in selection.devices if device in DEVICE_COLUMNS] or ["0"]
        self._value = " + ".join(value)
        self._kinds = (
            [] if kinds is None else [f"kind IN ({', '.join(str(int(kind)) for kind in kinds) or 'NULL'})"]
        )
        self._which = which
        [(self.since,)] = cursor.execute("SELECT since FROM kept").fetchall()
        seen = cursor.execute(
            "SELECT link, first, last, clicks, link IN (FROM busy_links) AS busy FROM seen"
        ).fetchnumpy()
        self._seen = {name: np.asarray(column) for name, column in seen.items()}
        self._busy_days = {day for (day,) in cursor.execute("FROM busy_days").fetchall()}
        self._length = int(self._seen["last"].max(initial=0) - self._seen["first"].min(initial=1 << 53)) + 1
        self._mine = "" if selection.links is None else self._among(selection.links)

    def ask(self, sql: str) -> dict[str, npt.NDArray[Any]]:
        """The columns of an answer."""
        return self._cursor.execute(sql, self.parameters if "$devices" in sql else None).fetchnumpy()

    def _among(self, links: Sequence[int]) -> str:
        if not len(links):
            return "false"
        if len(links) == 1:
            return f"link = {int(links[0])}"
        if len(links) <= INLINE:
            return f"link IN ({', '.join(str(int(link)) for link in links)})"
        self._lists += 1
        self._cursor.register(f"links{self._lists}", {"link": np.array(links, np.int64)})
        return f"link IN (FROM links{self._lists})"

    def groups(self) -> Iterator[Group]:
        """The selection's links by the way in which their settled clicks are read.

        A selection of most links is every link less the others.
        """
        link, clicks, busy = self._seen["link"], self._seen["clicks"], self._seen["busy"]
        every = Group(1, f"link = {EVERY}", "", EVERY_LEVEL, int(clicks.sum()))
        if self.selection.links is None:
            yield every
            return
        mine = np.isin(link, np.array(self.selection.links, np.int64))
        sign = 1
        if clicks[mine & ~busy].sum() > clicks[~mine & ~busy].sum() + WORTH_TAKING_AWAY:
            yield every
            mine, sign = ~mine, -1
        for some, levels in ((mine & busy, COARSE_LEVELS), (mine & ~busy, ())):
            if some.any():
                condition = self._among(link[some].tolist())
                yield Group(sign, condition, condition, levels, int(clicks[some].sum()))

    def bounds(self, grain: int) -> tuple[int, int]:
        """The selection's range (ms), clipped to the years in which there are clicks.

        Before `since`, where there are no single clicks, its ends are the nearest whole `grain`.
        """
        if not len(self._seen["link"]):
            return 0, 0
        first, last = int(self._seen["first"].min()) // DAY_MS, int(self._seen["last"].max()) // DAY_MS
        begin, end = self.range(grain)
        return (
            max(begin, first_day(Level.YEAR, first) * DAY_MS),
            min(end, next_day(Level.YEAR, first_day(Level.YEAR, last)) * DAY_MS),
        )

    def range(self, grain: int) -> tuple[int, int]:
        """As `bounds`, not clipped."""
        begin, end = (
            (at + grain // 2) // grain * grain if at < self.since else at
            for at in (
                self.selection.start or 0,
                1 << 53 if self.selection.end is None else self.selection.end,
            )
        )
        return begin, end

    def places(self) -> Iterator[Part]:
        """What clicks per place and network kind are read from."""
        begin, end = self.bounds(DAY_MS)
        for group in self.groups():
            blocks, ranges = self._days(begin, end, group.levels)
            for block in blocks:
                if block.level is Level.DAY and group.rolled == group.clicks and not self.since:
                    continue
                found = self._where(
                    group.rolled, f"level = {block.level}", _between("first", block.begin, block.end)
                )
                yield Part(
                    group.sign * block.sign,
                    f"SELECT place, kind, {self._value} AS clicks FROM place_rollup{found}",
                )
            for sign, start, stop in ranges:
                if stop > self.since:
                    about = group.total * (stop - start) // self._length
                    select = self._single("place, kind", group.clicks, start, stop)
                    yield Part(group.sign * sign, select, single=True, about=about)
        newest = self._single("place, kind", self._mine, *self.range(DAY_MS), table="incoming")
        yield Part(1, newest, single=True)

    def times(self) -> str:
        """A SELECT of (quarter, clicks)."""
        begin, end = self.bounds(QUARTER_MS)
        first, behind = -(-begin // QUARTER_MS), end // QUARTER_MS
        parts = []
        for group in self.groups():
            rolled = behind if group.busy else min(behind, self.since // QUARTER_MS)
            if first < rolled:
                parts.append(
                    f"SELECT first AS quarter, {group.sign} * ({self._value}) AS clicks FROM time_rollup"
                    + self._where(group.rolled, f"level = {Level.QUARTER}", _between("first", first, rolled))
                )
            edges = [(begin, end)]
            if first <= behind and group.busy:
                edges = [(begin, first * QUARTER_MS), (behind * QUARTER_MS, end)]
            for start, stop in edges:
                if start < stop and stop > self.since:
                    parts.append(
                        self._single(f"{QUARTER}, {group.sign} AS clicks", group.clicks, start, stop)
                    )
        parts.append(
            self._single(f"{QUARTER}, 1 AS clicks", self._mine, *self.range(QUARTER_MS), table="incoming")
        )
        return " UNION ALL ".join(parts)

    def links(self, *, by_day: bool) -> str:
        """A SELECT of (link, day where it is wanted, clicks); ranges that don't begin and end at midnight are cut
        from single clicks."""
        begin, end = self.bounds(DAY_MS)
        first, behind = -(-begin // DAY_MS), end // DAY_MS
        named = "link, first AS day" if by_day else "link"
        single = f"link, (time // {DAY_MS})::INTEGER AS day, 1 AS clicks" if by_day else "link, 1 AS clicks"
        parts = [self._single(single, self._mine, *self.range(DAY_MS), table="incoming")]
        edges = [(begin, end)]
        if first < behind:
            edges = [(begin, first * DAY_MS), (behind * DAY_MS, end)]
            parts.append(
                f"SELECT {named}, {self._value} AS clicks FROM time_rollup"
                + self._where(
                    self._mine or "link >= 0", f"level = {Level.DAY}", _between("first", first, behind)
                )
            )
        for start, stop in edges:
            if start < stop and stop > self.since:
                parts.append(self._single(single, self._mine, start, stop))
        return " UNION ALL ".join(parts)

    def _days(
        self, begin: int, end: int, levels: tuple[Level, ...]
    ) -> tuple[list[Block], list[tuple[int, int, int]]]:
        """Blocks of whole days inside a range (ms), and what is left of it as (sign, begin, end) in ms."""
        first, behind = -(-begin // DAY_MS), end // DAY_MS
        if first >= behind:
            return [], [(1, begin, end)] if begin < end else []
        if not levels:  # days of single links: there are only swept ones
            return [Block(1, Level.DAY, first, behind)], [(1, begin, end)]
        blocks, ranges = [], []
        if levels is EVERY_LEVEL:
            # Most of a day is that day less its rest.
            if first * DAY_MS - begin > DAY_MS // 2 and first - 1 in self._busy_days:
                first -= 1
                ranges.append((-1, first * DAY_MS, begin))
            if end - behind * DAY_MS > DAY_MS // 2 and behind in self._busy_days:
                behind += 1
                ranges.append((-1, end, behind * DAY_MS))
        ranges += [(1, begin, first * DAY_MS), (1, behind * DAY_MS, end)]
        for block in cover(first, behind, levels):
            if block.level is not Level.DAY:
                blocks.append(block)
            elif levels is EVERY_LEVEL:
                rolled, single = self._rolled(block.begin, block.end)
                blocks += [Block(block.sign, Level.DAY, *days) for days in rolled]
                ranges += [(block.sign, a * DAY_MS, b * DAY_MS) for a, b in single]
            else:
                blocks.append(block)
                ranges.append((block.sign, block.begin * DAY_MS, block.end * DAY_MS))
        return blocks, _joined(ranges)

    def _rolled(self, first: int, behind: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Days as ranges of those that every link's rollup has by themselves, and of the others."""
        swept = self.since // DAY_MS
        days = [(int(day < swept or day in self._busy_days), day, day + 1) for day in range(first, behind)]
        ranges = _joined(days)
        return [(a, b) for rolled, a, b in ranges if rolled], [
            (a, b) for rolled, a, b in ranges if not rolled
        ]

    def placed(self, edges: Integers) -> tuple[str, list[str]]:
        """For questions by place and time: a SELECT of (day, place, clicks), "" for none; and of single (time, place).

        By days of the rollup where buckets of every link's clicks are whole days UTC, and where clicks are no
        longer kept one by one; those are left out where buckets are shorter than a day.
        """
        hourly = int(np.diff(edges).min()) < SHORTEST_DAY_MS
        begin, end = self.bounds(DAY_MS)
        if hourly:
            begin = max(begin, self.since)
        first, behind = -(-begin // DAY_MS), end // DAY_MS
        every = self.selection.links is None
        whole = every and not (edges % DAY_MS).any()
        behind = behind if whole else min(behind, self.since // DAY_MS)
        days, settled = "", [(1, begin, end)]
        if first < behind:
            rolled, others = self._rolled(first, behind)
            days = " UNION ALL ".join(
                f"SELECT first AS day, place, {self._value} AS clicks FROM place_rollup"
                + self._where(
                    f"link = {EVERY}" if every else self._mine,
                    f"level = {Level.DAY}",
                    _between("first", a, b),
                )
                for a, b in rolled
            )
            settled = [(1, begin, first * DAY_MS), (1, behind * DAY_MS, end)]
            settled += [(1, a * DAY_MS, b * DAY_MS) for a, b in others]
        single = [
            "time, place FROM settled" + self._where(self._mine, *self._which, _between("time", start, stop))
            for _, start, stop in _joined(settled)
        ]
        first, behind = self.range(DAY_MS)
        newest = self._where(
            self._mine, *self._which, _between("time", max(first, self.since) if hourly else first, behind)
        )
        noon = f"CASE WHEN time < {self.since} THEN time // {DAY_MS} * {DAY_MS} + {DAY_MS // 2} ELSE time END AS time"
        return days, [*single, f"{noon if self.since else 'time'}, place FROM incoming{newest}"]

    def quarters(self) -> tuple[Integers, Integers]:
        """Quarter hours (ms), ascending, and the clicks in each; only where there are any."""
        columns = self.ask(
            f"SELECT quarter, sum(clicks)::BIGINT AS clicks FROM ({self.times()}) GROUP BY quarter"
            " HAVING sum(clicks) <> 0 ORDER BY quarter"
        )
        return columns["quarter"].astype(np.int64) * QUARTER_MS, columns["clicks"]

    def link_times(self) -> str:
        """A SELECT of (link, quarter, clicks), of clicks kept one by one; days before that at their noon."""
        begin, end = self.bounds(DAY_MS)
        rolled = self._where(
            self._mine or "link >= 0",
            f"level = {Level.DAY}",
            _between("first", -(-begin // DAY_MS), min(end, self.since) // DAY_MS),
        )
        return (
            f"SELECT link, {QUARTER}, 1 AS clicks FROM clicks{self.kept()} UNION ALL"
            f" SELECT link, (first * 96 + 48)::INTEGER AS quarter, {self._value} AS clicks FROM time_rollup{rolled}"
        )

    def seen(self) -> str:
        """A SELECT of (first, last, clicks), whatever the dates, devices and kinds."""
        return (
            f"SELECT first, last, clicks FROM seen{self._where(self._mine)} UNION ALL SELECT min(time) AS first,"
            f" max(time) AS last, count(*) AS clicks FROM incoming{self._where(self._mine)}"
        )

    def kept(
        self, places: npt.NDArray[np.uint64] | None = None, between: tuple[int, int] | None = None
    ) -> str:
        """The condition of the selection on clicks that are kept one by one; of these place keys only."""
        among = ""
        if places is not None:
            self._cursor.register("wanted", {"key": places})
            among = "place IN (SELECT id FROM places WHERE key IN (SELECT key FROM wanted))"
        return self._where(
            self._mine, *self._which, _between("time", *(between or self.range(DAY_MS))), among
        )

    def stream(self, sql: str) -> duckdb.DuckDBPyConnection:
        """An answer to be fetched piece by piece."""
        return self._cursor.execute(sql, self.parameters if "$devices" in sql else None)

    def _single(self, columns: str, links: str, begin: int, end: int, table: str = "settled") -> str:
        return f"SELECT {columns} FROM {table}" + self._where(
            links, *self._which, _between("time", begin, end)
        )

    def _where(self, *conditions: str) -> str:
        held = [condition for condition in (*conditions, *self._kinds) if condition]
        return f" WHERE {' AND '.join(held)}" if held else ""


QUARTER = f"(time // {QUARTER_MS})::INTEGER AS quarter"


def _between(column: str, begin: int, end: int) -> str:
    return f"{column} >= {begin} AND {column} < {end}"


def _joined(ranges: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(sign, begin, end), those of the same sign that touch each other as one."""
    joined: list[tuple[int, int, int]] = []
    for sign, start, stop in sorted(each for each in ranges if each[1] < each[2]):
        if joined and joined[-1][0] == sign and joined[-1][2] == start:
            joined[-1] = (sign, joined[-1][1], stop)
        else:
            joined.append((sign, start, stop))
    return joined


def cut(selection: Selection, edges: Integers) -> Selection:
    """The selection's clicks between the first and the last of `edges` (ms UTC)."""
    begin, end = int(edges[0]), int(edges[-1])
    return replace(
        selection,
        start=begin if selection.start is None else max(selection.start, begin),
        end=end if selection.end is None else min(selection.end, end),
    )
