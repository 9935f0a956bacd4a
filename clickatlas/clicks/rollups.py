"""Rollups: clicks counted in advance, changed in the same transaction as the clicks that they count.

Clicks wait in `incoming`, which questions read as it is, until there are `SETTLE_AT`. Then all of them are
added to the rollups and moved to `settled`, in one transaction: whenever they happened, in whatever order they
came, they are in exactly one of the two. A rollup only grows: what is new is appended as further rows of the
same keys, what is deleted as negative ones; `merges` puts rows of the same key together now and then.
Every link together and each bundle of links are owners of rollups, with numbers below 0 in place of a link's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import duckdb
import numpy as np

from clickatlas.clicks import merges, patches, tallies
from clickatlas.clicks.merges import COLUMNS, Ledger, insert, named, summed
from clickatlas.clicks.periods import (
    DAY_MS,
    EVERY_LEVEL,
    QUARTER_MS,
    Level,
    first_day,
    next_day,
)
from clickatlas.clicks.tallies import COUNTED, Clicks, Days, Integers, Tally

EVERY: Final = -1  # stands for all links together
SETTLE_AT = 1_000_000
BUSY_AT = 1_000_000  # clicks of a link that make its own rollup worth its while: reading them takes 25 ms
BUSY_DAY_AT = 400_000  # and of a day
DAYS_AT_ONCE = 3  # that become busy in one transaction
OVER_MS = 30 * DAY_MS  # after its end a year is over

DEVICE_COLUMNS = ("desktop", "mobile", "tablet", "other")
COUNTS = ", ".join(
    ["count(*)::INTEGER", *(f"(count(*) FILTER (device = {n}))::INTEGER" for n in range(1, 5))]
)
SUMS = ", ".join(summed)
NEGATED = ", ".join(f"-{column}" for column in COUNTED)
NONE_INCOMING = (
    "CREATE OR REPLACE TABLE incoming (time BIGINT NOT NULL, link BIGINT NOT NULL, place INTEGER NOT NULL,"
    " agent INTEGER NOT NULL, referrer INTEGER NOT NULL, kind UTINYINT NOT NULL, flags UTINYINT NOT NULL,"
    " visitor UINTEGER NOT NULL)"
)


class Kept:
    """Which clicks and periods there are rollups of, as of a transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        [(self.since,)] = cursor.execute("SELECT since FROM kept").fetchall()
        self.closed = {first for (first,) in cursor.execute("FROM closed_years").fetchall()}
        self.days = set(cursor.execute("SELECT link, day FROM busy_days").fetchall())
        self.large = {EVERY} | {
            link for (link,) in cursor.execute("SELECT link FROM bundles WHERE parts").fetchall()
        }
        members = cursor.execute("SELECT bundle, link FROM members").fetchnumpy()
        self.members: dict[int, Integers] = {
            int(bundle): np.asarray(members["link"])[members["bundle"] == bundle]
            for bundle in np.unique(np.asarray(members["bundle"]))
        }

    def has(self, level: Level, owner: int, first: int) -> bool:
        """Whether an owner's clicks in a period are counted: a link's from 0 on are if it is busy."""
        match level:
            case Level.DAY:
                return (owner, first) in self.days or (owner == EVERY and first < self.since // DAY_MS)
            case Level.PART:
                return owner in self.large  # never a link
            case Level.YEAR:
                return first in self.closed
        return True


def settle(cursor: duckdb.DuckDBPyConnection) -> None:
    """Move all of `incoming` to `settled` and into the rollups. Within the caller's transaction."""
    tell(cursor, "incoming")
    clicks = tallies.told(cursor)
    if not len(clicks.day):
        return
    kept, ledger = Kept(cursor), Ledger(cursor)
    days = np.unique(clicks.day).tolist()
    ledger.merge(days)
    _add_times(cursor, ledger, kept.since)
    patches.add(
        cursor,
        f"(SELECT {EVERY} AS owner, quarter, place, kind FROM told UNION ALL"
        " SELECT bundle, quarter, place, kind FROM told JOIN (FROM members SEMI JOIN patch_owners o ON o.link = bundle)"
        " USING (link))",
    )
    _see(cursor)
    for owner, links in ({EVERY: None} | kept.members).items():
        mine = clicks if links is None else clicks.of(links)
        _promote_new_days(cursor, kept, owner, mine)
        add_periods(ledger, kept, [owner], mine)
    busy = [link for (link,) in cursor.execute("FROM busy_links").fetchall()]
    add_periods(ledger, kept, busy, clicks)
    _add_days_of_links(ledger, kept.since)
    # Neighbours of the same link and time compress best, and a question about a link reads few pages. Where clicks
    # of years come at once, a question about a month must not have to read them all.
    months = [first_day(Level.MONTH, day) for day in days]
    cursor.register("calendar", {"day": np.array(days, np.int32), "month": np.array(months, np.int32)})
    order = "link, time" if len(set(months)) == 1 else "month, link, time"
    if days[-1] * DAY_MS >= kept.since:
        cursor.execute(
            f"INSERT INTO settled SELECT incoming.* FROM incoming JOIN calendar ON day = (time // {DAY_MS})::INTEGER"
            f" WHERE time >= {kept.since} ORDER BY {order}"
        )
    cursor.unregister("calendar")
    cursor.execute(NONE_INCOMING)
    _promote(cursor, kept, ledger)
    ledger.close()
    _close_years(cursor)


def tend(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Give some days that have become busy a rollup of all their clicks; whether any were due."""
    ledger = Ledger(cursor)
    risen = _promote_days(cursor, Kept(cursor), ledger)
    ledger.close()
    return risen


def shift(
    cursor: duckdb.DuckDBPyConnection, owners: Mapping[int, Integers], sign: Literal[1, -1], until: int
) -> None:
    """Add to the rollups of owners (or take away) the clicks in `told`, and those of days before `until` that are
    kept by day only. `owners` are below 0, each with the links whose clicks become its own, or cease to be."""
    kept, ledger = Kept(cursor), Ledger(cursor)
    clicks = tallies.told(cursor)
    links = np.unique(np.concatenate(list(owners.values())))
    cursor.register("moving_links", {"link": links})
    swept = f"level = {Level.DAY} AND first < {until} AND link IN (FROM moving_links)"
    older = tallies.days(cursor, swept)
    ledger.merge(sorted({*clicks.day.tolist(), *older.day.tolist()}))
    for owner, its in owners.items():
        for some in (clicks.of(its), older.of(its)):
            add_periods(ledger, kept, [owner], some, sign)
    _moving(cursor, owners)
    columns = COLUMNS if sign == 1 else NEGATED
    ledger.times(
        Level.QUARTER,
        f"SELECT {Level.QUARTER}, owner, quarter, kind, {columns} FROM (SELECT owner, quarter, kind, {named(COUNTS)}"
        " FROM told JOIN moving USING (link) GROUP BY ALL) ORDER BY owner, quarter, kind",
    )
    ledger.times(
        Level.QUARTER,
        f"SELECT level, owner, first, kind, {columns} FROM time_rollup JOIN moving USING (link)"
        f" WHERE level = {Level.QUARTER} AND first < ?",
        [min(until * 96, kept.since // QUARTER_MS)],
    )
    patches.add(cursor, "(SELECT owner, quarter, place, kind FROM told JOIN moving USING (link))", sign)
    cursor.unregister("moving_links")
    ledger.close()


def _moving(cursor: duckdb.DuckDBPyConnection, owners: Mapping[int, Integers]) -> None:
    cursor.register(
        "moving_rows",
        {
            "link": np.concatenate(list(owners.values())),
            "owner": np.repeat(np.array(list(owners), np.int64), [len(links) for links in owners.values()]),
        },
    )
    cursor.execute("CREATE OR REPLACE TEMP TABLE moving AS FROM moving_rows")
    cursor.unregister("moving_rows")


def sweep(cursor: duckdb.DuckDBPyConnection, since: int) -> int:
    """Let go of the single clicks before `since` (midnight UTC), keeping their rollups; returns how many."""
    settle(cursor)
    tell(cursor, f"(SELECT * FROM settled WHERE time < {since})")
    kept, ledger = Kept(cursor), Ledger(cursor)
    _add_days_of_links(ledger, since)
    ledger.times(
        Level.QUARTER,
        f"SELECT {Level.QUARTER}, link, quarter, kind, {COUNTS} FROM told ANTI JOIN busy_links USING (link)"
        " GROUP BY ALL ORDER BY link, quarter, kind",
    )
    clicks = tallies.told(cursor)
    ledger.places(
        Level.DAY,
        {
            (EVERY, day): clicks.tally(at)
            for day, at in tallies.by_period(clicks.day, Level.DAY)
            if not kept.has(Level.DAY, EVERY, day)
        },
    )
    ledger.close()
    [(deleted,)] = cursor.execute("DELETE FROM settled WHERE time < ?", [since]).fetchall()
    cursor.execute("UPDATE kept SET since = greatest(since, ?)", [since])
    patches.sweep(cursor, since)
    return int(deleted)


def tell(cursor: duckdb.DuckDBPyConnection, table: str) -> None:
    """`told`: clicks with their day, quarter of an hour and device (1 to 4; 0: another)."""
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE told AS SELECT time, link, place, kind, (time // {DAY_MS})::INTEGER AS day,"
        f" (time // {QUARTER_MS})::INTEGER AS quarter, known.device FROM {table} JOIN"
        f" (SELECT id, coalesce(list_position({list(DEVICE_COLUMNS)}, device), 0) AS device FROM agents) known"
        " ON known.id = agent"
    )


def add_periods(
    ledger: Ledger, kept: Kept, owners: Sequence[int], clicks: Clicks | Days, sign: Literal[1, -1] = 1
) -> None:
    """Add clicks, all of them, to their one owner's rollups; or each to its own, where the owners are links."""
    pieces: dict[Level, dict[tuple[int, int], Tally]] = {level: {} for level in EVERY_LEVEL}
    for owner in owners:
        mine = clicks if owner < 0 else clicks.of(np.array([owner], np.int64))
        for level in EVERY_LEVEL:
            for first, at in tallies.by_period(mine.day, level):
                if kept.has(level, owner, first):
                    tally = mine.tally(at)
                    pieces[level][owner, first] = tally if sign == 1 else -tally
    for level in EVERY_LEVEL:
        ledger.places(level, pieces[level])


def _add_times(cursor: duckdb.DuckDBPyConnection, ledger: Ledger, since: int) -> None:
    """Add `told` to the rollups by time."""
    ledger.times(
        Level.QUARTER,
        f"SELECT {Level.QUARTER}, {EVERY}, quarter, kind, {COUNTS} FROM told GROUP BY quarter, kind UNION ALL"
        f" SELECT {Level.QUARTER}, bundle, quarter, kind, {COUNTS} FROM told JOIN members USING (link) GROUP BY ALL"
        " ORDER BY 2, 3, 4",
    )
    ledger.times(
        Level.QUARTER,
        f"SELECT {Level.QUARTER}, link, quarter, kind, {COUNTS} FROM told WHERE link IN (FROM busy_links)"
        f" OR time < {since} GROUP BY ALL ORDER BY link, quarter, kind",
    )
    ledger.times(
        Level.DAY,
        f"SELECT {Level.DAY}, link, day, kind, {COUNTS} FROM told"
        " GROUP BY link, day, kind ORDER BY link, day, kind",
    )


def _close_years(cursor: duckdb.DuckDBPyConnection) -> None:
    """Years that are over get a rollup of their months; until then a year's months are read."""
    months = cursor.execute(
        f"SELECT DISTINCT first, (SELECT max(last) FROM seen) FROM runs WHERE rollup = 'place_rollup'"
        f" AND level = {Level.MONTH}"
    ).fetchall()
    known = {first for (first,) in cursor.execute("FROM closed_years").fetchall()}
    for year in sorted({first_day(Level.YEAR, first) for first, _ in months} - known):
        behind = next_day(Level.YEAR, year)
        if behind * DAY_MS + OVER_MS > months[0][1]:
            continue
        within = f"level = {Level.MONTH} AND first >= {year} AND first < {behind}"
        for owner in merges.owners(cursor, within):
            insert(
                cursor,
                "place_rollup",
                f"SELECT {Level.YEAR}, link, {year}, place, kind, {SUMS} FROM place_rollup WHERE {within}"
                f" AND {merges.owned(owner)} GROUP BY link, place, kind HAVING sum(clicks) <> 0"
                " ORDER BY link, ceil(log2(abs(sum(clicks)) + 1)), place, kind",  # as in `tallies.by_magnitude`
            )
        cursor.execute("INSERT INTO closed_years VALUES (?)", [year])


def _see(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE known AS SELECT link, min(first) AS first, max(last) AS last,"
        " sum(clicks)::BIGINT AS clicks FROM (SELECT link, min(time) AS first, max(time) AS last,"
        " count(*) AS clicks FROM told GROUP BY link UNION ALL FROM seen) GROUP BY link"
    )
    cursor.execute("DELETE FROM seen")
    insert(cursor, "seen", "FROM known")


def _add_days_of_links(ledger: Ledger, since: int) -> None:
    """Of the clicks in `told` before `since`, which are not kept one by one: days of each link."""
    ledger.days_of_links(
        f"SELECT {Level.DAY}, link, day AS first, place, kind, {COUNTS} FROM told WHERE time < {since}"
        " GROUP BY ALL ORDER BY link, day, place, kind"
    )


def _promote(cursor: duckdb.DuckDBPyConnection, kept: Kept, ledger: Ledger) -> None:
    """Links that have become busy get a rollup of all their clicks."""
    rows = cursor.execute(
        "SELECT link FROM seen ANTI JOIN busy_links USING (link) ANTI JOIN leaving USING (link) WHERE clicks >= ?",
        [BUSY_AT],
    ).fetchall()
    if not rows:
        return
    links = [link for (link,) in rows]
    among = f"link IN ({', '.join(map(str, links))})"
    tell(cursor, f"(SELECT * FROM settled WHERE {among})")
    add_periods(ledger, kept, links, tallies.told(cursor))
    add_periods(ledger, kept, links, tallies.days(cursor, f"level = {Level.DAY} AND {among}"))
    ledger.times(
        Level.QUARTER,
        f"SELECT {Level.QUARTER}, link, quarter, kind, {COUNTS} FROM told GROUP BY ALL ORDER BY link, quarter, kind",
    )
    cursor.execute("INSERT INTO busy_links SELECT unnest(?::BIGINT[])", [links])


def _promote_new_days(cursor: duckdb.DuckDBPyConnection, kept: Kept, owner: int, clicks: Clicks) -> None:
    """Days that are busy by what is settled now alone: they are counted along with it."""
    found = list[tuple[int, int]]()
    days, counts = np.unique(clicks.day, return_counts=True)
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        if count >= BUSY_DAY_AT and day >= kept.since // DAY_MS and (owner, day) not in kept.days:
            [(known,)] = cursor.execute(
                f"SELECT sum(clicks) FROM time_rollup WHERE level = {Level.QUARTER} AND link = {owner}"
                f" AND first >= {day * 96} AND first < {(day + 1) * 96}"
            ).fetchall()
            if known == count:
                found.append((owner, day))
    _note_days(cursor, kept, found)


def _promote_days(cursor: duckdb.DuckDBPyConnection, kept: Kept, ledger: Ledger) -> bool:
    risen = cursor.execute(
        "SELECT * FROM (SELECT link, first // 96 AS day FROM time_rollup"
        f" WHERE level = {Level.QUARTER} AND link < 0 GROUP BY link, day HAVING sum(clicks) >= {BUSY_DAY_AT}"
        f" AND day >= {kept.since // DAY_MS}) ANTI JOIN busy_days USING (link, day) ORDER BY day, link LIMIT {DAYS_AT_ONCE}"
    ).fetchall()
    if not risen:
        return False
    within = " OR ".join(
        f"(time >= {day * DAY_MS} AND time < {(day + 1) * DAY_MS})"
        for day in sorted({day for _, day in risen})
    )
    tell(cursor, f"(SELECT * FROM settled WHERE {within})")
    clicks = tallies.told(cursor)
    pieces = dict[tuple[int, int], Tally]()
    for owner in sorted({owner for owner, _ in risen}):
        mine = clicks if owner == EVERY else clicks.of(kept.members.get(owner, np.zeros(0, np.int64)))
        for day, at in tallies.by_period(mine.day, Level.DAY):
            if (owner, day) in risen:
                pieces[owner, day] = mine.tally(at)
    ledger.places(Level.DAY, pieces)
    _note_days(cursor, kept, risen)
    return True


def _note_days(cursor: duckdb.DuckDBPyConnection, kept: Kept, days: Sequence[tuple[int, int]]) -> None:
    if days:
        kept.days |= set(days)
        cursor.executemany("INSERT INTO busy_days VALUES (?, ?)", days)
