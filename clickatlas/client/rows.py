"""What the API tells, as frozen dataclasses. Fields are named as in its document; unknown ones are left out."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

Made = TypeVar("Made")
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A short link. `clicks` (by people) and `sparkline` (of the last 30 days) are known of links in a list."""

    code: str
    short_url: str
    url: str
    title: str
    campaign: str | None
    channel: str | None
    tags: tuple[str, ...]
    created_at: datetime
    starts_at: datetime | None
    expires_at: datetime | None
    max_clicks: int | None
    has_password: bool
    status: int
    pass_query: bool
    archived_at: datetime | None
    notes: str
    domain: str | None = None
    clicks: int | None = None
    sparkline: tuple[int, ...] = ()
    rules: tuple[Document, ...] = ()
    split: tuple[Document, ...] = ()
    target: Document | None = None


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A row of a bulk that became a link. `code` is None in a dry run where none was asked for."""

    row: int
    code: str | None
    short_url: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of a bulk that became none. Rows are counted from 1."""

    row: int
    detail: str
    remedy: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of many links."""

    made: tuple[MadeLink, ...]
    refused: tuple[Refusal, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign; `target` is known of one that was asked for by its name."""

    name: str
    links: int
    target: Document | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What clicks can be filtered by, and from when to when there are any."""

    campaigns: tuple[str, ...]
    channels: tuple[str, ...]
    tags: tuple[str, ...]
    devices: tuple[str, ...]
    first_click: datetime | None
    last_click: datetime | None
    clicks: int


@dataclass(frozen=True, slots=True)
class Place:
    """An area's row: `share` is 0 to 1, `rate` clicks per 10,000 residents, `index` 100 where as many as expected."""

    id: str
    name: str
    country: str
    country_name: str | None
    clicks: int
    share: float
    population: int | None
    rate: float | None
    index: float | None
    lat: float | None
    lon: float | None
    region: str | None = None
    region_code: str | None = None
    metro: str | None = None
    county: str | None = None
    city: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A bucket of time and its clicks."""

    time: datetime
    clicks: int


@dataclass(frozen=True, slots=True)
class VisitorMoment:
    """A bucket of time: between `least` and `most` visitors; `unknown` clicks can't be told apart."""

    time: datetime
    clicks: int
    least: int
    most: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Clicks in an hour (0 to 23) of a weekday (0: Monday)."""

    weekday: int
    hour: int
    clicks: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the clicks. `value` is None for clicks without one."""

    value: str | None
    name: str
    clicks: int
    share: float
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A time and its clicks."""

    from_: datetime
    to: datetime
    clicks: int


@dataclass(frozen=True, slots=True)
class Change:
    """A period against the one before; `ratio` and its 95 % `interval` are None where there is nothing to compare."""

    now: Period
    before: Period
    ratio: float | None
    interval: tuple[float | None, ...] | None
    beyond_chance: bool


@dataclass(frozen=True, slots=True)
class Area:
    """An area that a card is about."""

    id: str
    name: str
    lat: float | None
    lon: float | None


@dataclass(frozen=True, slots=True)
class Card:
    """One insight: what stands out, how sure that is, and how it is known."""

    kind: str
    sentence: str
    numbers: Document
    interval: tuple[float | None, ...] | None
    p: float | None
    q: float | None
    areas: tuple[Area, ...]
    areas_total: int
    method: str
    sample: int
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A public map. `url` and `iframe` are told when it is made or gets a new address, and never again."""

    id: int
    title: str
    filter: Document
    min_cell: int
    mode: str
    has_password: bool
    embed: bool
    origins: tuple[str, ...]
    listed: bool
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    url: str | None = None
    iframe: str | None = None


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A DNS record to set."""

    kind: str
    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of the workspace's own. `verified_at`: since when it is proved; `problem`: what the last check missed."""

    id: int
    name: str
    shown: str
    verified_at: datetime | None
    checked_at: datetime | None
    problem: str
    points_here: bool | None
    lost_at: datetime | None
    primary: bool
    links: int
    records: tuple[DnsRecord, ...]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told of what. `secret` is told when it is made or rotated, and never again."""

    id: int
    url: str
    events: tuple[str, ...]
    active: bool
    created_at: datetime
    old_secret_until: datetime | None
    digest: Document | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to a webhook: `state` is waiting, delivered or failed."""

    id: int
    message: str
    event: str
    created_at: datetime
    state: str
    tries: int
    due_at: datetime | None
    status: int | None
    answer: str


@dataclass(frozen=True, slots=True)
class LiveClick:
    """A click that has just come; `time` is in milliseconds since 1970, UTC."""

    time: int
    age_ms: int
    code: str | None
    channel: str | None
    place: Document | None
    device: str
    browser: str
    system: str
    language: str
    referrer: str | None
    origin: Document
    network: str


@dataclass(frozen=True, slots=True)
class LiveClicks:
    """`count` clicks since the event before, and up to 50 of them, drawn by chance."""

    count: int
    clicks: tuple[LiveClick, ...]


def read(kind: type[Made], document: Document) -> Made:
    """A dataclass from the API's JSON: times become datetimes, lists tuples; `from` is `from_`."""
    assert is_dataclass(kind)
    hints = _hints(kind)
    found = {}
    for field in fields(kind):
        name = field.name.rstrip("_")
        if name in document:
            found[field.name] = _value(hints[field.name], document[name])
        elif type(None) in typing.get_args(hints[field.name]):
            found[field.name] = None
    return kind(**found)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        hint = next(one for one in typing.get_args(hint) if one is not types.NoneType)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, one) for one in value)
    return read(hint, value) if is_dataclass(hint) and isinstance(hint, type) else value
