"""Visitors who click in clumps over weeks: several models of how, none of which insights know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.insight.rhythm import DAY, HOUR

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

WEEKS = 13
WEEKDAY = np.array([1.15, 1.2, 1.15, 1.1, 0.95, 0.7, 0.75])  # Monday first
HOURS = 1 + 0.8 * np.cos((np.arange(24) - 16) / 24 * 2 * np.pi)  # people sleep
DAYS_DIFFER, DAYS_LAST = 0.35, 0.5  # of the logarithm of a day's clicks; how much of it the next day has
WANDER = 0.02  # the variance of a region's part from week to week, and of a country's
MACHINES = 0.05
PAST = 1_760_918_400_000  # a Monday, UTC


@dataclass(frozen=True)
class Clumps:
    """How many clicks come together, and where.

    Each visitor clicks once and again with the chance `again`, or as often as a log-normal or Zipf's law says; one in `1 / offices`
    is an office with `office` clicks on average. `gateways`: that part of a region's visitors of a campaign seem to be at one
    place, another for each campaign. `bursts`: one in so many visitors tells `told` others of the same city, the same day.
    """

    again: float = 0.3
    lognormal: float = 0.0
    zipf: float = 0.0
    offices: float = 1 / 300
    office: float = 12.0
    heavy: bool = False  # offices' sizes are log-normal (σ = 1) rather than geometric
    gateways: float = 0.0
    bursts: float = 0.0
    told: float = 25.0

    def sizes(self, visitors: int, random: np.random.Generator) -> I64:
        """Clicks of each visitor, in no order."""
        if self.zipf:
            alone = np.minimum(random.zipf(self.zipf, visitors), 300)
        elif self.lognormal:
            alone = np.ceil(np.exp(self.lognormal * random.standard_normal(visitors)))
        else:
            alone = random.geometric(1 - self.again, visitors)
        if self.heavy:
            many = np.ceil(self.office * np.exp(random.standard_normal(visitors) - 0.5))
        else:
            many = random.geometric(1 / self.office, visitors)
        return np.where(random.random(visitors) < self.offices, many, alone).astype(np.int64)

    def visitors(self, clicks: int) -> int:
        """How many make about so many clicks."""
        mean = float(self.sizes(400_000, np.random.default_rng(1)).mean())
        return max(1, round(clicks / (mean * (1 + self.bursts * self.told))))


MODELS: Mapping[str, Clumps] = {
    "geometric": Clumps(),
    "log-normal": Clumps(lognormal=1.0),
    "Zipf": Clumps(zipf=2.7),
    "heavy offices": Clumps(offices=1 / 100, office=15.0, heavy=True),
    "gateways": Clumps(gateways=0.03),
    "bursts": Clumps(bursts=1 / 1000),
}


@dataclass(frozen=True)
class Crowd:
    """Where and when visitors of the real atlas click."""

    atlas: Atlas
    weight: F64  # by place
    region: I64  # by place, and never below 0
    country: I64
    shift: I64  # ms that local clocks are ahead of UTC, by the sun

    @classmethod
    def of(cls, atlas: Atlas, weight: F64) -> Crowd:
        """`weight` says how likely a visitor's place is."""
        region, country = (
            np.asarray(atlas.places.area[level], np.int64) for level in (Level.REGION, Level.COUNTRY)
        )
        lon = np.nan_to_num(np.asarray(atlas.places.lon, np.float64))
        size = len(atlas.areas)
        return cls(atlas, weight, np.where(region < 0, size, region), np.where(country < 0, size, country),
                   np.rint(lon / 15).astype(np.int64) * HOUR)  # fmt: skip

    def clicks(
        self,
        visitors: int,
        clumps: Clumps,
        random: np.random.Generator,
        weight: F64 | None = None,
        last: tuple[F64, int] | None = None,
    ) -> tuple[I64, I64, npt.NDArray[np.uint8], I64]:
        """(place, time in ms UTC, network kind, visitor) of each click of a campaign, in no order.

        `last`: (weight, visitors) who come besides, in the last seven whole days.
        """
        weight = self.weight if weight is None else weight
        week, day = self._days(visitors, random)
        place = np.empty(visitors, np.int64)
        for number in np.unique(week).tolist():
            mine = np.flatnonzero(week == number)
            place[mine] = random.choice(weight.size, mine.size, p=self._wandered(weight, random))
        if clumps.gateways:
            place = self._gathered(place, clumps.gateways, random)
        if last is not None:
            more, number = last
            place = np.concatenate((place, random.choice(more.size, number, p=more / more.sum())))
            day = np.concatenate((day, random.integers(WEEKS * 7 - 8, WEEKS * 7 - 1, number)))
            visitors += number
        each = clumps.sizes(visitors, random)
        who = np.repeat(np.arange(visitors), each)
        if clumps.bursts:
            who, place, day = self._told(who, place, day, clumps, random)
        at = place[who]
        when = PAST + day[who] * DAY
        # Some click again on another day of the same week, most within the hour.
        again = (random.random(who.size) < 0.2) & (each[np.minimum(who, visitors - 1)] > 1)
        when[again] += random.integers(0, 3, int(again.sum())) * DAY
        when = np.minimum(when, PAST + (WEEKS * 7 - 1) * DAY)
        hour = random.choice(24, place.size, p=HOURS / HOURS.sum())[who]
        # Days are those of the place's own clock, as its hours are.
        time = when + hour * HOUR - self.shift[at] + random.integers(0, HOUR, who.size)
        kind = np.where(
            random.random(place.size) < MACHINES, int(NetworkKind.HOSTING), int(NetworkKind.RESIDENTIAL)
        )
        return at, time, kind[who].astype(np.uint8), who

    def _days(self, visitors: int, random: np.random.Generator) -> tuple[I64, I64]:
        """Week and day of each visitor: weekdays, days that differ, and weeks that do."""
        days = WEEKS * 7
        noise = random.standard_normal(days)
        for number in range(1, days):
            noise[number] = DAYS_LAST * noise[number - 1] + (1 - DAYS_LAST**2) ** 0.5 * noise[number]
        part = np.tile(WEEKDAY, WEEKS) * np.exp(DAYS_DIFFER * noise)
        day = random.choice(days, visitors, p=part / part.sum())
        return day // 7, day

    def _wandered(self, weight: F64, random: np.random.Generator) -> F64:
        """Weights of one week: regions and countries have more or less of their own."""
        factor = np.ones(len(self.atlas.areas) + 1)
        factor *= random.gamma(1 / WANDER, WANDER, factor.size)
        changed = weight * factor[self.region] * random.gamma(1 / WANDER, WANDER, factor.size)[self.country]
        return np.asarray(changed / changed.sum())

    def _gathered(self, place: I64, part: float, random: np.random.Generator) -> I64:
        """Some of each region's visitors at one place of it."""
        order = np.argsort(self.region[place] + random.random(place.size), kind="stable")
        first = np.flatnonzero(np.diff(self.region[place][order], prepend=-1))
        gateway = np.zeros(int(self.region.max()) + 1, np.int64)
        gateway[self.region[place][order][first]] = place[order][first]
        return np.where(random.random(place.size) < part, gateway[self.region[place]], place)

    def _told(
        self, who: I64, place: I64, day: I64, clumps: Clumps, random: np.random.Generator
    ) -> tuple[I64, I64, I64]:
        """With those of the same city who were told: visitors of their own, at any of its places."""
        city = np.asarray(self.atlas.places.area[Level.CITY], np.int64)
        tell = np.flatnonzero((random.random(place.size) < clumps.bursts) & (city[place] >= 0))
        more = random.geometric(1 / clumps.told, tell.size)
        at, when = [place], [day]
        for teller, told in zip(tell.tolist(), more.tolist(), strict=True):
            inside = np.flatnonzero(city == city[place[teller]])
            part = self.weight[inside]
            at.append(random.choice(inside, told, p=part / part.sum()))
            when.append(np.full(told, day[teller]))
        places = np.concatenate(at)
        return np.concatenate((who, np.arange(place.size, places.size))), places, np.concatenate(when)
