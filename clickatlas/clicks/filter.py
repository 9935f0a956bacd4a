"""The filter: which clicks. The same words on every endpoint, in the page's URL and in scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clickatlas.atlas.kinds import NetworkKind
from clickatlas.errors import invalid

PEOPLE = frozenset({NetworkKind.RESIDENTIAL})
EVERYTHING = frozenset(NetworkKind)
DEVICES = ("desktop", "mobile", "tablet", "other")
YEARS = range(1900, 3000)


@dataclass(frozen=True)
class Filter:
    """Which clicks. Conditions of different kinds all hold; of one kind, any of its values does.

    `start` and `end` are moments in milliseconds UTC, `end` exclusive; None is open. `areas`
    are area ids. `networks` are the network kinds let through: people only unless asked.
    """

    links: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    zone: str = "UTC"
    devices: tuple[str, ...] = ()
    networks: frozenset[NetworkKind] = PEOPLE
    areas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """What a click store is asked for: a filter with names turned into numbers.

    `links` are link numbers, ascending; None is every link. Network kind and area stay out:
    they are arithmetic on the answer.
    """

    links: tuple[int, ...] | None = None
    start: int | None = None
    end: int | None = None
    devices: tuple[str, ...] = ()


def zone_info(name: str) -> ZoneInfo:
    """The IANA zone `name`; raises `Problem` (422)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise invalid(
            f"There is no time zone {name[:80]!r}.",
            remedy="Use an IANA name such as UTC or Europe/Berlin.",
            field="tz",
        ) from None


def moment(text: str, zone: str, *, field: str, is_end: bool = False) -> int:
    """A date or date-time as milliseconds UTC; raises `Problem` (422).

    A date means midnight in `zone`; as an end it is inclusive, so it means the midnight after.
    A date-time without an offset is in `zone`; as an end it is exclusive.
    """
    try:
        value = _datetime(text, is_end=is_end)
    except (ValueError, OverflowError):
        raise invalid(
            f"'{field}' can't be read: {text[:80]!r}.",
            remedy="Use a date (2026-09-18) or a date-time (2026-09-18T14:00Z).",
            field=field,
        ) from None
    if value.year not in YEARS:  # at the calendar's very ends even a time zone is too much
        raise invalid(
            f"'{field}' is too far away: {text[:80]!r}.",
            remedy=f"Use a year from {YEARS[0]} to {YEARS[-1]}, or leave it out for no bound.",
            field=field,
        )
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone_info(zone))
    return round(value.timestamp() * 1000)


def _datetime(text: str, *, is_end: bool) -> datetime:
    try:
        day = date.fromisoformat(text) + timedelta(days=1 if is_end else 0)
    except ValueError:
        # A '+' that a URL turned into a space is put back.
        return datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
    return datetime.combine(day, time())


def network_kinds(values: Sequence[str]) -> frozenset[NetworkKind]:
    """Network kinds by name, `all`, or a comma-separated list; none given means people only."""
    names = [name.strip().lower() for value in values for name in value.split(",") if name.strip()]
    if not names:
        return PEOPLE
    if "all" in names:
        return EVERYTHING
    known = {kind.name.lower(): kind for kind in NetworkKind}
    for name in names:
        if name not in known:
            raise invalid(
                f"There is no network kind {name[:40]!r}.",
                remedy=f"Use 'all' or a list of {', '.join(known)}.",
                field="network",
            )
    return frozenset(known[name] for name in names)


def devices(values: Sequence[str]) -> tuple[str, ...]:
    """Device names, checked; raises `Problem` (422)."""
    names = sorted({name.strip().lower() for value in values for name in value.split(",") if name.strip()})
    for name in names:
        if name not in DEVICES:
            raise invalid(
                f"There is no device {name[:40]!r}.", remedy=f"Use {', '.join(DEVICES)}.", field="device"
            )
    return tuple(names)
