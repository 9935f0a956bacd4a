"""The Python client against a real server: what it tells is what the API tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas
import httpx
import pandas
import polars
import pytest

from clickatlas.client import (
    ClickatlasError,
    Client,
    Filter,
    Invalid,
    Link,
    NotAllowed,
    NotFound,
    Unreachable,
    live,
)
from tests.server.making import word
from tests.server.served import Served
from tests.server.tally import Tally

EVERYONE = Filter(network="all")


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[Client]:
    with Client(server.url, server.token) as made:
        yield made


@pytest.fixture(scope="module")
def counted(tally: Tally) -> Iterator[Client]:
    with Client(tally.served.url + "/", tally.served.token) as made:
        yield made


def test_a_links_life(client: Client) -> None:
    code, end = word(), datetime(2099, 1, 1, tzinfo=UTC)
    made = client.links.create(
        "https://example.com/a", code=code, tags=["x"], campaign=f"{code}'s/own?", expires_at=end
    )
    assert (made.code, made.tags, made.expires_at, made.created_at.tzinfo) == (code, ("x",), end, UTC)
    assert client.links.get(code) == made
    assert (
        client.links.edit(
            code, title="Näme", rules=[{"name": "r", "url": "https://example.com/r", "countries": ["DE"]}]
        ).title
        == "Näme"
    )
    assert client.links.archive(code).archived_at is not None
    assert [link.code for link in client.links.list(search=code, archived=True)] == [code]
    assert client.links.restore(code).archived_at is None
    campaign = client.campaigns.set_target(f"{code}'s/own?", {"areas": ["country:US"]})
    assert campaign.target is not None
    assert campaign.target["areas"] == ["country:US"]
    assert campaign.name in [one.name for one in client.campaigns.list()]
    client.links.delete(code)
    with pytest.raises(NotFound) as caught:
        client.links.get(code)
    assert caught.value.remedy


def test_the_same_key_makes_no_second_link(client: Client) -> None:
    key = word()
    one, two = (client.links.create("https://example.com/k", idempotency_key=key) for _ in range(2))
    assert one == two
    assert client.links.create("https://example.com/k").code != one.code


def test_many_at_once_and_page_by_page(client: Client) -> None:
    tag = word()
    rows = [{"url": f"https://example.com/{n}", "tags": [tag]} for n in range(7)]
    tried = client.links.create_many([*rows, {"url": "nonsense"}], dry_run=True)
    assert (len(tried.made), [row.row for row in tried.refused]) == (7, [8])
    assert client.links.create_many(rows).refused == ()
    found = list(client.links.list(tag=tag, page=3))
    assert [link.url for link in found] == [row["url"] for row in reversed(rows)]
    assert all(isinstance(link, Link) and link.clicks == 0 and len(link.sparkline) == 30 for link in found)


def test_refusals_are_exceptions(client: Client, server: Served) -> None:
    with pytest.raises(Invalid) as caught:
        client.timeline(Filter(tz="Mars/Olympus"))
    assert caught.value.field == "tz"
    with Client(server.url, "nobody's") as stranger, pytest.raises(NotAllowed):
        stranger.choices()
    with pytest.raises(NotFound):
        client.places("continents")


def test_shares(client: Client) -> None:
    made = client.shares.create(
        "A map", Filter(area="country:US", tz="Europe/Berlin"), days=30, min_cell=5, expires_at="2099-01-01"
    )
    assert made.url is not None
    assert made.filter["area"] == ["country:US"]
    changed = client.shares.edit(made, title="Another", filter=Filter(area="country:DE"), days=7)
    assert (changed.title, changed.filter["area"], changed.filter["days"], changed.min_cell) == (
        "Another",
        ["country:DE"],
        7,
        5,
    )
    assert client.shares.renew(made).url != made.url
    assert made.id in [share.id for share in client.shares.list()]
    client.shares.end(made)
    assert made.id not in [share.id for share in client.shares.list()]


def test_places_are_the_tables(counted: Client, tally: Tally) -> None:
    table = tally.table("cities", network="all")
    places = counted.places("cities", EVERYONE)
    assert (places.total, len(places)) == (table["total"], len(table["rows"]))
    assert [(row.id, row.clicks) for row in places] == [(row["id"], row["clicks"]) for row in table["rows"]]
    assert places[0].region
    assert [row.name for row in counted.places("countries", Filter(), limit=2, sort="name")] == sorted(
        row.name for row in counted.places()
    )[:2]


def test_places_as_frames(counted: Client) -> None:
    places = counted.places("postal-codes")
    frame, second, shapes = places.to_pandas(), places.to_polars(), places.to_geopandas()
    assert frame["clicks"].sum() == second["clicks"].sum() == places.to_arrow()["clicks"].to_numpy().sum()
    assert frame["id"].tolist() == second["id"].to_list() == [row.id for row in places]
    assert shapes.crs.to_epsg() == 4326
    assert [None if point is None else (point.x, point.y) for point in shapes.geometry] == [
        None if row.lat is None else (row.lon, row.lat) for row in places
    ]
    nothing = counted.places("cities", Filter(from_="2001-01-01", to="2001-01-02"))
    assert list(nothing.to_pandas().columns) == list(frame.columns)
    assert len(nothing.to_geopandas()) == len(nothing.to_polars()) == 0
    with pytest.raises(ValueError, match="no coordinates"):
        counted.breakdown("device").to_geopandas()


def test_times_are_in_the_filters_zone(counted: Client, tally: Tally) -> None:
    zone = ZoneInfo("Europe/Berlin")
    for bucket in ("hour", "day", "month"):
        found = counted.timeline(Filter(network="all", tz="Europe/Berlin"), bucket=bucket)
        assert found.total == sum(row.clicks for row in found) == len(tally.visitors)
        assert all(row.time.tzinfo == zone and row.time.minute == 0 for row in found)
        assert str(found.to_pandas()["time"].dtype).endswith("Europe/Berlin]")
        assert found.to_polars()["time"].to_list() == [row.time for row in found]
    assert counted.visitors().clicks == sum(row.clicks for row in counted.visitors())
    hours = counted.hours(EVERYONE)
    assert (len(hours), hours.total) == (168, sum(row.clicks for row in hours) + hours.unknown)


def test_parts_choices_and_change(counted: Client, tally: Tally) -> None:
    parts = counted.breakdown("link", EVERYONE)
    assert {row.value for row in parts} == set(tally.codes)
    assert parts.total == sum(row.clicks for row in parts)
    choices = counted.choices()
    assert set(choices.campaigns) == {"campaign 0", "campaign 1"}
    assert choices.clicks == len(tally.visitors)
    assert counted.change(Filter(from_="2026-01-01")).now.clicks >= 0


def test_insights_and_comparisons(counted: Client) -> None:
    cards = counted.insights()
    assert cards.total >= cards.needed
    assert cards or cards.notes
    a, b = Filter(campaign="campaign 0"), Filter(campaign="campaign 1")
    for found in (
        counted.insight("differences", a, b, level="regions"),
        counted.compare(a, b, level="regions"),
    ):
        frame = found.to_geopandas()
        assert len(frame) == len(found) > 0
    assert found.facts["total_a"] == counted.places("countries", a).total
    assert "gini" in counted.insight("concentration").facts
    assert "figure" in counted.insight("audience").values
    assert "weekday" in counted.insight("rhythm").values or counted.insight("rhythm").facts


def test_clicks_go_into_files_and_frames(counted: Client, tally: Tally, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    total = len(tally.visitors)
    assert (
        counted.export.to_file(tmp_path / "clicks.csv", EVERYONE, progress=lambda *at: told.append(at))
        == total
    )
    assert len(pandas.read_csv(tmp_path / "clicks.csv", low_memory=False)) == total
    assert told[-1][0] == (tmp_path / "clicks.csv").stat().st_size
    assert not list(tmp_path.glob("*.partial"))
    assert counted.export.to_arrow(EVERYONE).num_rows == total
    frame = counted.export.to_polars(EVERYONE)
    assert isinstance(frame, polars.DataFrame)
    points = counted.export.to_geopandas(EVERYONE)
    assert isinstance(points, geopandas.GeoDataFrame)
    assert points.geometry.notna().sum() == frame["unplaced"].not_().sum()
    codes = counted.export.to_pandas(table="postal-codes", limit=5, sort="name")
    assert len(codes) == 5
    with pytest.raises(ValueError, match="none of csv"):
        counted.export.to_file(tmp_path / "clicks.xlsx")
    with pytest.raises(NotFound):
        counted.export.to_file(tmp_path / "people.csv", table="people")
    assert not (tmp_path / "people.csv").exists()


def test_domains_and_webhooks(client: Client) -> None:
    name = f"{word()}.example.com"
    made = client.domains.add(name)
    assert (made.name, made.verified_at, made.records[0].kind) == (name, None, "TXT")
    assert made in client.domains.list()
    with pytest.raises(ClickatlasError) as refused:
        client.domains.make_primary(made)
    assert refused.value.status == 409
    with pytest.raises(Invalid):
        client.links.create("https://example.com/", domain=name)
    client.domains.remove(made)
    assert made not in client.domains.list()

    hook = client.webhooks.create("http://127.0.0.1:9/", ["link.created"])
    assert hook.secret
    assert client.webhooks.rotate(hook).secret != hook.secret
    assert client.webhooks.edit(hook, active=False, events=["click"]).events == ("click",)
    tried = client.webhooks.test(hook)
    assert [one.message for one in client.webhooks.deliveries(hook, page=1)] == [tried.message]
    assert client.webhooks.replay(hook, tried).message == tried.message
    client.webhooks.end(hook.id)
    assert hook.id not in [one.id for one in client.webhooks.list()]


def test_live_clicks_over_several_connections(
    client: Client, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection lasts half a second here."""
    monkeypatch.setattr(live, "LONGEST_S", 0.5)
    link, over = client.links.create("https://example.com/"), threading.Event()
    connections: list[str] = []
    asked = client._transport._http.event_hooks["request"]
    asked.append(lambda request: connections.append(request.url.path))

    def click() -> None:
        while not over.wait(0.2):
            httpx.get(link.short_url, headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"})

    clicking = threading.Thread(target=click)
    clicking.start()
    heard = set()  # on which connections
    for told in client.live(EVERYONE, code=link.code, seconds=60):
        assert told.count >= len(told.clicks) > 0
        assert {one.code for one in told.clicks} == {link.code}
        heard.add(len(connections))
        if len(heard) == 2:
            break
    over.set()
    clicking.join()
    asked.clear()
    assert len(heard) == 2
    assert set(connections) == {f"/api/analytics/live/{link.code}"}
    assert list(client.live(EVERYONE, seconds=0)) == []
    with pytest.raises(NotFound):
        next(client.live(code=word()))
    with Client("http://127.0.0.1:9", "x", timeout=1) as nowhere, pytest.raises(Unreachable):
        next(nowhere.live())
