"""How often insights are wrong: campaigns without anything to find, planted effects, intervals that know the truth."""

# The generator knows nothing of how insights are made. People of a country live where its residents do; within a region
# the City database puts them where it has addresses: clicks come from places of the real database, by the geometric mean
# of residents and addresses. They come in clumps: a visitor clicks once or several times, and one in 300 is an office.

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench import sample
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import gaps, hotspots
from clickatlas.insight.baseline import by_population, chosen
from clickatlas.insight.card import Card, Kind
from clickatlas.insight.chance import share_interval
from clickatlas.insight.concentration import cards as cards_of_concentration
from clickatlas.insight.concentration import concentration, gini, lorenz
from clickatlas.insight.contiguity import Contiguity
from clickatlas.insight.counts import Counts
from clickatlas.insight.measures import Expectation, Residents
from clickatlas.insight.scan import Circles

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

COUNTRIES = {
    "US": 0.6, "GB": 0.08, "CA": 0.06, "DE": 0.05, "IN": 0.04, "AU": 0.03, "FR": 0.03, "BR": 0.03, "MX": 0.02,
    "ES": 0.02, "IT": 0.02, "NL": 0.01, "JP": 0.01,
}  # fmt: skip
AGAIN = 0.3  # the chance that a visitor clicks once more, each time: 1.4 clicks on average
OFFICES = 1 / 300  # of visitors; geometric with OFFICE clicks on average
OFFICE = 12
CLICKS = 20_000
AGREE = 1.5
OTHERS = 20  # times as many on the other links


@dataclass(frozen=True)
class World:
    """The real atlas, and how likely a visitor's place is."""

    atlas: Atlas
    residents: Residents
    weight: F64
    contiguity: dict[Level, Contiguity]
    circles: dict[Level, Circles]

    @classmethod
    def of(cls, atlas: Atlas, levels: tuple[Level, ...] = gaps.LEVELS) -> World:
        residents = Residents.of(atlas)
        places = atlas.places
        people = np.asarray(residents.place, np.float64)
        addresses = np.where(np.asarray(places.unplaced), 0, np.asarray(places.addresses, np.float64))
        region = np.asarray(places.area[Level.REGION])
        country = np.asarray(places.area[Level.COUNTRY])
        mixed = np.sqrt(people * addresses) * (region >= 0)
        sums = np.bincount(region + 1, mixed, len(atlas.areas) + 1)
        whole = np.bincount(region + 1, people, len(atlas.areas) + 1)
        weight = mixed * np.divide(whole, sums, out=np.zeros(sums.size), where=sums > 0)[region + 1]
        result = np.zeros(weight.size)
        for code, part in COUNTRIES.items():
            mine = country == atlas.areas.number(f"country:{code}")
            result[mine] = part * weight[mine] / weight[mine].sum()
        graph = {level: Contiguity.of(atlas, level, residents) for level in levels}
        circles = {level: Circles.of(graph[level].spot) for level in levels if level in hotspots.SCANNED}
        return cls(atlas, residents, result / result.sum(), graph, circles)

    def counts(self, clicks: I64) -> Counts:
        unplaced = int(clicks[np.asarray(self.atlas.places.unplaced)].sum())
        return Counts(clicks, {}, unplaced, int(clicks[:2].sum()))

    def draw(self, clicks: int, random: np.random.Generator, weight: F64 | None = None) -> Counts:
        """About so many clicks, in clumps."""
        weight = self.weight if weight is None else weight
        visitors = round(clicks / ((1 - OFFICES) / (1 - AGAIN) + OFFICES * OFFICE))
        place = random.choice(weight.size, visitors, p=weight / weight.sum())
        office = random.random(visitors) < OFFICES
        each = np.where(office, random.geometric(1 / OFFICE, visitors), random.geometric(1 - AGAIN, visitors))
        return self.counts(np.bincount(place, each, weight.size).astype(np.int64))

    def planted(self, area: int, factor: float) -> F64:
        """Weights with one area's visitors times `factor`."""
        inside = np.asarray(self.atlas.places.area[self.atlas.areas.level(area)]) == area
        weight = np.where(inside, self.weight * factor, self.weight)
        return weight / weight.sum()

    def cards(self, counts: Counts, others: Counts | None) -> list[Card]:
        """Gap and hot-spot cards of a campaign."""
        expectation = Expectation.of(self.atlas, counts, self.residents)
        found: list[Card] = []
        for level in gaps.LEVELS:
            baseline = chosen(expectation, level, others, name="others" if others else "population")
            found += gaps.cards(gaps.gaps(baseline, self.contiguity[level]), self.atlas)
            hot = hotspots.hotspots(baseline, self.contiguity[level], self.circles.get(level))
            found += hotspots.cards(hot, self.atlas)
        return found

    def share(self, level: Level) -> F64:
        """The true share of clicks by area number."""
        column = np.asarray(self.atlas.places.area[level])
        return np.bincount(column + 1, self.weight, len(self.atlas.areas) + 1)[1:]


