"""New insights are told to who wants to hear of them: once, and never of an area with few clicks."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import clickatlas
from clickatlas.api.lookout import Lookout
from clickatlas.api.questions import Questions
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.store import Batch
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Delivery, Webhook, now
from clickatlas.links.models_told import InsightLook
from clickatlas.redirect.record import RECORD, Agent
from clickatlas.settings import Settings
from clickatlas.webhooks.signature import new_secret


class House:
    """What the lookout asks, on real databases."""

    def __init__(self, atlas: Atlas, folder: Path, min_cell: int) -> None:
        self.atlas = atlas
        self.links = LinksDatabase(folder)
        self.links.migrate()
        self.store = DuckDBStore(folder / "clicks.duckdb")
        questions = Questions(atlas, self.store, self.links)
        settings = Settings.model_validate({"min_cell": min_cell})
        self.opened: Any = SimpleNamespace(
            settings=settings,
            links=self.links,
            store=self.store,
            questions=questions,
            atlas=atlas,
            static=Path(clickatlas.__file__).parent / "static",
        )
        with self.links.writing() as session:
            _, self.workspace = keys.owner(session)
            session.add(
                Webhook(workspace_id=self.workspace, url="http://a.example/", events="insight.new", secret=new_secret())
            )  # fmt: skip

    def click(self, area: str, clicks: int, seed: int, ends: int | None = None) -> None:
        """So many people's clicks from an area, each place as it has residents, one a minute until `ends` (ms UTC), else now."""
        level = self.atlas.areas.level(number := self.atlas.areas.number(area) or 0)
        places = self.atlas.places
        inside = np.flatnonzero((places.area[level] == number) & ~np.asarray(places.unplaced))
        weight = np.asarray(places.population)[inside].astype(float) + 1
        drawn = np.random.default_rng(seed).choice(inside, clicks, p=weight / weight.sum())
        records = np.zeros(clicks, RECORD)
        records["time"] = (ends or round(now().timestamp() * 1000)) - np.arange(clicks) * 60_000
        records["link"], records["place"] = 1, places.key[drawn]
        self.store.append(Batch(records, [Agent("mobile", "Safari", "iOS", "de-DE")], [""], {}))

    def told(self) -> list[dict[str, Any]]:
        with self.links.reading() as session:
            return [json.loads(one.body) for one in session.query(Delivery).order_by(Delivery.id)]


def test_a_new_hot_spot_is_told_once(atlas: Atlas, tmp_path: Path) -> None:
    house = House(atlas, tmp_path, min_cell := 10)
    lookout = Lookout(house.opened)
    house.click("country:US", 6000, seed=1)
    assert lookout.round() == 0, "the first look notes what there is"
    house.click("metro:14460", 9000, seed=2)
    assert lookout.round() == 0, "not within an hour"
    with house.links.noting() as session:
        session.get_one(InsightLook, house.workspace).at = now().replace(year=2020)
    house.opened.questions = Questions(atlas, house.store, house.links)  # it rests for half a minute else
    told = Lookout(house.opened).round()
    assert told == len(house.told()) > 0
    news = [one["data"] for one in house.told() if one["type"] == "insight.new"]
    assert any(one["kind"] == "hotspot" and "Boston" in one["sentence"] for one in news)
    held = house.opened.questions.snapshot(house.workspace, Filter(least=min_cell)).counts.held
    named = [atlas.areas.number(area["id"]) for one in news for area in one["areas"]]
    assert held.visible[named].all()
    assert lookout.look(house.workspace) == 0, "told once"


def test_nobody_asks_nothing_is_looked_at(atlas: Atlas, tmp_path: Path) -> None:
    house = House(atlas, tmp_path, 0)
    with house.links.noting() as session:
        session.query(Webhook).update({Webhook.active: False})
    house.opened.store = None  # it would fail
    assert Lookout(house.opened).round() == 0
