"""With `min_cell` no text of any card, and no table of any question, has the name or the id of a hidden area."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

import clickatlas.insight
from bench.calibration import World
from bench.family import Clicks, channels, workspace
from bench.visitors import MODELS, Crowd
from clickatlas.api import caller, coasts, deviations, insights, markets, peaks
from clickatlas.api.geo import LEVELS
from clickatlas.api.house import house as the_house
from clickatlas.api.thinking import Thinking
from clickatlas.app import _problem
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.store import Batch
from clickatlas.errors import Problem
from clickatlas.insight.surroundings import Surroundings
from clickatlas.links.models import Link
from clickatlas.redirect.record import RECORD, Agent

LEAST = 5
CLICKS = 2_000  # of people in the United States
SMALL = 60  # countries with three clicks
TARGET = {"areas": ["region:US-CA", "region:US-NY"]}
TAGS = ("en-US", "es", "fr", "pt")


@dataclass(frozen=True)
class Asked:
    """What the API says of a campaign, and what it may not."""

    client: TestClient
    atlas: Atlas
    hidden: np.ndarray  # a flag per area number
    clicked: np.ndarray  # areas that somebody clicked in, or that stand for such

    def __call__(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(f"/api/insights{path}", params={"campaign": "0", "min_cell": LEAST} | query)

    def names(self) -> dict[str, str]:
        """Words that may not be said, and whose: without those that shown areas or the texts' own words have, too."""
        areas = self.atlas.areas
        shown = " | ".join(f"{areas.name(n)} | {areas.label(n)}" for n in np.flatnonzero(~self.hidden))
        texts = " ".join(file.read_text() for file in Path(clickatlas.insight.__path__[0]).glob("*.py"))
        country = np.unique(np.asarray(self.atlas.places.area[Level.COUNTRY]))
        some = np.union1d(
            self.clicked[self.hidden[self.clicked]], country[country >= 0][self.hidden[country[country >= 0]]]
        )
        found = {areas.name(n): areas.id(n) for n in some.tolist()}
        return {
            name: id_ for name, id_ in found.items()
            if len(name) > 3 and not name.isdigit() and not says(shown, name) and not says(texts, name)
        }  # fmt: skip


def says(text: str, name: str) -> bool:
    return name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


@pytest.fixture(scope="module")
def asked(atlas: Atlas) -> Iterator[Asked]:
    """A campaign with many small areas beside a few large ones, among other links' clicks."""
    world, random = World.of(atlas, ()), np.random.default_rng(7)
    column = np.asarray(atlas.places.area[Level.COUNTRY])
    us = column == atlas.areas.number("country:US")
    rich = _incomes(atlas) ** 3  # an audience that a card is to tell of
    crowd, clumps = Crowd.of(atlas, world.weight), MODELS["geometric"]
    placed = np.flatnonzero(~np.asarray(atlas.places.unplaced) & (column >= 0) & ~us)
    others = random.permutation(np.unique(column[placed]))[:SMALL]
    small = np.concatenate([random.choice(placed[column[placed] == country], 3) for country in others])

    def draw(campaign: int, random: np.random.Generator) -> Clicks:
        weight = np.where(us, world.weight * rich, 0) if campaign == 0 else world.weight
        place, moment, kind, who = crowd.clicks(
            clumps.visitors(CLICKS * (1 + 9 * campaign)), clumps, random, weight
        )
        return place, moment, kind, who, channels(who, random)

    with workspace(world, 2, draw) as house:
        records = np.zeros(small.size, RECORD)
        records["place"] = np.asarray(atlas.places.key)[small]
        records["time"] = 1_750_000_000_000 + np.sort(random.integers(0, 90 * 86_400_000, small.size))
        records["link"], records["visitor"] = 1 + np.arange(small.size) % 3, 10**9 + np.arange(small.size)
        records["agent"] = np.arange(small.size) % len(TAGS)
        agents = [Agent("desktop", "Firefox", "Windows", tag) for tag in TAGS]
        house.store.append(Batch(records, agents, [""], {}))
        with house.links.writing() as session:
            for link in session.query(Link).filter(Link.campaign_id == 1):
                link.target = TARGET
        house.settings = SimpleNamespace(min_cell=0)  # type: ignore[assignment]
        app = FastAPI()
        app.state.thinking = Thinking()
        app.include_router(insights.router)
        for room in (coasts, peaks, markets, deviations):
            app.include_router(room.router)
        app.add_exception_handler(Problem, _problem)
        app.dependency_overrides[the_house] = lambda: house
        app.dependency_overrides[caller.reader] = lambda: SimpleNamespace(workspace=1)
        counts = house.questions.snapshot(1, Filter(campaigns=("0",), least=LEAST)).counts
        plain = house.questions.snapshot(1, Filter(campaigns=("0",))).counts
        assert counts.held is not None
        where = np.flatnonzero(plain.clicks + counts.clicks)
        clicked = np.unique(np.concatenate([np.asarray(atlas.places.area[level])[where] for level in Level]))
        yield Asked(TestClient(app), atlas, ~counts.held.visible, clicked[clicked >= 0])