@dataclass(frozen=True)
class Found:
    """Of so many campaigns, how many had what was looked for."""

    name: str
    hits: int
    campaigns: int
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        return self.hits / self.campaigns


def nothing(world: World, campaigns: int, *, others: bool, clicks: int = CLICKS, seed: int = 1) -> Found:
    """Campaigns drawn from the baseline: those with any gap or hot-spot card."""
    random = np.random.default_rng([seed, clicks, others])
    hits, examples = 0, []
    rest = [world.draw(OTHERS * clicks, random) for _ in range(4)] if others else [None]
    for number in range(campaigns):
        made = world.cards(world.draw(clicks, random), rest[number % len(rest)])
        hits += bool(made)
        examples += [card.sentence for card in made]
    name = f"nothing, {'others' if others else 'population'}, {clicks:,} clicks"
    return Found(name, hits, campaigns, tuple(examples[:5]))


def found(
    world: World, campaigns: int, kind: Kind, level: Level, factor: float, *, others: bool,
    least: float = 150, clicks: int = CLICKS, seed: int = 2,
) -> Found:  # fmt: skip
    """Campaigns with an area of the US planted (one with at least `least` expected clicks): those whose cards name it.

    With population as the baseline only areas whose addresses don't tell something else than its residents: within `AGREE`.
    """
    random = np.random.default_rng([seed, clicks, others, level == Level.METRO])
    us = world.atlas.areas.number("country:US")
    share = world.share(level)
    candidates = [n for n in np.flatnonzero(share * clicks >= least).tolist()
                  if world.atlas.areas.ancestors(n)[:1] == [us]]  # fmt: skip
    rest = world.draw(OTHERS * clicks, random) if others else None
    if not others:
        usual = chosen(Expectation.of(world.atlas, world.draw(clicks, random), world.residents), level)
        agree = usual.area[
            np.abs(np.log(np.maximum(usual.reach, 1) / np.maximum(usual.expected, 1))) < np.log(AGREE)
        ]
        candidates = [n for n in candidates if n in agree]
    hits, missed = 0, []
    for _ in range(campaigns):
        area = int(random.choice(candidates))
        made = world.cards(world.draw(clicks, random, world.planted(area, factor)), rest)
        ok = any(card.kind is kind and area in card.areas for card in made)
        hits += ok
        if not ok:
            missed.append(f"{world.atlas.areas.label(area)}, {share[area] * clicks:.0f} expected")
    name = f"{level.value} at {factor} found, {'others' if others else 'population'}, {clicks:,} clicks"
    return Found(name, hits, campaigns, tuple(missed[:5]))


