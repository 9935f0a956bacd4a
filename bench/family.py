"""How often campaigns in which nothing happened have any card that says otherwise: all kinds together, as the API makes them."""

# Campaigns of three channels over thirteen weeks, in a real click store; each is asked for as the API asks
# (`api.deck.cards_of`), held against all other links or against residents, and with one channel against another.

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench import sample
from bench.calibration import CLICKS, I64, Found, World, show
from bench.visitors import MODELS, Clumps, Crowd
from clickatlas.api.deck import cards_of
from clickatlas.api.findings import Asked
from clickatlas.api.house import House
from clickatlas.api.questions import Questions
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.store import Batch
from clickatlas.insight.baseline import Name
from clickatlas.insight.card import LEVEL, Card
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Campaign, Link, Workspace
from clickatlas.redirect.record import RECORD

CHANNELS = {"email": 0.5, "social": 0.3, "print": 0.2}
CAMPAIGNS = 200


@dataclass(frozen=True)
class Asking:
    """One way that the page asks about a campaign."""

    name: str
    baseline: Name | None = None
    channels: tuple[str, str] | None = None  # one against the other

    def about(self, house: House, campaign: str) -> Asked:
        """The question."""
        wanted = Filter(campaigns=(campaign,))
        if self.channels is None:
            return Asked(house, 1, wanted, baseline=self.baseline)
        one, other = (replace(wanted, channels=(name,)) for name in self.channels)
        return Asked(house, 1, one, other)


WAYS = (
    Asking("against other links"),
    Asking("against residents", baseline="population"),
    Asking("one channel against another", channels=("email", "social")),
)


# (place, time in ms UTC, network kind, visitor, channel) of each click of a campaign.
Clicks = tuple[I64, I64, npt.NDArray[np.uint8], I64, I64]
Draw = Callable[[int, np.random.Generator], Clicks]


def alike(world: World, clumps: Clumps, clicks: int = CLICKS) -> Draw:
    """Campaigns of about so many clicks, all of them drawn from the baseline."""
    crowd, visitors = Crowd.of(world.atlas, world.weight), clumps.visitors(clicks)

    def draw(campaign: int, random: np.random.Generator) -> Clicks:
        place, moment, kind, who = crowd.clicks(visitors, clumps, random)
        return place, moment, kind, who, channels(who, random)

    return draw


def channels(who: I64, random: np.random.Generator) -> I64:
    """The channel of each click: a visitor comes by one."""
    return np.asarray(
        random.choice(len(CHANNELS), int(who.max()) + 1, p=list(CHANNELS.values()))[who], np.int64
    )


@contextmanager
def workspace(world: World, campaigns: int, draw: Draw, *, seed: int = 1) -> Iterator[House]:
    """A house with campaigns "0", "1", …, each of what `draw` makes of its number."""
    random = np.random.default_rng(seed)
    keys = np.asarray(world.atlas.places.key)
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name:
        links, store = LinksDatabase(Path(name)), DuckDBStore(Path(name) / "clicks.duckdb")
        _links(links, campaigns)
        for first in range(0, campaigns, 10):
            records = []
            for campaign in range(first, min(first + 10, campaigns)):
                place, moment, kind, who, channel = draw(campaign, random)
                made = np.zeros(len(place), RECORD)
                made["time"], made["place"], made["kind"] = moment, keys[place], kind
                made["link"] = 1 + len(CHANNELS) * campaign + channel
                made["visitor"] = 1 + who
                records.append(made)
            together = np.concatenate(records)
            store.append(Batch(together[np.argsort(together["time"])], [sample.agents()[0]], [""], {}))
        questions = Questions(world.atlas, store, links)
        # Neither spool nor web: what insights ask for is all here.
        rooms: dict[str, Any] = {room.name: None for room in fields(House)}
        yield House(**rooms | {"links": links, "store": store, "questions": questions})
        store.close()


def _links(links: LinksDatabase, campaigns: int) -> None:
    links.migrate()
    with links.writing() as session:
        if session.get(Workspace, 1) is None:
            session.add(Workspace(id=1, name="bench"))
            session.flush()
        for campaign in range(campaigns):
            session.add(Campaign(id=campaign + 1, workspace_id=1, name=str(campaign)))
            session.flush()
            for number, channel in enumerate(CHANNELS):
                session.add(
                    Link(
                        id=1 + len(CHANNELS) * campaign + number, workspace_id=1, code=f"c{campaign}-{channel}",
                        url="https://example.com/", campaign_id=campaign + 1, channel=channel,
                    )
                )  # fmt: skip


def claims(cards: list[Card]) -> list[Card]:
    """Those that say something is out of the ordinary."""
    return [card for card in cards if card.kind in LEVEL]


def family(house: House, campaigns: int, way: Asking, name: str) -> Found:
    """Campaigns with any such card; examples begin with how many have one of each kind."""
    kinds, hits, sentences = Counter[str](), 0, []
    for campaign in range(campaigns):
        made = claims(cards_of(way.about(house, str(campaign))))
        hits += bool(made)
        kinds.update({card.kind.value for card in made})
        sentences += [f"{card.kind.value}: {card.sentence} (p {card.p:.1e})" for card in made]
    told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return Found(
        f"{name}, {way.name}", hits, campaigns, tuple([f"campaigns: {told}", *sentences][: 6 * bool(hits)])
    )


def main(campaigns: int = CAMPAIGNS) -> None:
    """Measure and print: the plain model often, the others and other sizes a fifth as often."""
    world = World.of(sample.atlas(), ())
    runs = [("geometric", CLICKS, campaigns)]
    runs += [("geometric", clicks, campaigns // 5) for clicks in (2_000, 100_000)]
    runs += [(name, CLICKS, campaigns // 5) for name in MODELS if name != "geometric"]
    for name, clicks, number in runs:
        with workspace(world, number, alike(world, MODELS[name], clicks)) as house:
            for way in WAYS:
                began = time.process_time()
                result = family(house, number, way, f"{name}, {clicks:,} clicks")
                show(result, f"{1000 * (time.process_time() - began) / number:.0f} ms each")
