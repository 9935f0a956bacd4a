"""Measures: clicks held against the people who live there.

**Rate** is clicks per 10,000 residents. An area's residents are its own population, a cluster's are those
of its places.

**Expected** is how many clicks there would be if everybody in a country clicked equally often, and
**index** is 100 × clicks / expected: 100 is as many as its people would give, 200 twice as many. (Indirect
standardisation by country; the index is a standardised incidence ratio in per cent.) One definition serves
tables, the drawer, clusters and the surface:

- A place's expected clicks are its residents × its country's *reference*: the country's placed clicks over
  the residents of its places. A cluster's and a metro's, county's, city's or postal code's are the sum of
  its places', never its published population times something: clicks come to an area through its places,
  so its residents must come the same way. Within a country, expected clicks add up to the placed clicks, so
  an index of 100 is the country's average, and index and cluster agree wherever they hold the same places.
- *Unplaced* clicks are not in the reference: they can be in no metro and in no cluster, and nine in ten
  addresses of some countries are unplaced. With them every area of such a country would seem to fail.
- A region's table also counts clicks that are known to the region only, so its reference does as well.
- A country's reference is the world: clicks known to a country over the population of all countries.
- Under a filter by area only the residents inside count, as only the clicks inside do.
- Places where no source counts anybody (PO boxes, villages) have no residents. Where there are none at all,
  rate and index are not known: neither zero nor infinite.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.population import FLOOR
from clickatlas.insight.counts import Counts

PER = 10_000  # residents that a rate counts clicks for
F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Residents:
    """What measures need of an atlas, made once; arrays by place number or by area number."""

    place: F32  # residents of each place, 0 where nobody is counted or the place is unplaced
    country: npt.NDArray[
        np.int16
    ]  # of each place: its country's position in `countries` + 1, 0 where not known
    countries: npt.NDArray[np.int64]  # area numbers, ascending
    population: F64  # of every area, NaN where no source says or nobody lives there

    @classmethod
    def of(cls, atlas: Atlas) -> Residents:
        """Read an atlas; about 2 ms."""
        places, areas = atlas.places, atlas.areas
        people = np.asarray(places.population)
        counted = (people > FLOOR) & ~np.asarray(places.unplaced)
        population = np.asarray(areas.populations(), np.float64)
        countries = np.flatnonzero(np.asarray(areas.levels()) == LEVELS.index(Level.COUNTRY))
        country = np.asarray(places.area[Level.COUNTRY])
        return cls(
            place=np.where(counted, people, np.float32(0)),
            country=np.where(country < 0, 0, np.searchsorted(countries, country) + 1).astype(np.int16),
            countries=countries,
            population=np.where(population > 0, population, np.nan),
        )


@dataclass(frozen=True)
class Expectation:
    """What one filter's clicks would be if people everywhere clicked as often as their country's do."""

    atlas: Atlas
    counts: Counts
    people: Residents
    residents: F32 = field(repr=False)  # of each place that the filter's areas let through, else 0

    @classmethod
    def of(cls, atlas: Atlas, counts: Counts, people: Residents | None = None) -> Expectation:
        """For `counts`; with `people` of the same atlas where they are at hand."""
        people = people or Residents.of(atlas)
        inside = (
            people.place if counts.within is None else np.where(counts.within, people.place, np.float32(0))
        )
        return cls(atlas, counts, people, inside)

    @cached_property
    def reference(self) -> F64:
        """Placed clicks per resident, by `Residents.country`; 0 where nobody lives, and without a country."""
        return self._reference(~np.asarray(self.atlas.places.unplaced))

    def _reference(self, counted: npt.NDArray[np.bool_]) -> F64:
        """Clicks at the `counted` places per resident of theirs, for each country."""
        some = np.flatnonzero((self.counts.clicks > 0) & counted)
        clicks = self._by_country(self.counts.clicks[some], some)
        residents = self._by_country(np.where(counted, self.residents, 0))
        residents[0] = 0  # without a country there is nothing to expect
        return np.divide(clicks, residents, out=np.zeros(len(clicks)), where=residents > 0)

    @property
    def places(self) -> F64:
        """Expected clicks of every place; 1 ms."""
        return self.residents * self.reference[self.people.country]

    @cached_property
    def world(self) -> float:
        """Clicks per inhabitant of all countries together: what a single country is held against."""
        countries = self.people.countries
        population = np.nan_to_num(self.people.population[countries])
        clicks = self._by_country(self.counts.clicks)[1:]
        if self.counts.within is not None:
            here = self._by_country(self.counts.within)[1:] > 0
            population = np.where(here, population, 0)
        whole = float(population.sum())
        return float(clicks[population > 0].sum()) / whole if whole else 0.0

    def of_areas(self, level: Level) -> F64:
        """Expected clicks by area number, for the areas of `level`; 0 where nobody is known to live."""
        if level is Level.COUNTRY:
            expected = np.zeros(len(self.atlas.areas))
            at = self.people.countries
            expected[at] = np.nan_to_num(self.people.population[at]) * self.world
            return expected
        area = np.asarray(self.atlas.places.area[level])
        reference = self._reference(area >= 0) if level is Level.REGION else self.reference
        return self._sum(area, self.residents * reference[self.people.country])

    def inhabited(self, level: Level) -> npt.NDArray[np.bool_]:
        """By area number: the areas of `level`, inside the filter's, where somebody is known to live."""
        area = np.asarray(self.atlas.places.area[level])
        of_level = np.asarray(self.atlas.areas.levels()) == LEVELS.index(level)
        here = of_level
        if self.counts.within is not None:
            here = self._sum(area, self.counts.within) > 0
        counted = ~np.isnan(self.people.population) | (self._sum(area, self.residents) > 0)
        return np.asarray(of_level & here & counted)

    def _by_country(
        self, weights: npt.NDArray[np.generic], at: npt.NDArray[np.intp] | slice = slice(None)
    ) -> F64:
        """Sum of the places `at` by `Residents.country`."""
        size = len(self.people.countries) + 1
        return np.bincount(self.people.country[at], weights, minlength=size).astype(np.float64)

    def _sum(self, area: I32, weights: npt.NDArray[np.generic]) -> F64:
        """Sum by area number; what belongs to no area is left out."""
        return np.bincount(area + 1, weights, minlength=len(self.atlas.areas) + 1)[1:].astype(np.float64)


def rate(clicks: npt.NDArray[np.generic], residents: F64) -> F64:
    """Clicks per 10,000 residents; NaN where nobody is known to live."""
    return _ratio(PER, clicks, residents)


def index(clicks: npt.NDArray[np.generic], expected: F64) -> F64:
    """Clicks in per cent of those expected; NaN where nothing can be expected."""
    return _ratio(100, clicks, expected)


def _ratio(factor: int, above: npt.NDArray[np.generic], below: F64) -> F64:
    below = np.asarray(below, np.float64)
    unknown = np.full(below.shape, np.nan)
    return np.asarray(np.divide(factor * np.asarray(above, np.float64), below, out=unknown, where=below > 0))
