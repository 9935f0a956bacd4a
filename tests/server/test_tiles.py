"""The map's tiles, taken apart by an independent decoder: no click is lost or drawn twice at any zoom."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import mapbox_vector_tile
import pytest

from tests.server.problems import is_problem
from tests.server.tally import Tally

MVT = "application/vnd.mapbox-vector-tile"
ZOOMS = range(15)


def tilejson(tally: Tally, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = tally.client.get("/api/heat/tilejson", params=query).raise_for_status().json()
    return found


def tile(tally: Tally, z: int, x: int, y: int, **query: Any) -> dict[str, Any]:
    """A tile's layers by name; nothing for an empty one."""
    answer = tally.client.get(f"/api/heat/tiles/{z}/{x}/{y}.mvt", params=query)
    if answer.status_code == 204:
        assert answer.content == b""
        return {}
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MVT
    layers: dict[str, Any] = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
    assert set(layers) <= {"heat", "clusters"}
    assert all(layer["extent"] == 4096 and layer["version"] == 2 for layer in layers.values())
    return layers


def clicks(layers: dict[str, Any], layer: str) -> int:
    return sum(f["properties"]["clicks"] for f in layers.get(layer, {"features": []})["features"])


def tile_of(lat: float, lon: float, z: int) -> tuple[int, int]:
    x = (lon + 180) / 360 % 1
    s = math.sin(math.radians(max(-85.051129, min(85.051129, lat))))
    y = 0.5 - math.log((1 + s) / (1 - s)) / (4 * math.pi)
    return int(x * 2**z), min(int(y * 2**z), 2**z - 1)


def placed(tally: Tally, code: str | None = None, network: str = "") -> list[tuple[float, float]]:
    return [v.position for v in tally.people(code, network) if not v.unplaced and v.position]


@pytest.mark.parametrize("network", ["", "all"])
def test_the_whole_world_is_in_tile_zero(tally: Tally, network: str) -> None:
    layers = tile(tally, 0, 0, 0, **({"network": network} if network else {}))
    spots = placed(tally, network=network)
    assert clicks(layers, "heat") == clicks(layers, "clusters") == len(spots)
    for feature in layers["heat"]["features"]:
        assert set(feature["properties"]) == {"clicks"}
    for feature in layers["clusters"]["features"]:
        assert set(feature["properties"]) == {
            "clicks", "residents", "expected", "name", "kind", "id", "area", "expansion_zoom",
        }  # fmt: skip
        assert feature["geometry"]["type"] == "Point"
        assert feature["properties"]["name"]
        assert 1 <= feature["properties"]["expansion_zoom"] <= 15


@pytest.mark.parametrize("zoom", range(1, 4))
def test_all_tiles_of_a_zoom_hold_every_placed_click_once(tally: Tally, zoom: int) -> None:
    spots = Counter(tile_of(*spot, zoom) for spot in placed(tally))
    heat = clusters = 0
    for x in range(2**zoom):
        for y in range(2**zoom):
            layers = tile(tally, zoom, x, y)
            assert clicks(layers, "heat") == spots[x, y], (zoom, x, y)
            heat += clicks(layers, "heat")
            clusters += clicks(layers, "clusters")
    assert heat == clusters == len(placed(tally))


@pytest.mark.parametrize("zoom", [5, 8, 11, 14])
def test_deep_tiles_hold_every_click_of_a_link_once(tally: Tally, zoom: int) -> None:
    query = {"link": "tally-4"}
    spots = Counter(tile_of(*spot, zoom) for spot in placed(tally, "tally-4"))
    assert len(spots) > 30
    # A cluster stands on its heaviest place, which may be next door.
    near = {((x + i) % 2**zoom, y + j) for x, y in spots for i in (-1, 0, 1) for j in (-1, 0, 1)}
    token = tilejson(tally, **query)["snapshot"]
    clusters = 0
    for x, y in near:
        layers = tile(tally, zoom, x, y, **query, v=token)
        assert clicks(layers, "heat") == spots[x, y]
        clusters += clicks(layers, "clusters")
    assert clusters == sum(spots.values())


