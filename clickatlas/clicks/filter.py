"""The filter: which clicks. The same words on every endpoint, in the page's URL and in scripts."""

from __future__ import annotations

import math
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
MAX_SHAPES, MAX_POINTS = 20, 200
FARTHEST = 1080.0  # degrees of longitude: a map may be turned around the world a few times

# A drawn area. "lng,lat,lng,lat,…": two corners of a box (south-west, north-east), or the points of a polygon.
Shape = tuple[float, ...]


@dataclass(frozen=True)
class Traits:
    """What single clicks tell of themselves in words; of each kind any of its values. Falsy where it asks for nothing.

    Counts that are kept of clicks no longer kept one by one don't tell these apart.
    """

    browsers: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    referrers: tuple[str, ...] = ()  # hosts
    origins: tuple[str, ...] = ()  # groups and names, as `origins.origins` gives them

    def __bool__(self) -> bool:
        return bool(self.browsers or self.systems or self.languages or self.referrers or self.origins)


@dataclass(frozen=True)
class Filter:
    """Which clicks. Conditions of different kinds all hold; of one kind, any of its values does.

    `start` and `end` are moments in milliseconds UTC, `end` exclusive; None is open. `areas`
    are area ids; `within` are drawn areas, in which only placed clicks lie. `networks` are the network kinds let
    through: people only unless asked. No area is shown that has fewer than `least` clicks; 0 and 1 hide nothing.
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
    within: tuple[Shape, ...] = ()
    least: int = 0
    traits: Traits = Traits()

    @property
    def holds(self) -> bool:
        """Whether anything is to be hidden."""
        return self.least > 1


@dataclass(frozen=True)
class Selection:
    """What a click store is asked for: a filter with names turned into numbers.

    `links` are link numbers, ascending; None is every link. Network kind, area and drawn
    areas stay out: they are arithmetic on the answer.
    """

    links: tuple[int, ...] | None = None
    start: int | None = None
    end: int | None = None
    devices: tuple[str, ...] = ()
    traits: Traits = Traits()


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


def shapes(values: Sequence[str], *, field: str = "within") -> tuple[Shape, ...]:
    """Drawn areas, each as "lng,lat,lng,lat,…"; raises `Problem` (422).

    Four numbers are a box: west, south, east, north; one whose west is greater than its east crosses
    the date line (as in GeoJSON, RFC 7946, 5.2) and comes back with its east 360 degrees on.
    """
    if len(values) > MAX_SHAPES:
        raise invalid(
            f"There are {len(values)} drawn areas.", remedy=f"Draw at most {MAX_SHAPES}.", field=field
        )
    return tuple(_shape(text, field) for text in values)


def _shape(text: str, field: str) -> Shape:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) < 4 or len(numbers) % 2 or len(numbers) > 2 * MAX_POINTS:
        raise invalid(
            f"A drawn area can't be read: {text[:80]!r}.",
            remedy=f"Use west,south,east,north or lng,lat,lng,lat,… with 3 to {MAX_POINTS} points.",
            field=field,
        )
    lng, lat = numbers[::2], numbers[1::2]
    # Written so that a NaN is too far, too.
    if not all(abs(degrees) <= 90 for degrees in lat) or not all(abs(degrees) <= FARTHEST for degrees in lng):
        raise invalid(
            f"A drawn area lies off the map: {text[:80]!r}.",
            remedy="Longitude comes before latitude; latitude goes from -90 to 90.",
            field=field,
        )
    if len(numbers) == 4:
        if lat[0] > lat[1]:
            raise invalid("A box's south is north of its north.", remedy="Swap them.", field=field)
        if lng[0] > lng[1]:
            numbers[2] += 360 * math.ceil((lng[0] - lng[1]) / 360)
    return tuple(numbers)
