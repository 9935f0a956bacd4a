"""How surely planted effects are found: a metro, a state, a channel, a jump, each among campaigns as the API makes their cards."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench import sample
from bench.calibration import AGREE, CLICKS, F64, Found, World, show
from bench.family import CHANNELS, Asking, Clicks, Draw, channels, workspace
from bench.visitors import MODELS, WEEKS, Clumps, Crowd
from clickatlas.api.deck import cards_of
from clickatlas.api.house import House
from clickatlas.atlas.areas import Level
from clickatlas.insight.baseline import chosen
from clickatlas.insight.card import Kind
from clickatlas.insight.measures import Expectation

CAMPAIGNS = 40  # of each effect
OTHERS = Asking("against other links")
RESIDENTS = Asking("against residents", baseline="population")


@dataclass(frozen=True)
class Effect:
    """What is planted, and the card that is to tell of it: an area's visitors times `factor`."""

    kind: Kind
    level: Level
    factor: float
    least: float  # clicks that such an area has usually, at least, of `CLICKS`
    where: str  # "campaign", "channel" (email alone) or "week" (the last one)

    @property
    def name(self) -> str:
        """For the table."""
        what = {"campaign": "", "channel": " in one channel of three", "week": " in the last week"}[
            self.where
        ]
        return f"{self.level.value} of {self.least:.0f} clicks or more at {self.factor:g}{what}"


EFFECTS = (
    Effect(Kind.HOTSPOT, Level.METRO, 3.0, 150, "campaign"),
    Effect(Kind.GAP, Level.REGION, 0.3, 150, "campaign"),
    Effect(Kind.DIFFERENCE, Level.REGION, 2.0, 450, "channel"),
    Effect(Kind.DIFFERENCE, Level.REGION, 2.5, 350, "channel"),
    Effect(Kind.ODDITY, Level.REGION, 3.0, 520, "week"),
    Effect(Kind.ODDITY, Level.REGION, 4.0, 520, "week"),
)


def candidates(world: World, effect: Effect, clicks: int = CLICKS) -> list[int]:
    """Areas of the United States with clicks enough, where addresses tell no other story than residents."""
    us = world.atlas.areas.number("country:US")
    share = world.share(effect.level)
    counts = world.draw(clicks, np.random.default_rng(7))
    usual = chosen(Expectation.of(world.atlas, counts, world.residents), effect.level)
    apart = np.abs(np.log(np.maximum(usual.reach, 1) / np.maximum(usual.expected, 1)))
    agree = usual.area[apart < np.log(AGREE)]
    return [n for n in np.flatnonzero(share * clicks >= effect.least).tolist()
            if world.atlas.areas.ancestors(n)[:1] == [us] and n in agree]  # fmt: skip


def planted(
    world: World, effects: Mapping[int, tuple[Effect, int]], clumps: Clumps, clicks: int = CLICKS
) -> Draw:
    """Campaigns with one effect each, by number: (effect, area number)."""
    crowd, visitors = Crowd.of(world.atlas, world.weight), clumps.visitors(clicks)
    email = next(iter(CHANNELS.values()))

    def draw(campaign: int, random: np.random.Generator) -> Clicks:
        effect, area = effects[campaign]
        more: F64 = world.planted(area, effect.factor)
        if effect.where == "campaign":
            place, moment, kind, who = crowd.clicks(visitors, clumps, random, more)
            return place, moment, kind, who, channels(who, random)
        if effect.where == "week":
            inside = np.asarray(world.atlas.places.area[effect.level]) == area
            weekly = visitors * world.weight[inside].sum() / WEEKS
            besides = random.poisson((effect.factor - 1) * weekly)
            place, moment, kind, who = crowd.clicks(
                visitors, clumps, random, last=(world.weight * inside, besides)
            )
            return place, moment, kind, who, channels(who, random)
        first = crowd.clicks(round(email * visitors), clumps, random, more)
        rest = crowd.clicks(round((1 - email) * visitors), clumps, random)
        other = 1 + (random.random(int(rest[3].max()) + 1) < 0.4).astype(np.int64)
        channel = np.concatenate((np.zeros(first[0].size, np.int64), other[rest[3]]))
        who = np.concatenate((first[3], rest[3] + int(first[3].max()) + 1))
        place, moment = (np.concatenate((first[n], rest[n])).astype(np.int64) for n in (0, 1))
        return place, moment, np.concatenate((first[2], rest[2])), who, channel

    return draw


def power(
    house: House, effects: Mapping[int, tuple[Effect, int]], way: Asking, clicks: int = CLICKS
) -> list[Found]:
    """Of each effect the campaigns whose cards name it."""
    found: dict[Effect, list[bool]] = {}
    missed: dict[Effect, list[str]] = {}
    for campaign, (effect, area) in effects.items():
        made = cards_of(way.about(house, str(campaign)))
        hit = any(card.kind is effect.kind and area in card.areas for card in made)
        found.setdefault(effect, []).append(hit)
        if not hit:
            missed.setdefault(effect, []).append(house.atlas.areas.label(area))
    return [
        Found(
            f"{effect.name}, {clicks:,} clicks, {way.name}",
            sum(hits),
            len(hits),
            tuple(missed.get(effect, [])[:5]),
        )
        for effect, hits in found.items()
    ]


def chances(world: World, each: int, seed: int = 3) -> dict[int, tuple[Effect, int]]:
    """`each` campaigns of every effect, at areas drawn at random."""
    random = np.random.default_rng(seed)
    made = [
        (effect, int(area)) for effect in EFFECTS for area in random.choice(candidates(world, effect), each)
    ]
    return dict(enumerate(made))


def main(each: int = CAMPAIGNS) -> None:
    """Measure and print."""
    world = World.of(sample.atlas(), ())
    effects = chances(world, each)
    with workspace(world, len(effects), planted(world, effects, MODELS["geometric"]), seed=4) as house:
        for way in (OTHERS, RESIDENTS):
            began = time.process_time()
            for result in power(house, effects, way):
                show(result, "")
            print(f"  {time.process_time() - began:.0f} s")