def test_a_heat_point_is_where_its_clicks_are(tally: Tally) -> None:
    """Within half a cell of 1/256 of a tile."""
    zoom, code = 5, "tally-4"
    for x, y in {tile_of(*spot, zoom) for spot in placed(tally, code)}:
        drawn: Counter[tuple[int, int]] = Counter()
        for feature in tile(tally, zoom, x, y, link=code)["heat"]["features"]:
            px, py = feature["geometry"]["coordinates"]
            drawn[px * 256 // 4096, py * 256 // 4096] += feature["properties"]["clicks"]
        cells: Counter[tuple[int, int]] = Counter()
        for lat, lon in placed(tally, code):
            deep_x, deep_y = tile_of(lat, lon, zoom + 8)
            if (deep_x >> 8, deep_y >> 8) == (x, y):
                cells[deep_x & 255, deep_y & 255] += 1
        assert drawn == cells


def test_clusters_nest_and_keep_their_names_under_any_filter(tally: Tally) -> None:
    def names(**query: Any) -> dict[str, tuple[str, str]]:
        found = {}
        for x in range(4):
            for y in range(4):
                for feature in tile(tally, 2, x, y, **query).get("clusters", {"features": []})["features"]:
                    p = feature["properties"]
                    found[p["id"]] = (p["name"], p["kind"])
        return found

    whole, part = names(), names(link="tally-4")
    assert part
    assert part.items() <= whole.items()


def test_tilejson_tells_what_the_map_needs(tally: Tally) -> None:
    found = tilejson(tally, network="all")
    people = tally.people(network="all")
    assert found["tilejson"] == "3.0.0"
    assert {layer["id"] for layer in found["vector_layers"]} == {"heat", "clusters"}
    assert (found["minzoom"], found["maxzoom"]) == (0, 14)
    assert found["total"] == len(people)
    assert found["unplaced"] == sum(v.unplaced for v in people)
    west, south, east, north = found["bounds"]
    inside = sum(west <= lon <= east and south <= lat <= north for lat, lon in placed(tally, network="all"))
    assert inside >= 0.98 * len(placed(tally, network="all"))
    assert "MaxMind" in found["attribution"]
    assert set(found["heat_max"]) == {str(zoom) for zoom in ZOOMS}
    most = tile(tally, 0, 0, 0, network="all")["heat"]["features"]
    assert found["heat_max"]["0"] == max(f["properties"]["clicks"] for f in most)
    sizes = [found["heat_max"][str(zoom)] for zoom in ZOOMS]
    assert sizes == sorted(sizes, reverse=True)


def test_the_tile_address_of_the_tilejson_works_as_it_stands(tally: Tally) -> None:
    found = tilejson(
        tally, link=["tally-1", "tally-2"], network="hosting,residential", **{"from": "2020-01-01"}
    )
    address = found["tiles"][0].format(z=0, x=0, y=0)
    assert address.startswith(f"{tally.served.url}/api/heat/tiles/0/0/0.mvt?")
    assert parse_qs(urlsplit(address).query)["link"] == ["tally-1", "tally-2"]
    layers = mapbox_vector_tile.decode(tally.client.get(address).content)
    assert clicks(layers, "heat") == found["total"] - found["unplaced"]


def test_an_unchanged_tile_is_not_sent_again(tally: Tally) -> None:
    path = "/api/heat/tiles/0/0/0.mvt"
    first = tally.client.get(path)
    tag = first.headers["etag"]
    for match in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = tally.client.get(path, headers={"if-none-match": match})
        assert again.status_code == 304, match
        assert again.content == b""
        assert again.headers["etag"] == tag
    for match in ('"other"', "", tag.strip('"')):
        assert tally.client.get(path, headers={"if-none-match": match}).status_code == 200
    assert tally.client.get(path, params={"link": "tally-1"}).headers["etag"] != tag
    assert "private" in first.headers["cache-control"]


@pytest.mark.parametrize(
    "place",
    [
        "15/0/0",
        "-1/0/0",
        "0/1/0",
        "0/0/1",
        "3/8/0",
        "3/0/8",
        "14/16384/0",
        "x/0/0",
        "0/0/1e9",
        f"0/{'9' * 40}/0",
    ],
)
def test_tiles_off_the_map_are_refused(tally: Tally, place: str) -> None:
    is_problem(tally.client.get(f"/api/heat/tiles/{place}.mvt"), 404, 422)


def test_tiles_of_nothing_are_empty(tally: Tally) -> None:
    assert tile(tally, 0, 0, 0, campaign="nobody's") == {}
    found = tilejson(tally, campaign="nobody's")
    assert found["total"] == 0
    assert len(found["bounds"]) == 4
    assert found["heat_max"]["0"] == 0


def test_a_made_up_snapshot_gives_the_present(tally: Tally) -> None:
    known = tilejson(tally, link="tally-4")["snapshot"]
    for token in ("", "x", "0" * 64, "\0", known[:-3], "é" * 300):
        answer = tally.client.get("/api/heat/tiles/0/0/0.mvt", params={"v": token})
        assert answer.status_code == 200
        assert clicks(mapbox_vector_tile.decode(answer.content), "heat") == len(placed(tally))
    # Another filter's token must not open that filter's tiles here.
    other = tally.client.get("/api/heat/tiles/0/0/0.mvt", params={"v": known})
    assert clicks(mapbox_vector_tile.decode(other.content), "heat") == len(placed(tally))


def test_tiles_need_a_key(tally: Tally) -> None:
    is_problem(httpx.get(f"{tally.served.url}/api/heat/tiles/0/0/0.mvt"), 401)
