"""How often a week's peak of a given size is named, and whether intervals of rhythms and in-target shares hold the truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench import sample
from bench.calibration import CLICKS, Found, World, show
from bench.visitors import MODELS, WEEKS, Crowd
from clickatlas.atlas.areas import Level
from clickatlas.insight.clump_sizes import clump_sizes, design_effect
from clickatlas.insight.day_clumps import by_area, by_day
from clickatlas.insight.languages import languages
from clickatlas.insight.measures import Expectation
from clickatlas.insight.rhythm import DAY, MONDAY
from clickatlas.insight.rhythms import CELLS, rhythm
from clickatlas.insight.target import Target
from clickatlas.insight.targeting import aimed

F64 = npt.NDArray[np.float64]
TIMES = 200
SIZES = (1.8, 1.9, 2.0, 2.2)
TUESDAY_EVENING = 24 + 19
SPEAK = 0.2  # of visitors
SPOKEN = 200  # clicks of a country
DEALS = 20  # of the language, in each campaign
SPILLED = 20  # regions whose part of what missed is held against the truth


def week(factor: float = 1.0) -> F64:
    """A day as people live it, the same on all weekdays; but for one hour of the week."""
    shape = np.tile(1 + 0.6 * np.cos((np.arange(24) - 20) / 24 * 2 * np.pi), 7)
    shape[TUESDAY_EVENING] *= factor
    return shape / shape.mean()


def weeks(shape: F64, clicks: int, random: np.random.Generator, number: int = 12) -> npt.NDArray[np.int64]:
    """Clicks by week and hour: weeks of other sizes, visitors who click twice on average within the hour."""
    size = random.gamma(5, 0.2, (number, 1))
    visitors = random.poisson(clicks / 2 / CELLS / number * shape * size)
    return (visitors + random.negative_binomial(np.maximum(visitors, 1e-9), 0.5)).astype(np.int64)


def peaks(factor: float, times: int, clicks: int = CLICKS, seed: int = 1) -> Found:
    """Campaigns whose peak is named."""
    random, hits = np.random.default_rng([seed, round(10 * factor), clicks]), 0
    for _ in range(times):
        peak = rhythm(weeks(week(factor), clicks, random)).peak
        hits += peak is not None and (peak.weekday, peak.hour) == divmod(TUESDAY_EVENING, 24)
    return Found(f"an hour of the week at {factor}, {clicks:,} clicks in 12 weeks, named", hits, times)


def simultaneous(times: int, clicks: int = CLICKS, seed: int = 2) -> Found:
    """Campaigns in which the intervals of all 168 hours hold the truth at once."""
    random, truth, hits = np.random.default_rng([seed, clicks]), week().reshape(7, 24), 0
    for _ in range(times):
        found = rhythm(weeks(week(), clicks, random))
        hits += bool(((found.low <= truth) & (truth <= found.high)).all())
    return Found(f"rhythm: intervals of all 168 hours hold at once, {clicks:,} clicks", hits, times)


def targets(world: World, times: int, clicks: int = CLICKS, seed: int = 3) -> tuple[Found, Found]:
    """Intervals that hold the truth: of the in-target share of a state, whose clicks are known for sure, and of what spilled where."""
    random, crowd, clumps = (
        np.random.default_rng([seed, clicks]),
        Crowd.of(world.atlas, world.weight),
        MODELS["geometric"],
    )
    region = np.asarray(world.atlas.places.area[Level.REGION])
    known = world.share(Level.REGION)
    states, known_areas = np.flatnonzero(known * clicks >= 100), np.flatnonzero(known > 0)
    largest = np.argsort(-known)[:SPILLED]
    visitors, hits, spilled, asked = clumps.visitors(clicks), 0, 0, 0
    for _ in range(times):
        state = int(random.choice(states))
        inside = region == state
        place, moment, _, _ = crowd.clicks(visitors, clumps, random)
        day = (moment // DAY + MONDAY).astype(np.int64)
        day -= day.min()
        days = int(day.max()) + 1
        cell = (region[place].astype(np.int64) + 1) * days + day
        daily = np.bincount(cell, minlength=(int(region.max()) + 2) * days).astype(np.int64).reshape(-1, days)
        daily = daily[[0, *(known_areas + 1)]]
        counts = np.bincount(place, minlength=inside.size).astype(np.int64)
        sizes = clump_sizes(Expectation.of(world.atlas, world.counts(counts), world.residents))
        least = 1.0 if sizes is None else design_effect(sizes)
        area = np.array([-1, *known_areas])
        phi = max(least, by_day(daily[area == state].sum(axis=0), daily.sum(axis=0)))
        found = aimed(
            world.atlas, Target((world.atlas.areas.id(state),)), inside.astype(np.float32), counts, phi=phi,
            spill_phi=by_area(np.where(area == state, -1, area), daily, least), people=world.residents,
        )  # fmt: skip
        hits += found.people.low <= known[state] <= found.people.high
        spill, truth = found.spill, known[found.spill.area]
        use = np.isin(spill.area, largest)
        spilled += int(((spill.low <= truth) & (truth <= spill.high))[use].sum())
        asked += int(np.isin(largest, state, invert=True).sum())
    name = f"{clicks:,} clicks over {WEEKS} weeks"
    return (
        Found(f"in-target share of a state, {name}", hits, times),
        Found(f"spill of the {SPILLED} largest regions, {name}", spilled, asked),
    )


def speakers(world: World, times: int, model: str, clicks: int = CLICKS, seed: int = 4) -> Found:
    """Intervals of a language's share in a country that hold the truth: one in five visitors speaks it, of each campaign dealt anew."""
    random, crowd, clumps = (
        np.random.default_rng([seed, clicks]),
        Crowd.of(world.atlas, world.weight),
        MODELS[model],
    )
    country, visitors = np.asarray(world.atlas.places.area[Level.COUNTRY]), clumps.visitors(clicks)
    hits = asked = 0
    for _ in range(times):
        place, _, _, who = crowd.clicks(visitors, clumps, random)
        counts = np.bincount(place, minlength=country.size).astype(np.int64)
        sizes = clump_sizes(Expectation.of(world.atlas, world.counts(counts), world.residents))
        phi = 1.0 if sizes is None else design_effect(sizes)
        whole = np.bincount(country[place])
        told = np.flatnonzero(whole >= SPOKEN)
        for _ in range(DEALS):
            speaks = (random.random(int(who.max()) + 1) < SPEAK)[who]
            mine = np.bincount(country[place[speaks]], minlength=whole.size)
            both = np.concatenate((mine[told], (whole - mine)[told]))
            found = languages(np.tile(told, 2), ["es"] * told.size + ["en"] * told.size, both, phi=phi)
            rows = np.flatnonzero(np.array(found.language) == "es")
            hits += int(((found.low[rows] <= SPEAK) & (found.high[rows] >= SPEAK)).sum())
            asked += rows.size
    return Found(f"a language's share in a country, {clicks:,} clicks, {model}", hits, asked)


def main(times: int = TIMES) -> None:
    """Measure and print."""
    for factor in SIZES:
        show(peaks(factor, times), "")
    for clicks in (2_000, CLICKS, 200_000):
        show(simultaneous(times, clicks), "")
    world = World.of(sample.atlas(), ())
    for clicks in (2_000, CLICKS):
        for result in targets(world, times, clicks):
            show(result, "")
    for model in ("geometric", "log-normal", "Zipf"):
        show(speakers(world, times, model), "")
