"""Where the answer to a question is read: which periods of which rollups, and which single clicks.

What a rollup doesn't have at all, or not so finely (the edges of a range of dates, which is cut by the
reader's clock), comes from `settled`; the newest clicks come from `incoming`. Together they are each click once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from clickatlas.clicks.groups import Group, costs
from clickatlas.clicks.periods import (
    DAY_MS,
    QUARTER_MS,
    SHORTEST_DAY_MS,
    Block,
    Level,
    cover,
    first_day,
    netted,
    next_day,
)
from clickatlas.clicks.rollups import EVERY
from clickatlas.clicks.scope import QUARTER, Scope, inside
from clickatlas.clicks.store import Integers


class Part(NamedTuple):
    """A SELECT of (place, kind, clicks), or of single clicks' (place, kind); to add or take away."""

    sign: int
    select: str
    single: bool = False


class Sources(Scope):
    """What one selection is read from, as of the transaction that its cursor is in."""

    def places(self) -> Iterator[Part]:
        """What clicks per place and network kind are read from."""
        begin, end = self.bounds(DAY_MS)
        for group in self.groups():
            blocks, ranges = self._days(begin, end, group)
            for block in [] if self.single else blocks:
                rolled = group.rolled
                if block.level is Level.DAY and group.owner != EVERY:
                    own = block.begin in self._busy_days.get(group.owner, ())
                    if not own and not self.since:
                        continue
                    rolled = rolled if own else group.clicks
                found = self._where(rolled, f"level = {block.level}", inside("first", block.begin, block.end))
                yield Part(
                    group.sign * block.sign,
                    f"SELECT place, kind, {self._value} AS clicks FROM place_rollup{found}",
                )
            for sign, start, stop in ranges:
                if stop > self.since:
                    select = self._single("place, kind", group.clicks, start, stop)
                    yield Part(group.sign * sign, select, single=True)
        newest = self._single("place, kind", self._mine, *self.range(DAY_MS), table="incoming")
        yield Part(1, newest, single=True)

    def times(self) -> str:
        """A SELECT of (quarter, clicks)."""
        begin, end = self.bounds(QUARTER_MS)
        first, behind = -(-begin // QUARTER_MS), end // QUARTER_MS
        parts = []
        for group in self.groups():
            rolled = behind if group.busy else min(behind, self.since // QUARTER_MS)
            if first < rolled and not self.single:
                parts.append(
                    f"SELECT first AS quarter, {group.sign} * ({self._value}) AS clicks FROM time_rollup"
                    + self._where(group.rolled, f"level = {Level.QUARTER}", inside("first", first, rolled))
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
        if first < behind and not self.single:
            edges = [(begin, first * DAY_MS), (behind * DAY_MS, end)]
            parts.append(
                f"SELECT {named}, {self._value} AS clicks FROM time_rollup"
                + self._where(
                    self._mine or "link >= 0", f"level = {Level.DAY}", inside("first", first, behind)
                )
            )
        for start, stop in edges:
            if start < stop and stop > self.since:
                parts.append(self._single(single, self._mine, start, stop))
        return " UNION ALL ".join(parts)

    def _days(self, begin: int, end: int, group: Group) -> tuple[list[Block], list[tuple[int, int, int]]]:
        """Blocks of whole days inside a range (ms), and what is left of it as (sign, begin, end) in ms."""
        first, behind = -(-begin // DAY_MS), end // DAY_MS
        if first >= behind:
            return [], [(1, begin, end)] if begin < end else []
        if not group.levels:  # days of single links: there are only swept ones
            return [Block(1, Level.DAY, first, behind)], [(1, begin, end)]
        blocks, ranges = [], []
        busy = self._busy_days.get(group.owner, set())
        # Most of a day is that day less its rest.
        if first * DAY_MS - begin > DAY_MS // 2 and first - 1 in busy:
            first -= 1
            ranges.append((-1, first * DAY_MS, begin))
        if end - behind * DAY_MS > DAY_MS // 2 and behind in busy:
            behind += 1
            ranges.append((-1, end, behind * DAY_MS))
        ranges += [(1, begin, first * DAY_MS), (1, behind * DAY_MS, end)]
        for block in self._cover(first, behind, group):
            if block.level is not Level.DAY:
                blocks.append(block)
                continue
            rolled, single = self._rolled(block.begin, block.end, group.owner)
            blocks += [Block(block.sign, Level.DAY, *days) for days in rolled]
            ranges += [(block.sign, a * DAY_MS, b * DAY_MS) for a, b in single]
            if group.owner != EVERY:  # of these, swept days are in the rollup of each link
                blocks += [Block(block.sign, Level.DAY, *days) for days in single]
        return blocks, netted(ranges)

    def _cover(self, first: int, behind: int, group: Group) -> Iterator[Block]:
        """`cover`, by years only where they are closed."""
        cost = costs(self._cursor, group, self._seen, self._busy_days)
        at = first
        while at < behind:
            year = first_day(Level.YEAR, at)
            end = min(behind, next_day(Level.YEAR, year))
            yield from cover(at, end, group.levels if year in self._closed else group.levels[:-1], cost)
            at = end

    def _rolled(
        self, first: int, behind: int, owner: int = EVERY
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Days as ranges of those that an owner's rollup has by themselves, and of the others."""
        swept = self.since // DAY_MS if owner == EVERY else 0
        busy = self._busy_days.get(owner, ())
        rolled = {day for day in range(first, behind) if day < swept or day in busy}
        others = set(range(first, behind)) - rolled
        rolled_days, other_days = (netted([(1, day, day + 1) for day in days]) for days in (rolled, others))
        return [days[1:] for days in rolled_days], [days[1:] for days in other_days]

    def placed(self, edges: Integers, until: int | None = None) -> tuple[str, list[str]]:
        """For questions by place and time: a SELECT of (day, place, clicks), "" for none; and of single (time, place).

        By days of the rollup where buckets of every link's clicks are whole days UTC, and where clicks are no
        longer kept one by one; those are left out where buckets are shorter than a day. Of settled clicks those
        before `until`.
        """
        hourly = int(np.diff(edges).min()) < SHORTEST_DAY_MS
        begin, end = self.bounds(DAY_MS)
        end = end if until is None else max(begin, min(end, until))
        if hourly:
            begin = max(begin, self.since)
        first, behind = -(-begin // DAY_MS), end // DAY_MS
        every = self.selection.links is None
        whole = every and not (edges % DAY_MS).any()
        behind = first if self.single else behind if whole else min(behind, self.since // DAY_MS)
        days, settled = "", [(1, begin, end)]
        if first < behind:
            rolled, others = self._rolled(first, behind)
            days = " UNION ALL ".join(
                f"SELECT first AS day, place, {self._value} AS clicks FROM place_rollup"
                + self._where(
                    f"link = {EVERY}" if every else self._mine,
                    f"level = {Level.DAY}",
                    inside("first", a, b),
                )
                for a, b in rolled
            )
            settled = [(1, begin, first * DAY_MS), (1, behind * DAY_MS, end)]
            settled += [(1, a * DAY_MS, b * DAY_MS) for a, b in others]
        single = [
            "time, place FROM settled" + self._where(self._mine, *self._which, inside("time", start, stop))
            for _, start, stop in netted(settled)
        ]
        first, behind = self.range(DAY_MS)
        newest = self._where(
            self._mine, *self._which, inside("time", max(first, self.since) if hourly else first, behind)
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
        if self.single:
            return f"SELECT link, {QUARTER}, 1 AS clicks FROM clicks{self.kept()}"
        rolled = self._where(
            self._mine or "link >= 0",
            f"level = {Level.DAY}",
            inside("first", -(-begin // DAY_MS), min(end, self.since) // DAY_MS),
        )
        return (
            f"SELECT link, {QUARTER}, 1 AS clicks FROM clicks{self.kept()} UNION ALL"
            f" SELECT link, (first * 96 + 48)::INTEGER AS quarter, {self._value} AS clicks FROM time_rollup{rolled}"
        )
