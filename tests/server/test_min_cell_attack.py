"""Who holds every answer to one filter, and can do linear programming, can't narrow a hidden area's clicks down.

The attacker knows how the program works, the atlas, and even which places have clicks at all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from clickatlas.atlas.areas import LEVELS
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.atlas.mercator import mercator
from clickatlas.atlas.places import NOWHERE, PRIVATE
from clickatlas.insight import surface
from clickatlas.insight.areas import by_area
from clickatlas.insight.counts import Counts, count
from clickatlas.insight.heat import Ground, Heat
from clickatlas.insight.held import Held, hold
from clickatlas.insight.scales import Measure, Theme
from tests.frames import read
from tests.server.problems import is_problem
from tests.server.served import Served
from tests.server.tally import Tally, send
from tests.server.visitors import PEOPLE, draw

LEAST = 5
TABLES = dict(
    zip(("countries", "regions", "metros", "counties", "cities", "postal-codes"), LEVELS, strict=True)
)
Clicks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Attack:
    """A server whose clicks are known, and the plan that follows from them."""

    tally: Tally
    atlas: Atlas
    clicks: Clicks  # per place
    held: Held

    def get(self, path: str, **query: Any) -> Any:
        answer = self.tally.client.get(path, params={"min_cell": LEAST, **query})
        return answer.raise_for_status()

    def twin(self, seed: int) -> Clicks:
        """Another world: in each class of places the clicks lie elsewhere among those that have any."""
        random, result = np.random.default_rng(seed), np.zeros_like(self.clicks)
        some = np.flatnonzero(self.clicks)
        for group in np.unique(self.held.group[some]):
            places = some[self.held.group[some] == group]
            weights = random.dirichlet(np.full(places.size, 0.3))
            result[places] = random.multinomial(self.clicks[places].sum(), weights)
        return result

    def counts(self, clicks: Clicks) -> Counts:
        places = np.arange(len(clicks), dtype=np.int32)
        kind = np.zeros(len(clicks), np.uint8)
        found = count(self.atlas.places, places, kind, clicks, networks=(), held=self.held)
        released = np.bincount(self.held.place, clicks, len(clicks)).astype(np.int64)
        unplaced = int(released[np.asarray(self.atlas.places.unplaced)].sum())
        return replace(found, clicks=released, unplaced=unplaced)


@pytest.fixture(scope="module")
def attack(data_folder: Callable[[str], Path]) -> Iterator[Attack]:
    served = Served(data_folder("attack")).start()
    random = np.random.default_rng(4)
    visitors = [v for v in draw(500, seed=9) for _ in range(random.geometric(0.15))]
    folder = current(served.data / "atlas")
    assert folder is not None
    atlas = Atlas.open(folder)
    with served.client() as client:
        tally = send(served, client, visitors)
        places = [atlas.locator.place_of(v.address) for v in visitors if v.kind == PEOPLE]
        clicks = np.bincount(places, minlength=len(atlas.places)).astype(np.int64)
        held = hold(atlas, clicks, LEAST)
        assert held is not None
        yield Attack(tally, atlas, clicks, held)
    served.kill()


def test_no_hidden_area_can_be_narrowed_down(attack: Attack) -> None:
    """All tables, and the size of every class that tiles, frames and exports speak of, in one linear program."""
    places, clicks = attack.atlas.places, attack.clicks
    used = np.flatnonzero(clicks)
    marks = np.asarray(places.unplaced).astype(np.int32)
    marks[[NOWHERE, PRIVATE]] = 2
    told = [marks[used] == mark for mark in range(3)]
    told += [attack.held.group[used] == group for group in np.unique(attack.held.group[used])]
    shown: set[int] = set()
    for name, level in TABLES.items():
        for row in attack.get(f"/api/analytics/geo/{name}").json()["rows"]:
            number = attack.atlas.areas.number(row["id"])
            assert number is not None
            shown.add(number)
            inside = np.asarray(places.area[level])[used] == number
            assert row["clicks"] == clicks[used][inside].sum() >= LEAST
            told.append(inside)
    equations = csr_array(np.array(told, np.float64))
    sums = equations @ clicks[used]
    hidden = 0
    for level in LEVELS:
        column = np.asarray(places.area[level])[used]
        for number in np.setdiff1d(column[column >= 0], list(shown)):
            inside = (column == number).astype(np.float64)
            if inside @ clicks[used] >= LEAST:
                continue  # hidden for another's sake
            most = linprog(-inside, A_eq=equations, b_eq=sums, bounds=(0, None))
            least = linprog(inside, A_eq=equations, b_eq=sums, bounds=(0, None))
            assert -most.fun >= LEAST - 1e-6, attack.atlas.areas.id(int(number))
            assert least.fun < 1e-6, attack.atlas.areas.id(int(number))
            hidden += 1
    assert hidden > 100
    assert len(shown) > 30


@pytest.mark.parametrize("seed", [1, 2])
def test_a_world_with_other_clicks_in_hidden_areas_looks_the_same(attack: Attack, seed: int) -> None:
    """Byte by byte: what the server says of its clicks is what it would say of those."""
    other = attack.twin(seed)
    assert not np.array_equal(other, attack.clicks)
    small = [
        number
        for level in LEVELS
        for number, clicks, twins in _both(attack, other, np.asarray(attack.atlas.places.area[level]))
        if 0 < clicks < LEAST != twins and twins >= LEAST
    ]
    assert small  # some that had few have enough there
    counts = attack.counts(other)
    heat = Heat(Ground.of(attack.atlas), counts)
    assert np.array_equal(counts.clicks, attack.counts(attack.clicks).clicks)
    spots = np.flatnonzero(counts.drawn)[:6]
    for zoom in range(15):
        for x, y in {(0, 0)} | {_tile(attack.atlas, place, zoom) for place in spots}:
            assert attack.get(f"/api/heat/tiles/{zoom}/{x}/{y}.mvt").content == heat.tile(zoom, x, y)
            if zoom < 4:
                image = surface.tile(heat, zoom, x, y, Measure.INDEX, Theme.LIGHT)
                assert attack.get(f"/api/heat/surface/{zoom}/{x}/{y}.png").content == image
    said = attack.get("/api/heat/tilejson").json()
    assert list(said["heat_max"].values()) == heat.largest_cell
    assert said["bounds"] == pytest.approx(heat.bounds)
    for name, level in TABLES.items():
        table = by_area(counts, attack.atlas, level)
        assert attack.get("/api/heat/areas", level=name).json()["clicks"] == table.clicks.tolist()


def _both(attack: Attack, other: Clicks, column: npt.NDArray[np.int32]) -> list[tuple[int, int, int]]:
    size = len(attack.atlas.areas) + 1
    one, two = (np.bincount(column + 1, clicks, size)[1:] for clicks in (attack.clicks, other))
    return [(int(n), int(one[n]), int(two[n])) for n in np.flatnonzero(one)]


def _tile(atlas: Atlas, place: int, zoom: int) -> tuple[int, int]:
    x, y = mercator(atlas.places.lat[[place]], atlas.places.lon[[place]])
    return int(x[0] * 2**zoom), int(y[0] * 2**zoom)


def test_no_bubble_and_no_heat_is_small_at_any_zoom(attack: Attack) -> None:
    said = attack.get("/api/heat/tilejson").json()
    drawn = said["total"] - said["unplaced"] - said["withheld"]
    assert drawn >= 100
    names = {
        row["id"]: row["name"]
        for table in TABLES
        for row in attack.get(f"/api/analytics/geo/{table}").json()["rows"]
    }
    for zoom in range(4):
        sums = Counter[str]()
        for x in range(2**zoom):
            for y in range(2**zoom):
                answer = attack.get(f"/api/heat/tiles/{zoom}/{x}/{y}.mvt")
                if answer.status_code == 204:
                    continue
                for layer, content in mapbox_vector_tile.decode(answer.content).items():
                    for feature in content["features"]:
                        facts = feature["properties"]
                        assert facts["clicks"] >= LEAST
                        assert facts.get("area", "") in {"", *names}
                        sums[layer] += facts["clicks"]
        assert sums == {"heat": drawn, "clusters": drawn}


def test_frames_tell_no_more_than_the_map(attack: Attack) -> None:
    said = attack.get("/api/heat/tilejson").json()
    points = read(attack.get("/api/heat/frames", bucket="hour").content)
    spots = Counter[tuple[int, int]]()
    for x, y, clicks in zip(points.x.tolist(), points.y.tolist(), points.clicks.tolist(), strict=True):
        spots[x, y] += clicks
    assert min(spots.values()) >= LEAST
    assert sum(spots.values()) == said["total"] - said["unplaced"] - said["withheld"]


def test_an_area_page_says_nothing_of_a_hidden_area(attack: Attack) -> None:
    regions = attack.tally.table("regions")["rows"]
    shown = {row["id"]: row for row in attack.tally.table("regions", min_cell=LEAST)["rows"]}
    assert shown
    for row in regions[:10] + regions[-10:]:
        page = attack.get(f"/api/areas/{row['id']}").json()
        if row["id"] in shown:
            assert page["standing"]["clicks"] == row["clicks"]
            assert (page["standing"]["coarser"], page["standing"]["radius"]) == ([], None)
            assert page["standing"]["of"] == len(shown)
            same = attack.get("/api/analytics/geo/regions", area=row["id"]).json()
            assert same["total"] == row["clicks"]
        else:
            assert page["standing"] is None
            for path in ("analytics/clicks", "analytics/breakdown?by=device", "export/clicks.csv"):
                query = {"min_cell": LEAST, "area": row["id"]}
                url = f"/api/{path}"
                is_problem(attack.tally.client.get(url, params=_with(url, query)), 403)


def _with(url: str, query: dict[str, Any]) -> dict[str, Any]:
    return query | dict(part.split("=") for part in url.partition("?")[2].split("&") if part)


def test_areas_and_shapes_are_parts_of_the_same_plan(attack: Attack) -> None:
    """Two boxes that share an edge add up to their sum, and none of them is few: nothing to subtract."""
    whole = attack.get("/api/heat/tilejson").json()
    drawn = whole["total"] - whole["unplaced"] - whole["withheld"]
    for cut in (-100.0, -71.1, 0.0, 10.5, 77.3):
        parts = [
            attack.get("/api/heat/tilejson", within=box).json()["total"]
            for box in (f"-180,-90,{cut},90", f"{cut},-90,180,90")
        ]
        assert sum(parts) == drawn
        assert all(part == 0 or part >= LEAST for part in parts)


def test_exports_are_as_coarse(attack: Attack) -> None:
    rows = [json.loads(line) for line in attack.get("/api/export/clicks.ndjson").text.splitlines()]
    assert len(rows) == int(attack.clicks.sum())
    shown = {
        level: {
            (row["country"], row["name"]) for row in attack.get(f"/api/analytics/geo/{level}").json()["rows"]
        }
        for level in ("cities", "postal-codes")
    }
    assert {row["city"] for row in rows} - {None} <= {name for _, name in shown["cities"]}
    assert {row["postal_code"] for row in rows} - {None} <= {name for _, name in shown["postal-codes"]}
    assert all(row["lat"] is row["lon"] is row["radius_km"] is None for row in rows)
    assert min(Counter(row["time"] for row in rows).values()) >= LEAST
    assert sum(row["unplaced"] for row in rows) == attack.get("/api/heat/tilejson").json()["unplaced"]


def test_times_and_parts_are_not_few(attack: Attack) -> None:
    exact = attack.tally.client.get("/api/analytics/clicks", params={"bucket": "hour"}).json()
    held = attack.get("/api/analytics/clicks", bucket="hour").json()
    assert held["total"] == exact["total"]
    grid = attack.get("/api/analytics/hours").json()
    assert sum(map(sum, grid["rows"])) == grid["total"] == exact["total"]
    by_place = attack.get("/api/analytics/hours", clock="place").json()
    assert by_place["unknown"] == by_place["total"] == exact["total"]
    for part in ("link", "device", "browser", "language", "referrer", "network", "campaign"):
        found = attack.get("/api/analytics/breakdown", by=part).json()
        assert all(row["clicks"] >= LEAST for row in found["rows"])
        assert found["unlisted"] == 0 or found["unlisted"] >= LEAST
        assert found["total"] == found["unlisted"] + sum(row["clicks"] for row in found["rows"])


def test_comparisons_have_enough_on_both_sides(attack: Attack) -> None:
    sides = {"link": "tally-0", "b.link": "tally-1"}
    tables = [
        attack.tally.table("countries", code=code, min_cell=LEAST)["rows"] for code in ("tally-0", "tally-1")
    ]
    found = attack.get("/api/compare/areas", **sides).json()
    both = set.intersection(*({row["id"] for row in table} for table in tables))
    assert set(found["ids"]) == both
    assert min(found["a"] + found["b"], default=LEAST) >= LEAST
    tile = attack.get("/api/compare/tiles/0/0/0.mvt", **sides)
    for layer in (mapbox_vector_tile.decode(tile.content) if tile.content else {}).values():
        for feature in layer["features"]:
            assert min(feature["properties"]["a"], feature["properties"]["b"]) >= LEAST
