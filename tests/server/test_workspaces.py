"""Two workspaces on one server: neither sees, counts, changes or guesses anything of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import mapbox_vector_tile
import pytest

from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Membership, Person, Workspace
from tests.frames import read
from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.served import Served
from tests.server.visitors import DEVICES

TABLES = ("countries", "regions", "metros", "cities", "postal-codes")


@pytest.fixture(scope="module")
def shared(data_folder: Callable[[str], Path]) -> Iterator[tuple[Served, httpx.Client, httpx.Client]]:
    """A server with two workspaces, and a client for each: 7 clicks in the first, 4 in the second."""
    served = Served(data_folder("workspaces")).start()
    database = LinksDatabase(served.data)
    with database.writing() as session:
        person, workspace = Person(name="Other", email="other@example.com"), Workspace(name="Elsewhere")
        session.add_all([person, workspace])
        session.flush()
        session.add(Membership(person_id=person.id, workspace_id=workspace.id, role="owner"))
        token = keys.issue(session, keys.TOKEN, person.id, workspace.id, name="other")
    database.close()
    ours, theirs = served.client(), served.client(token)
    for client, code, address, count in (
        (ours, "ours", "18.9.22.69", 7),
        (theirs, "theirs", "130.225.0.1", 4),
    ):
        made = make(
            client, code=code, campaign=f"{code} campaign", channel=f"{code}-channel", tags=[f"{code}-tag"]
        )
        for _ in range(count):
            headers = {"x-forwarded-for": address, "user-agent": DEVICES["desktop"]}
            assert httpx.get(made["short_url"], headers=headers).status_code == 302
    served.settled(ours, 7)
    served.settled(theirs, 4)
    yield served, ours, theirs
    ours.close()
    theirs.close()
    served.kill()


@pytest.fixture(params=["first", "second"])
def sides(
    request: pytest.FixtureRequest, shared: tuple[Served, httpx.Client, httpx.Client]
) -> tuple[httpx.Client, str, str, int, str]:
    """One workspace's client, its code, the other's code, its clicks, its country."""
    _served, ours, theirs = shared
    first = request.param == "first"
    return (ours, "ours", "theirs", 7, "US") if first else (theirs, "theirs", "ours", 4, "DK")


Sides = tuple[httpx.Client, str, str, int, str]


@pytest.mark.parametrize("table", TABLES)
def test_tables_count_only_their_own(sides: Sides, table: str) -> None:
    client, code, other, clicks, country = sides
    for network in ("all", "residential"):
        for path in (f"/api/analytics/geo/{table}", f"/api/analytics/geo/{code}/{table}"):
            found = client.get(path, params={"network": network}).json()
            assert found["total"] == clicks
            assert {row["country"] for row in found["rows"]} <= {country}
    is_problem(client.get(f"/api/analytics/geo/{other}/{table}"), 404)
    is_problem(client.get(f"/api/analytics/geo/{table}", params={"link": [code, other]}), 404)


def test_map_time_and_export_hold_only_their_own(sides: Sides) -> None:
    client, code, other, clicks, country = sides
    assert client.get("/api/heat/tilejson").json()["total"] == clicks
    layers = mapbox_vector_tile.decode(client.get("/api/heat/tiles/0/0/0.mvt").content)
    assert sum(f["properties"]["clicks"] for f in layers["heat"]["features"]) == clicks
    assert client.get("/api/analytics/clicks").json()["total"] == clicks
    lines = client.get("/api/export/clicks.ndjson", params={"network": "all"}).text.splitlines()
    assert len(lines) == clicks
    assert all(f'"{code}"' in line and f'"{country}"' in line for line in lines)
    is_problem(client.get("/api/export/clicks.csv", params={"link": other}), 404)


def test_parts_hours_frames_and_comparisons_hold_only_their_own(sides: Sides) -> None:
    client, code, other, clicks, country = sides
    for by in ("link", "campaign", "channel", "tag", "device", "browser", "referrer", "network"):
        found = client.get("/api/analytics/breakdown", params={"by": by}).json()
        assert found["total"] == clicks
        assert other not in str(found)
    for clock in ("reader", "place"):
        assert client.get("/api/analytics/hours", params={"clock": clock}).json()["total"] == clicks
    assert int(read(client.get("/api/heat/frames").content).clicks.sum()) == clicks
    found = client.get("/api/compare/areas").json()
    assert (found["ids"], found["a"], found["b"]) == ([f"country:{country}"], [clicks], [clicks])
    assert client.get("/api/compare/tilejson").json()["total_b"] == clicks
    for path in (
        "/api/analytics/breakdown?by=link&link=",
        "/api/analytics/hours?link=",
        "/api/heat/frames?link=",
        "/api/compare/areas?b.link=",
        "/api/compare/tilejson?b.link=",
        "/api/compare/tiles/0/0/0.mvt?b.link=",
    ):
        is_problem(client.get(f"{path}{other}"), 404)
        assert client.get(f"{path}{code}").status_code == 200


def test_a_comparison_of_one_opens_nothing_for_the_other(
    shared: tuple[Served, httpx.Client, httpx.Client],
) -> None:
    _served, ours, theirs = shared
    token = ours.get("/api/compare/tilejson").json()["snapshot"]
    data = theirs.get("/api/compare/tiles/0/0/0.mvt", params={"v": token}).content
    features = mapbox_vector_tile.decode(data)["clusters"]["features"]
    assert [(f["properties"]["a"], f["properties"]["b"]) for f in features] == [(4, 4)]


def test_views_of_the_other_can_not_be_seen_or_changed(
    shared: tuple[Served, httpx.Client, httpx.Client],
) -> None:
    _served, ours, theirs = shared
    mine, other = (
        client.post("/api/views", json={"name": "Spring", "address": word}).raise_for_status().json()
        for client, word in ((ours, "ours"), (theirs, "theirs"))
    )
    assert ours.get("/api/views").json()["rows"] == [mine]
    assert theirs.get("/api/views").json()["rows"] == [other]
    is_problem(ours.patch(f"/api/views/{other['id']}", json={"name": "x"}), 404)
    is_problem(ours.delete(f"/api/views/{other['id']}"), 404)
    assert theirs.get("/api/views").json()["rows"] == [other]


def test_a_snapshot_of_one_opens_nothing_for_the_other(
    shared: tuple[Served, httpx.Client, httpx.Client],
) -> None:
    _served, ours, theirs = shared
    token = ours.get("/api/heat/tilejson").json()["snapshot"]
    tile = ours.get("/api/heat/tiles/0/0/0.mvt")
    answer = theirs.get("/api/heat/tiles/0/0/0.mvt", params={"v": token})
    layers = mapbox_vector_tile.decode(answer.content)
    assert sum(f["properties"]["clicks"] for f in layers["heat"]["features"]) == 4
    again = theirs.get("/api/heat/tiles/0/0/0.mvt", headers={"if-none-match": tile.headers["etag"]})
    assert again.status_code == 200


def test_lists_and_choices_name_only_their_own(sides: Sides) -> None:
    client, code, other, clicks, _country = sides
    page = client.get("/api/links").json()
    assert [(row["code"], row["clicks"]) for row in page["rows"]] == [(code, clicks)]
    assert page["total"] == 1
    assert client.get("/api/links", params={"search": other}).json()["rows"] == []
    choices = client.get("/api/filters").json()
    assert [link["code"] for link in choices["links"]] == [code]
    assert (choices["campaigns"], choices["channels"], choices["tags"]) == (
        [f"{code} campaign"],
        [f"{code}-channel"],
        [f"{code}-tag"],
    )
    assert choices["clicks"] == clicks
    assert client.get("/api/status").json()["store"]["clicks"] == clicks
    assert (
        client.get("/api/analytics/geo/countries", params={"campaign": f"{other} campaign"}).json()["total"]
        == 0
    )
    assert client.get("/api/analytics/geo/countries", params={"tag": f"{other}-tag"}).json()["total"] == 0


def test_links_of_the_other_can_not_be_read_or_changed(sides: Sides) -> None:
    client, _code, other, _clicks, _country = sides
    is_problem(client.get(f"/api/links/{other}"), 404)
    is_problem(client.patch(f"/api/links/{other}", json={"url": "https://evil.example/"}), 404)
    is_problem(client.delete(f"/api/links/{other}"), 404)
    is_problem(client.post("/api/links", json={"url": "https://a.example/", "code": other}), 409)
    assert client.request("DELETE", "/api/sample").json() == {"links": 0, "clicks": 0}


def test_a_campaign_of_the_same_name_is_another_campaign(
    shared: tuple[Served, httpx.Client, httpx.Client],
) -> None:
    _served, ours, theirs = shared
    mine, other = make(ours, campaign="same"), make(theirs, campaign="same")
    assert [row["code"] for row in ours.get("/api/links", params={"campaign": "same"}).json()["rows"]] == [
        mine["code"]
    ]
    assert ours.delete(f"/api/links/{mine['code']}").status_code == 204
    assert theirs.get(f"/api/links/{other['code']}").json()["campaign"] == "same"
    theirs.delete(f"/api/links/{other['code']}").raise_for_status()
