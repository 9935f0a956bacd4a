"""One selection in ClickHouse's words: its conditions, its range, and which days are read from what is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.clickhouse_server import Server, text, values
from clickatlas.clicks.filter import Selection, Traits
from clickatlas.clicks.origins import APPS, lets_through, origin
from clickatlas.clicks.periods import DAY_MS, Level, first_day, next_day

ALWAYS = 1 << 53
LISTED = 1000  # numbers that are named one by one; more go as one text, which is read in a tenth of the time
LAST_DAY = 2_000_000  # no month is asked for beyond: in the year 7445


class Span(NamedTuple):
    """Days, or moments, from `begin` on and before `end`."""

    begin: int
    end: int


class Scope:
    """One selection; neither single clicks before `since` are asked for, nor links that are `leaving`."""

    def __init__(
        self,
        server: Server,
        selection: Selection,
        kinds: Sequence[int] | None,
        since: int,
        leaving: npt.NDArray[np.int64],
    ) -> None:
        self.server, self.selection, self.since = server, selection, since
        self.database = server.address.database
        self.single = bool(selection.traits)  # nothing that is counted tells these apart
        common = []
        if selection.links is not None:
            common.append(among("link", np.setdiff1d(np.array(selection.links, np.int64), leaving)))
        elif len(leaving):
            common.append(f"NOT {among('link', leaving)}")
        if kinds is not None:
            common.append(among("kind", np.array(sorted(set(kinds)), np.int64)))
        if selection.devices:
            common.append(spelled("device", selection.devices))
        self._common = common
        self._traits = [*traits(server, selection.traits)] if self.single else []

    def range(self, grain: int) -> Span:
        """The selection's range (ms). Before `since`, where there are no single clicks, its ends are the nearest whole `grain`."""
        ends = (
            self.selection.start or 0,
            ALWAYS if self.selection.end is None else self.selection.end,
        )
        return Span(*((at + grain // 2) // grain * grain if at < self.since else at for at in ends))

    def counted(self, table: str, column: str, span: Span, *more: str, join: str = "") -> str:
        """FROM and WHERE of a table of counts."""
        return self._from(table + join, *self._common, inside(column, span), *more)

    def clicks(self, span: Span, *more: str, join: str = "") -> str:
        """FROM and WHERE of the clicks that are kept one by one."""
        span = Span(max(span.begin, self.since), span.end)
        return self._from("clicks" + join, *self._common, *self._traits, inside("time", span), *more)

    def all(self, table: str) -> str:
        """FROM and WHERE of a table of counts whatever their time."""
        return self._from(table, *self._common)

    def _from(self, table: str, *conditions: str) -> str:
        held = [condition for condition in conditions if condition]
        return f"FROM {self.database}.{table}" + (f" WHERE {' AND '.join(held)}" if held else "")

    def split(self, span: Span, grain: int, until: int = ALWAYS) -> tuple[Span | None, list[Span]]:
        """The whole grains of a range that are before `until` (numbered since 1970), and the ranges (ms) beside them."""
        first, behind = -(-span.begin // grain), min(span.end, until) // grain
        if self.single or first >= behind:
            return None, [span] if span.begin < span.end else []
        rest = [Span(span.begin, first * grain), Span(behind * grain, span.end)]
        return Span(first, behind), [each for each in rest if each.begin < each.end and each.end > self.since]

    def place_tables(self, days: Span) -> Iterator[tuple[str, Span]]:
        """Whole days as the tables that have them by place: months, and days around them."""
        begin = max(days.begin, 0)
        first = begin if begin == 0 else _month_from(begin)
        behind = days.end if days.end > LAST_DAY else first_day(Level.MONTH, days.end)
        if first >= behind:
            yield "place_days", days
            return
        for table, span in (
            ("place_days", Span(days.begin, first)),
            ("place_months", Span(first, behind)),
            ("place_days", Span(behind, days.end)),
        ):
            if span.begin < span.end:
                yield table, span


def _month_from(day: int) -> int:
    first = first_day(Level.MONTH, min(day, LAST_DAY))
    return first if first == day else next_day(Level.MONTH, first)


def inside(column: str, span: Span) -> str:
    """The condition that a column is within a range; "" for always."""
    bounds = [f"{column} >= {span.begin}"] if span.begin > 0 else []
    if span.end < ALWAYS // DAY_MS or (column == "time" and span.end < ALWAYS):
        bounds.append(f"{column} < {span.end}")
    return " AND ".join(bounds)


def among(column: str, numbers: npt.NDArray[Any]) -> str:
    """The condition that a column is one of some numbers."""
    if not len(numbers):
        return "0"
    if len(numbers) <= LISTED:
        return f"{column} IN ({values(numbers)})"
    kind = "UInt64" if numbers.dtype == np.uint64 else "Int64"
    return f"{column} IN (SELECT arrayJoin({listed(numbers, kind)}))"


def listed(numbers: npt.NDArray[Any], kind: str) -> str:
    """Numbers as an array of ClickHouse's. As a constant it is copied about while the question is planned, which took more
    than half of the time.
    """
    return f"CAST(materialize('[{values(numbers)}]'), 'Array({kind})')"


def listed_constant(numbers: Iterable[int], kind: str) -> str:
    """Numbers as an array of ClickHouse's where it takes constants only."""
    return f"CAST('[{','.join(map(str, numbers))}]', 'Array({kind})')"


def spelled(column: str, words: Sequence[str]) -> str:
    """The condition that a column is one of some words."""
    return f"{column} IN ({', '.join(map(text, words))})" if words else "0"


def traits(server: Server, wanted: Traits) -> Iterator[str]:
    """All hold of the clicks that `wanted` lets through. An origin is told by the app first."""
    for column, words in (
        ("browser", wanted.browsers),
        ("system", wanted.systems),
        ("language", wanted.languages),
        ("referrer", wanted.referrers),
    ):
        if words:
            yield spelled(column, words)
    if wanted.origins:
        known = server.ask(f"SELECT DISTINCT referrer FROM {server.address.database}.hosts")[
            "referrer"
        ].tolist()
        pages = [host for host in known if lets_through(wanted.origins, origin("", host))]
        apps = [app for app, of in APPS.items() if lets_through(wanted.origins, of)]
        yield (
            f"({spelled('browser', apps)} OR (NOT {spelled('browser', tuple(APPS))} AND {spelled('referrer', pages)}))"
        )