def _incomes(atlas: Atlas) -> np.ndarray:
    """By place: the median income around it, of the nation's middle one; 1 where it is not known."""
    around = Surroundings.of(atlas)
    income = around.figures[:, around.names.index("median_household_income")]
    told = np.where(around.cell >= 0, income[around.cell], np.nan)
    return np.asarray(np.nan_to_num(told / np.nanmedian(told), nan=1.0))


def questions() -> list[APIRoute]:
    """All that `/api/insights` answers but for single areas: what is added later, too."""
    rooms = (insights, coasts, peaks, markets)
    return [route for room in rooms for route in room.router.routes if isinstance(route, APIRoute)]


def about(route: APIRoute) -> Iterator[dict[str, Any]]:
    """The ways to ask: every level, section and sort of offer that there is."""
    names = {param.alias: param.field_info.annotation for param in route.dependant.query_params}
    base: dict[str, Any] = {"b.campaign": "1"} if route.path.endswith("differences") else {}
    yield base
    if "level" in names:
        yield from (base | {"level": level.value} for level in LEVELS)
    for name in ("by", "clock", "table"):
        if name in names:
            yield from (base | {name: value} for value in getattr(names[name], "__members__", {}).values())
    yield base | {"baseline": "others"}


def test_there_is_something_to_be_hidden(asked: Asked) -> None:
    """Else the tests below could not fail."""
    names = asked.names()
    assert len(names) > 200
    assert sum(area.startswith("country:") for area in names.values()) > SMALL
    open_ = "".join(asked("/languages", min_cell=0).json()["names"])
    assert sum(name in open_ for name in names) > SMALL / 2
    kinds = {card["kind"] for card in asked("").json()["cards"]}
    assert {"audience", "target", "concentration"} <= kinds, kinds


@pytest.mark.parametrize("route", questions(), ids=lambda route: route.path.rsplit("/", 1)[-1])
def test_no_hidden_area_is_named(asked: Asked, route: APIRoute) -> None:
    names, path = asked.names(), route.path.removeprefix("/api/insights")
    ids = {asked.atlas.areas.id(n) for n in np.flatnonzero(asked.hidden).tolist()}
    for query in about(route):
        for how in ("json", "csv") if path else ("json",):
            answer = asked(path, **query, **({"format": how} if path else {}))
            assert answer.status_code == 200, (query, answer.text)
            said = set(
                re.findall(r"(?:country|region|metro|county|city|zip|postal):[^\s\",\]}]+", answer.text)
            )
            assert not said & ids, (query, sorted(said & ids)[:5])
            told = [f"{name} ({names[name]})" for name in names if says(answer.text, name)]
            assert not told, (query, told[:5])


def test_a_hidden_area_is_answered_like_an_empty_one(asked: Asked) -> None:
    areas = asked.atlas.areas
    for level in (Level.COUNTRY, Level.REGION, Level.METRO, Level.COUNTY, Level.CITY, Level.POSTAL):
        inside = np.asarray(asked.atlas.places.area[level])
        known = np.unique(inside[inside >= 0])
        empty = int(np.setdiff1d(known, asked.clicked)[0])
        small = [n for n in asked.clicked.tolist() if asked.hidden[n] and areas.level(n) is level]
        assert small, level
        answers = []
        for area in (empty, *small[:3], small[-1]):
            told = asked(f"/areas/{areas.id(area)}").json()
            assert (told.pop("id"), told.pop("name")) == (areas.id(area), areas.name(area))
            answers.append(told)
        assert all(told == answers[0] for told in answers)
        assert answers[0]["said"] == "unknown"
        assert answers[0]["clicks"] is None
