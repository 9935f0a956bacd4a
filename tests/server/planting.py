"""Data folders with clicks in which something is planted, and nothing else is out of the ordinary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from bench.calibration import World
from bench.visitors import MODELS, Crowd
from clickatlas.atlas import files
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.store import Batch
from clickatlas.insight.rhythm import HOUR
from clickatlas.redirect.record import RECORD, Agent

AGENT = Agent("mobile", "Safari", "iOS", "en")
CLUMPS = MODELS["geometric"]


@dataclass(frozen=True)
class Planted:
    """A link with about so many clicks over 13 weeks; `more`: an area's visitors times a factor, `later`: its clocks' hours."""

    code: str
    clicks: int
    fields: Mapping[str, Any] = field(default_factory=dict)  # campaign, channel, tags, target
    more: Mapping[str, float] = field(default_factory=dict)
    later: Mapping[str, int] = field(default_factory=dict)


def plant(data: Path, links: Sequence[Planted], seed: int = 1) -> npt.NDArray[np.void]:
    """Write the clicks of links that `make_links` makes next, in a data folder that has an atlas alone; their records."""
    folder = files.current(data / "atlas")
    assert folder is not None
    world, random = World.of(Atlas.open(folder), ()), np.random.default_rng(seed)
    keys, records = np.asarray(world.atlas.places.key), []
    for number, link in enumerate(links, 1):
        weight = np.array(world.weight)
        for area, factor in link.more.items():
            weight[inside(world.atlas, area)] *= factor
        weight /= weight.sum()
        place, moment, kind, who = Crowd.of(world.atlas, weight).clicks(
            CLUMPS.visitors(link.clicks), CLUMPS, random
        )
        for area, hours in link.later.items():
            moment = moment + hours * HOUR * inside(world.atlas, area)[place]
        made = np.zeros(len(place), RECORD)
        made["time"], made["place"], made["kind"] = moment, keys[place], kind
        made["link"], made["visitor"] = number, (number << 40) + 1 + who
        records.append(made)
    together = np.concatenate(records)
    store = DuckDBStore(data / "clicks.duckdb")
    store.append(Batch(together[np.argsort(together["time"], kind="stable")], [AGENT], [""], {}))
    store.close()
    return together


def make_links(client: httpx.Client, links: Sequence[Planted]) -> None:
    """In their order, so that each has the clicks that were written for it."""
    for number, link in enumerate(links, 1):
        body = {"url": f"https://example.com/{number}", "code": link.code, **link.fields}
        client.post("/api/links", json=body).raise_for_status()


def inside(atlas: Atlas, area: str) -> npt.NDArray[np.bool_]:
    """Of each place whether it lies in an area (its id)."""
    number = atlas.areas.number(area)
    assert number is not None, area
    level = atlas.areas.level(number)
    return np.asarray(np.asarray(atlas.places.area[Level(level)]) == number)
