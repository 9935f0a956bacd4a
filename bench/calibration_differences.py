"""How often differences and audience profiles are wrong; the clicks are those of `bench.calibration`.

python -m bench calibration_differences
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from bench import sample
from bench.calibration import Found, World, show
from clickatlas.atlas.areas import Level
from clickatlas.insight.audience import estimate
from clickatlas.insight.divergence import divergence
from clickatlas.insight.divergence_cards import cards, resonating
from clickatlas.insight.resonance import resonance
from clickatlas.insight.surroundings import Surroundings

PAIRS = 200
CLICKS = 20_000
STATE = 250  # expected clicks of a state that is planted, at least: 1.25 % of them


def same(
    world: World, pairs: int, *, clicks: int = CLICKS, level: Level = Level.REGION, seed: int = 1
) -> Found:
    """Pairs of campaigns of one baseline: those with any difference card."""
    random = np.random.default_rng([seed, clicks])
    examples: list[str] = []
    hits = 0
    for _ in range(pairs):
        made = cards(
            divergence(world.draw(clicks, random), world.draw(clicks, random), world.atlas, level),
            world.atlas,
        )
        hits += bool(made)
        examples += [card.sentence for card in made]
    return Found(
        f"nothing differs by {level.value}, {clicks:,} clicks each", hits, pairs, tuple(examples[:5])
    )


def same_tags(world: World, times: int, *, tags: int = 8, clicks: int = CLICKS, seed: int = 4) -> Found:
    """Tags of one baseline, each against the rest: those with any card."""
    random = np.random.default_rng([seed, clicks])
    hits, examples = 0, []
    for _ in range(times):
        offers = {f"tag {n}": world.draw(clicks // tags, random) for n in range(tags)}
        whole = world.counts(np.sum([counts.clicks for counts in offers.values()], axis=0))
        made = resonating(resonance(offers, whole, world.atlas), world.atlas)
        hits += bool(made)
        examples += [card.sentence for card in made]
    return Found(f"{tags} tags alike, {clicks:,} clicks in all", hits, times, tuple(examples[:5]))


def shifted(world: World, pairs: int, *, factor: float = 2.0, clicks: int = CLICKS, seed: int = 2) -> Found:
    """One side has `factor` times the visitors of a state of the US: pairs whose cards name it."""
    random = np.random.default_rng([seed, clicks])
    atlas = world.atlas
    share = world.share(Level.REGION)
    candidates = [
        n for n in np.flatnonzero(share * clicks >= STATE).tolist() if atlas.areas.country(n) == "US"
    ]
    hits, missed = 0, []
    for _ in range(pairs):
        area = int(random.choice(candidates))
        sides = world.draw(clicks, random, world.planted(area, factor)), world.draw(clicks, random)
        ok = any(area in card.areas for card in cards(divergence(*sides, atlas), atlas))
        hits += ok
        if not ok:
            missed.append(f"{atlas.areas.label(area)}, {share[area] * clicks:.0f} expected")
    return Found(f"a state at {factor} in one, {clicks:,} clicks each, found", hits, pairs, tuple(missed[:5]))


def audience(world: World, campaigns: int, *, clicks: int = CLICKS, seed: int = 3) -> Found:
    """95 % intervals of the audience's figures that hold those of the visitors' weights; counted by figure."""
    random = np.random.default_rng([seed, clicks])
    around = Surroundings.of(world.atlas)
    truth = estimate(_by_cell(around, world.weight), [around.residents], around).mean
    hits = asked = 0
    for _ in range(campaigns):
        drawn = _by_cell(around, world.draw(clicks, random).clicks)
        found = estimate(drawn, around.bases, around)
        told = ~np.isnan(found.variance)
        hits += int((np.abs(found.mean - truth) <= 1.96 * np.sqrt(found.variance))[told].sum())
        asked += int(told.sum())
    return Found(f"audience intervals that hold the truth, {clicks:,} clicks", hits, asked)


def quotients(world: World, pairs: int, *, clicks: int = CLICKS, seed: int = 5) -> Found:
    """95 % intervals of location quotients that hold 1, of areas with clicks enough to be tested."""
    random = np.random.default_rng([seed, clicks])
    hits = asked = 0
    for _ in range(pairs):
        table = divergence(world.draw(clicks, random), world.draw(clicks, random), world.atlas).areas
        told = ~np.isnan(table.p)
        hits += int(((table.low <= 1) & (table.high >= 1))[told].sum())
        asked += int(told.sum())
    return Found(f"quotients' intervals that hold the truth, {clicks:,} clicks", hits, asked)


def _by_cell(around: Surroundings, by_place: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    return np.bincount(around.cell + 1, by_place, len(around.cluster) + 1)[1:].astype(np.float64)


def main(pairs: int = PAIRS) -> None:
    """Measure and print."""
    world = World.of(sample.atlas(), ())
    for run in (
        *((lambda n=n: same(world, pairs, clicks=n)) for n in (2_000, CLICKS, 200_000)),
        lambda: same(world, pairs, level=Level.METRO),
        lambda: same_tags(world, pairs),
        lambda: shifted(world, pairs),
        *((lambda n=n: audience(world, pairs, clicks=n)) for n in (2_000, CLICKS, 200_000)),
        *((lambda n=n: quotients(world, pairs, clicks=n)) for n in (2_000, CLICKS, 200_000)),
    ):
        began = time.process_time()
        result = run()
        show(result, f"{time.process_time() - began:.0f} s")
