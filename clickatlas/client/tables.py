"""Answers of many rows: sequences of dataclasses with the totals beside them, and columns as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar, overload
from zoneinfo import ZoneInfo

from clickatlas.client.frames import Tabular
from clickatlas.client.rows import Card, Document, Hour, Moment, Part, Place, VisitorMoment, read

Row = TypeVar("Row", covariant=True)
# Lists of an answer that are no column, though they may be as long as one.
NO_COLUMNS = ("lorenz", "sides", "caveats")
KEYS = ("ids", "figure", "weekday")


@dataclass(frozen=True)
class Table(Tabular, Sequence[Row], Generic[Row]):
    """A sequence of rows, with what is known of all of them."""

    rows: tuple[Row, ...]
    of: ClassVar[type[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, at: int | slice) -> Row | tuple[Row, ...]:
        return self.rows[at]

    def columns(self) -> dict[str, list[Any]]:
        """The fields of the rows; there where there are no rows, too."""
        return {field.name: [getattr(row, field.name) for row in self.rows] for field in fields(self.of)}


@dataclass(frozen=True)
class Places(Table[Place]):
    """Areas with clicks. `unplaced` clicks are known to a country or region only, `unknown` ones to none."""

    rows: tuple[Place, ...]
    total: int
    unplaced: int
    unknown: int
    withheld: int
    unlisted: int
    of = Place


@dataclass(frozen=True)
class Breakdown(Table[Part]):
    """Clicks by part, most first. `unlisted` ones are of values that `min_cell` hides."""

    rows: tuple[Part, ...]
    by: str
    total: int
    values: int
    unlisted: int
    since: datetime | None
    of = Part


@dataclass(frozen=True)
class Timeline(Table[Moment]):
    """Clicks over time; times are in the zone `tz`."""

    rows: tuple[Moment, ...]
    total: int
    bucket: str
    tz: str
    since: datetime | None
    of = Moment


@dataclass(frozen=True)
class Visitors(Table[VisitorMoment]):
    """Visitors over time. `withheld`: `min_cell` lets none be told."""

    rows: tuple[VisitorMoment, ...]
    bucket: str
    tz: str
    clicks: int
    unknown: int
    a_day: float | None
    since: datetime | None
    withheld: bool
    of = VisitorMoment


@dataclass(frozen=True)
class Hours(Table[Hour]):
    """Clicks by local weekday and hour; `unknown` ones are in no row."""

    rows: tuple[Hour, ...]
    clock: str
    tz: str
    total: int
    unknown: int
    since: datetime | None
    of = Hour


@dataclass(frozen=True)
class Insights(Table[Card]):
    """What stands out, what matters most first; `notes` say what could not be said. None below `needed` clicks."""

    rows: tuple[Card, ...]
    total: int
    needed: int
    baseline: str
    notes: tuple[str, ...]
    of = Card


@dataclass(frozen=True)
class Columns(Tabular):
    """An answer in columns: `values` by name, and beside them the `facts` that are one for all rows."""

    values: Mapping[str, tuple[Any, ...]]
    facts: Document

    def __len__(self) -> int:
        return len(next(iter(self.values.values()), ()))

    def columns(self) -> Mapping[str, tuple[Any, ...]]:
        """The values."""
        return self.values

    @classmethod
    def read(cls, document: Document) -> Columns:
        """From the API's JSON: what is as long as its key column is a column."""
        key = next((name for name in KEYS if isinstance(document.get(name), list)), None)
        rows = len(document[key]) if key else 0
        values = {
            name: tuple(value)
            for name, value in document.items()
            if key and isinstance(value, list) and len(value) == rows and name not in NO_COLUMNS
        }
        return cls(values, {name: value for name, value in document.items() if name not in values})


def timed(found: Timeline | Visitors, document: Document) -> Any:
    """The rows' times in the table's own zone: a day begins at its midnight."""
    zone = ZoneInfo(document["tz"])
    rows: list[Any] = []
    for row in found.rows:
        time = row.time.astimezone(zone) if row.time.tzinfo else row.time.replace(tzinfo=zone)
        rows.append(replace(row, time=time))
    whole: Any = found
    return replace(whole, rows=tuple(rows))


def grid(document: Document) -> Hours:
    """Seven weekdays of 24 hours as 168 rows."""
    rows = tuple(
        Hour(weekday, hour, clicks)
        for weekday, hours in enumerate(document["rows"])
        for hour, clicks in enumerate(hours)
    )
    return replace(read(Hours, {**document, "rows": []}), rows=rows)
