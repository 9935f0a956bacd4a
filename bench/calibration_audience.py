"""How often audience profiles are wrong: cards of nothing, and intervals where the database puts clicks elsewhere.

python -m bench calibration_audience
"""

# True homes are drawn here from every ZIP code by itself, with nothing of the grids and pools that profiles are made with.

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bench import sample
from bench.calibration import CLICKS, F64, I64, Found, World, show
from clickatlas.atlas.areas import Level
from clickatlas.atlas.files import load
from clickatlas.insight.audience import profile
from clickatlas.insight.audience_cards import cards
from clickatlas.insight.counts import Counts
from clickatlas.insight.surroundings import EARTH, SIGMA, Surroundings, positions, zip_figures

CAMPAIGNS = 200
DRAWN = 24  # true homes that each cell's places choose among
STATES = ("MA", "TX", "OH", "CA", "FL", "MN")  # that profiles are held against


class Homes:
    """Where those live whom the database puts at each place: residents under a round normal kernel, 67 % within the radius."""

    def __init__(self, world: World, weight: F64, random: np.random.Generator) -> None:
        atlas, self.around = world.atlas, Surroundings.of(world.atlas)
        self.world, self.random = world, random
        self.figures, living, _ = zip_figures(atlas.folder)
        _, lat, lon = positions(atlas.areas, load(atlas.folder, "people_zip"))
        self.place = np.flatnonzero((self.around.cell >= 0) & (weight > 0))
        cell = self.around.cell[self.place]
        self.cells, self.of = np.unique(cell, return_inverse=True)
        self.weight = weight[self.place] / weight[self.place].sum()
        radius = np.zeros(len(self.cells))
        radius[self.of] = np.asarray(atlas.places.radius)[self.place]
        self.bank = self._drawn(lat, lon, living, self.around.cluster[self.cells], radius)

    def _drawn(self, lat: F64, lon: F64, living: F64, own: npt.NDArray[np.int32], radius: F64) -> I64:
        """`DRAWN` true ZIP codes of each cell."""
        bank = np.repeat(own[:, None].astype(np.int64), DRAWN, axis=1)
        rows = np.flatnonzero((living > 0) & ~np.isnan(lat))
        rows = rows[np.argsort(lat[rows])]
        north, east, people = np.radians(lat[rows]), np.radians(lon[rows]), living[rows]
        for at in np.flatnonzero((radius > 0) & ~np.isnan(lat[own])).tolist():
            sigma = radius[at] / SIGMA / EARTH
            phi, theta = np.radians(lat[own[at]]), np.radians(lon[own[at]])
            first, last = np.searchsorted(north, (phi - 4 * sigma, phi + 4 * sigma))
            half = np.sin((north[first:last] - phi) / 2) ** 2
            half += np.cos(phi) * np.cos(north[first:last]) * np.sin((east[first:last] - theta) / 2) ** 2
            far = 2 * np.arcsin(np.sqrt(np.minimum(half, 1)))
            ends = np.cumsum(people[first:last] * np.exp(-((far / sigma) ** 2) / 2))
            if len(ends) and ends[-1] > 0:
                bank[at] = rows[first + np.searchsorted(ends, self.random.random(DRAWN) * ends[-1])]
        return bank

    def together(self) -> F64:
        """The mean figures of an audience all of whom the database has at a place live in one ZIP code somewhere around."""
        home = self.bank[self.of, self.random.integers(0, DRAWN, len(self.of))]
        return _mean(self.weight, self.figures[home])

    def apart(self) -> F64:
        """The same where each lives in one of their own."""
        share = np.bincount(self.of, self.weight)
        told = ~np.isnan(self.figures[self.bank])
        known = told.mean(axis=1)
        whole = np.where(told, self.figures[self.bank], 0.0).mean(axis=1)
        return np.asarray((share @ whole) / (share @ known))


def _mean(weight: F64, figures: F64) -> F64:
    told = ~np.isnan(figures)
    return np.asarray((weight @ np.where(told, figures, 0.0)) / (weight @ told))


def misplaced(homes: Homes, campaigns: int, clicks: int, weight: F64, *, seed: int = 1) -> list[Found]:
    """Indices' intervals that hold the truth of where clickers live: a place's all in one ZIP code, and each by itself."""
    random = np.random.default_rng([seed, clicks])
    hits, asked = np.zeros(2, np.int64), 0
    for _ in range(campaigns):
        found = profile(homes.world.draw(clicks, random, weight), homes.world.atlas)
        told = ~np.isnan(found.low)
        for at, truth in enumerate((homes.together(), homes.apart())):
            index = 100 * truth / found.reference
            hits[at] += int(((found.low <= index) & (index <= found.high))[told].sum())
        asked += int(told.sum())
    names = "a place's clickers live in one ZIP code", "each lives in one of their own"
    return [
        Found(f"audience, {clicks:,} clicks; {name}", int(hit), asked)
        for name, hit in zip(names, hits, strict=True)
    ]


def nothing(
    world: World,
    campaigns: int,
    clicks: int,
    weight: F64,
    name: str,
    *,
    against: str = "nation",
    seed: int = 2,
) -> Found:
    """Campaigns drawn from `weight` with any audience card: against the nation, a state's residents, or other clicks."""
    random = np.random.default_rng([seed, clicks])
    hits, examples = 0, []
    for number in range(campaigns):
        held: Counts | int | None = None
        drawn = weight
        if against == "others":
            held = world.draw(clicks, random, weight)
        elif against == "state":
            held = world.atlas.areas.number(f"region:US-{STATES[number % len(STATES)]}")
            drawn = np.where(np.asarray(world.atlas.places.area[Level.REGION]) == held, weight, 0.0)
        made = cards(profile(world.draw(clicks, random, drawn), world.atlas, held), world.atlas)
        hits += bool(made)
        examples += [card.sentence for card in made]
    return Found(
        f"any audience card, {name}, against {against}, {clicks:,} clicks",
        hits,
        campaigns,
        tuple(examples[:3]),
    )


def at_home(world: World, weight: F64) -> F64:
    """Those of the United States only."""
    inside = np.where(Surroundings.of(world.atlas).cell >= 0, weight, 0.0)
    return np.asarray(inside / inside.sum())


def runs(world: World, campaigns: int) -> Iterator[list[Found]]:
    people = at_home(world, world.residents.place.astype(np.float64))
    usual = at_home(world, world.weight)
    for name, weight in (("as places are clicked", usual), ("as residents", people)):
        for clicks in (2_000, CLICKS, 200_000):
            for against in ("nation", "state", "others"):
                few = campaigns if (clicks, name) == (CLICKS, "as places are clicked") else campaigns // 5
                yield [nothing(world, few, clicks, weight, name, against=against)]
    homes = Homes(world, usual, np.random.default_rng(3))
    for clicks in (2_000, CLICKS, 200_000):
        yield misplaced(homes, campaigns // 2, clicks, usual)


def main(campaigns: int = CAMPAIGNS) -> None:
    """Measure and print."""
    began = time.process_time()
    for found in runs(World.of(sample.atlas(), ()), campaigns):
        for result in found:
            show(result, f"{time.process_time() - began:.0f} s")
        began = time.process_time()
