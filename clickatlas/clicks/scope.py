"""One selection as of one transaction: its conditions in SQL, its ranges, and the owners that it is put together of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # here, so that the first question need not wait for it

from clickatlas.clicks.filter import Selection
from clickatlas.clicks.groups import Group, owners, weights
from clickatlas.clicks.periods import (
    COARSE_LEVELS,
    DAY_MS,
    EVERY_LEVEL,
    QUARTER_MS,
    Level,
    first_day,
    next_day,
)
from clickatlas.clicks.rollups import DEVICE_COLUMNS, EVERY
from clickatlas.clicks.traits import conditions

PIECE = 1 << 17  # rows
CHOSEN = "link IN chosen"  # the condition of the selection's own links, where these are some: a join


class Scope:
    """One selection, as of the transaction that `cursor` is in."""

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
        # No rollup tells these apart: they are read from the clicks that are kept one by one.
        self.single = bool(selection.traits)
        if self.single:
            which.extend(conditions(cursor, selection.traits, self.listed))
        [(self.since,)] = cursor.execute("SELECT since FROM kept").fetchall()
        seen = cursor.execute(
            "SELECT link, first, last, clicks, link IN (FROM busy_links) AS busy FROM seen"
        ).fetchnumpy()
        self._seen = {name: np.asarray(column) for name, column in seen.items()}
        self._busy_days: dict[int, set[int]] = {EVERY: set()}
        for owner, day in cursor.execute("SELECT link, day FROM busy_days").fetchall():
            self._busy_days.setdefault(owner, set()).add(day)
        self._closed = {first for (first,) in cursor.execute("FROM closed_years").fetchall()}
        many = selection.links is not None and len(selection.links) > 1
        self._mine = "" if selection.links is None else CHOSEN if many else self._among(selection.links)

    def ask(self, sql: str) -> dict[str, npt.NDArray[Any]]:
        """The columns of an answer."""
        return self._cursor.execute(sql, self.parameters if "$devices" in sql else None).fetchnumpy()

    def pieces(self, sql: str) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """The columns of an answer of many rows, some at a time while it is read: a third of what `ask` takes, in a few MB.

        No column may have NULLs, and nothing else may be asked before the last piece. Raises `duckdb.Error`, also half-way.
        """
        parameters = self.parameters if "$devices" in sql else None
        pieces: pa.RecordBatchReader = self._cursor.sql(sql, params=parameters).to_arrow_reader(PIECE)
        try:
            for rows in pieces:
                yield {name: rows.column(at).to_numpy() for at, name in enumerate(rows.schema.names)}
        except (pa.ArrowException, OSError) as error:  # in the middle of the answer it comes through Arrow
            fatal = "FATAL" in str(error) or "invalidated" in str(error)
            raise (duckdb.FatalException if fatal else duckdb.IOException)(str(error)) from error

    def most(self) -> int:
        """No place and no moment has more clicks, nor any sum on the way to its number."""
        return int(self._seen["clicks"].sum()) + (1 << 30)

    def _among(self, links: Sequence[int]) -> str:
        if not len(links):
            return "false"
        if len(links) == 1:
            return f"link = {int(links[0])}"
        # A join even for two links: a list in the condition is held against each click, 3 ns, and not against runs of them.
        self._lists += 1
        self._cursor.register(f"links{self._lists}", {"link": np.array(links, np.int64)})
        return f"link IN (FROM links{self._lists})"

    def listed(self, expression: str, numbers: npt.NDArray[Any]) -> str:
        """The condition that `expression` is one of `numbers`."""
        self._lists += 1
        self._cursor.register(f"listed{self._lists}", {"number": numbers})
        return f"{expression} IN (FROM listed{self._lists})"

    def patch_owners(self) -> list[tuple[int, int]]:
        """Owners that are counted by patches, and from which quarter of an hour on."""
        return self._cursor.execute("SELECT link, first FROM patch_owners").fetchall()

    def owners(self) -> set[int]:
        """Every link (-1) and bundles, of which the answer is put together."""
        return {group.owner for group in self.groups() if group.owner}

    def groups(self) -> Iterator[Group]:
        """The selection's links by the way in which their settled clicks are read.

        First the owners that come nearest: every link, bundles; then link by link what they lack, or have too much.
        """
        link, clicks, busy = self._seen["link"], self._seen["clicks"], self._seen["busy"]
        if self.single:
            yield Group(1, self._mine, self._mine, (), int(clicks.sum()))
            return
        if self.selection.links is None:
            yield Group(1, f"link = {EVERY}", "", EVERY_LEVEL, int(clicks.sum()), EVERY)
            return
        members = self._cursor.execute(
            "SELECT bundle, members.link, parts FROM members JOIN bundles ON bundles.link = bundle"
            " SEMI JOIN seen ON seen.link = members.link"
        ).fetchnumpy()
        rest = np.isin(link, np.array(self.selection.links, np.int64)).astype(np.int64)
        for owner, large, inside in owners(link, rest, weights(clicks, busy), members):
            levels: tuple[Level, ...] = EVERY_LEVEL if large else COARSE_LEVELS
            single = "" if owner == EVERY else self._among(link[inside].tolist())
            yield Group(1, f"link = {owner}", single, levels, int(clicks[inside].sum()), owner)
        whole = int(np.isin(link, np.array(self.selection.links, np.int64)).sum())
        for sign in np.unique(rest[rest != 0]).tolist():
            for some, levels in (((rest == sign) & busy, COARSE_LEVELS), ((rest == sign) & ~busy, ())):
                if some.any():
                    mine = sign == 1 and int(some.sum()) == whole  # never more, nor others
                    condition = self._mine if mine else self._among(link[some].tolist())
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

    def seen(self) -> str:
        """A SELECT of (first, last, clicks), whatever the dates, devices and kinds."""
        return (
            f"SELECT first, last, clicks FROM seen{self._where(self._mine)} UNION ALL SELECT min(time) AS first,"
            f" max(time) AS last, count(*) AS clicks FROM incoming{self._where(self._mine)}"
        )

    def kept(
        self,
        places: npt.NDArray[np.uint64] | None = None,
        between: tuple[int, int] | None = None,
        also: str = "",
    ) -> str:
        """The condition of the selection on clicks that are kept one by one; of these place keys only."""
        among = "" if places is None else self.among_places(places)
        return self._where(
            self._mine, *self._which, inside("time", *(between or self.range(DAY_MS))), among, also
        )

    def register(self, name: str, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Make arrays a table that SELECTs can name."""
        self._cursor.register(name, columns)

    def among_places(self, keys: npt.NDArray[np.uint64]) -> str:
        """The condition that a click is of one of these place keys."""
        self._cursor.register("wanted", {"key": keys})
        return "place IN (SELECT id FROM places WHERE key IN (SELECT key FROM wanted))"

    def _single(self, columns: str, links: str, begin: int, end: int, table: str = "settled") -> str:
        return f"SELECT {columns} FROM {table}" + self._where(links, *self._which, inside("time", begin, end))

    def where(self, select: str, *conditions: str) -> str:
        """A SELECT of those network kinds and devices, and with these conditions."""
        return select + self._where(*conditions, *self._which)

    def _where(self, *conditions: str) -> str:
        held = [condition for condition in (*conditions, *self._kinds) if condition]
        chosen = CHOSEN in held
        held = [condition for condition in held if condition != CHOSEN]
        return (JOIN if chosen else "") + (f" WHERE {' AND '.join(held)}" if held else "")


JOIN = " JOIN chosen ON link = chosen_link"


def choose(cursor: duckdb.DuckDBPyConnection, links: Sequence[int]) -> None:
    """Keep some links beside a transaction that is not begun yet, for its `Scope`.

    Of a table that was there before, and not of arrays, DuckDB knows the numbers' range: clicks' links are looked up in a flat
    array, 4 ns a click where `IN` takes 10 (54 million clicks of 900 links). 1.2 ms.
    """
    if len(links) > 1:
        cursor.register("chosen_links", {"chosen_link": np.unique(np.array(links, np.int64))})
        cursor.execute("CREATE TEMP TABLE chosen AS FROM chosen_links").fetchall()


QUARTER = f"(time // {QUARTER_MS})::INTEGER AS quarter"


def inside(column: str, begin: int, end: int) -> str:
    """The condition that a column is from `begin` on and below `end`; "" for always."""
    return "" if begin <= 0 and end >= 1 << 53 else f"{column} >= {begin} AND {column} < {end}"