def coverage(world: World, campaigns: int, *, clicks: int = CLICKS, seed: int = 3) -> list[Found]:
    """Intervals of what cards say, and of tables, that hold the truth."""
    random = np.random.default_rng([seed, clicks])
    hits: dict[str, list[int]] = {}

    def note(name: str, truth: F64 | float, low: F64 | float, high: F64 | float) -> None:
        held = np.atleast_1d((np.asarray(low) <= truth) & (truth <= np.asarray(high)))
        entry = hits.setdefault(name, [0, 0])
        entry[0] += int(held.sum())
        entry[1] += held.size

    for _ in range(campaigns):
        counts = world.draw(clicks, random)
        expectation = Expectation.of(world.atlas, counts, world.residents)
        for level in gaps.LEVELS:
            share = world.share(level)
            known = share / share.sum()
            found = concentration(expectation, level)
            column, country = (np.asarray(world.atlas.places.area[which]) for which in (level, Level.COUNTRY))
            main = np.isin(country, found.countries) & (column >= 0)
            lives = np.bincount(column[main], world.residents.place[main], share.size)
            true = lorenz(np.bincount(column[main], world.weight[main], share.size), lives)
            if not found.few:
                note(f"Gini, {level}", gini(true), found.gini.low, found.gini.high)
                note(f"Herfindahl, {level}", float((known**2).sum()), found.hhi.low, found.hhi.high)
                note(f"share of the top, {level}", float(known[found.area[: found.top]].sum()),
                     found.share.low, found.share.high)  # fmt: skip
            table = gaps.gaps(chosen(expectation, level, name="population"))
            note(
                f"ratio of an area, {level}",
                share[table.area] * counts.total / table.expected,
                table.low,
                table.high,
            )
            low, high = share_interval(table.clicks, table.sample, phi=table.worth)
            note(f"share of an area, {level}", known[table.area], low, high)
    return [Found(f"{name}: interval holds it", *entry) for name, entry in hits.items()]


def all_of(world: World, campaigns: int) -> Iterator[Callable[[], Found]]:
    for others in (True, False):
        for clicks in (2_000, CLICKS, 200_000):
            yield lambda o=others, c=clicks: nothing(world, campaigns, others=o, clicks=c)  # type: ignore[misc]
        yield lambda o=others: found(world, campaigns, Kind.HOTSPOT, Level.METRO, 3.0, others=o)  # type: ignore[misc]
        yield lambda o=others: found(world, campaigns, Kind.GAP, Level.REGION, 0.3, others=o)  # type: ignore[misc]


def speed(world: World, clicks: int = 10_000_000) -> None:
    """Processor time of the three questions, after the first call."""
    places = sample.places(clicks, np.random.default_rng(sample.SEED))
    counts = world.counts(np.bincount(places, minlength=len(world.atlas.places)).astype(np.int64))
    expectation = Expectation.of(world.atlas, counts, world.residents)

    def concentrated(level: Level) -> Callable[[], object]:
        return lambda: cards_of_concentration(concentration(expectation, level), world.atlas)

    questions = {f"where concentrated, {level}": concentrated(level) for level in (Level.METRO, Level.POSTAL)}
    for level in gaps.LEVELS:
        baseline, graph = by_population(expectation, level), world.contiguity[level]
        around = world.circles.get(level)
        questions |= {
            f"baseline, {level}": lambda level=level: by_population(expectation, level),  # type: ignore[misc]
            f"gaps, {level}": lambda b=baseline, g=graph: gaps.cards(gaps.gaps(b, g), world.atlas),  # type: ignore[misc]
            f"hot spots, {level}": lambda b=baseline, g=graph, c=around: hotspots.cards(  # type: ignore[misc]
                hotspots.hotspots(b, g, c), world.atlas
            ),
        }
    for name, ask in questions.items():
        ask()
        began = time.process_time()
        for _ in range(5):
            ask()
        print(f"  {name:58} {1000 * (time.process_time() - began) / 5:6.0f} ms for {clicks:,} clicks")


def main(campaigns: int = 200) -> None:
    """Measure and print."""
    world = World.of(sample.atlas())
    speed(world)
    for run in all_of(world, campaigns):
        began = time.process_time()
        result = run()
        spent = (time.process_time() - began) / result.campaigns
        show(result, f"{1000 * spent:.0f} ms each")
    for clicks in (2_000, CLICKS, 200_000):
        for result in coverage(world, campaigns, clicks=clicks):
            show(result, f"{clicks:,} clicks")


def show(result: Found, more: str) -> None:
    print(
        f"  {result.name:58} {result.hits:6,} of {result.campaigns:6,} ({100 * result.share:.1f} %) {more}",
        flush=True,
    )
    for example in result.examples:
        print("     ", example)
