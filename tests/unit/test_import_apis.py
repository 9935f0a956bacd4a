"""Imports from other services' APIs: pages, keys, patience, and what comes of their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from clickatlas.atlas.atlas import Atlas
from clickatlas.errors import Problem
from clickatlas.imports.importer import Choices
from clickatlas.imports.report import Report
from clickatlas.imports.services.ask import bring_in_from
from clickatlas.links.models import Link
from tests.imports import Desk
from tests.services import Answer, Answering, Api, answering

Query, Body = dict[str, str], dict[str, Any]


@pytest.fixture
def asked(tmp_path: Path, atlas: Atlas) -> Any:
    def run(service: str, answer: Answering, **choices: Any) -> tuple[Desk, Report, Api, list[float]]:
        waits: list[float] = []
        with answering(answer) as api:
            desk = Desk.made(
                tmp_path / "data",
                atlas,
                fetch_networks=("127.0.0.0/8",),
                fetch_ports=(urlsplit(api.base).port,),
            )
            report = bring_in_from(
                desk.into, service, "k3y", api.base, Choices(**choices), Report(), wait=waits.append
            )
        return desk, report, api, waits

    return run


def bitly(path: str, query: Query, body: Body) -> Answer:
    link = {
        "id": "bit.ly/x1",
        "link": "https://bit.ly/x1",
        "long_url": "https://example.com/1",
        "created_at": "2026-03-02T09:15:11+0000",
        "tags": ["a"],
    }
    match path:
        case "/groups":
            return 200, {"groups": [{"guid": "G1"}]}
        case "/groups/G1/bitlinks" if query.get("page") == "2":
            chosen = {
                "id": "bit.ly/x2",
                "link": "https://bit.ly/x2",
                "custom_bitlinks": ["https://bit.ly/own"],
            }
            return 200, {"links": [link | chosen], "pagination": {"next": "", "search_after": "x2"}}
        case "/groups/G1/bitlinks" if query.get("search_after") == "x2":
            assert query["archived"] == "both"
            return 200, {"links": [], "pagination": {"search_after": "x2", "size": 100}}
        case "/groups/G1/bitlinks":
            return 200, {"links": [link], "pagination": {"next": "/groups/G1/bitlinks?page=2"}}
        case "/bitlinks/bit.ly/x1/clicks":
            days = [
                {"date": "2026-03-04T00:00:00+0000", "clicks": 5},
                {"date": "2026-03-03T00:00:00+0000", "clicks": 0},
            ]
            return 200, {
                "link_clicks": days,
                "units": -1,
                "unit": "day",
                "unit_reference": "2026-03-05T00:00:00+0000",
            }
        case "/bitlinks/bit.ly/x1/countries":
            assert query == {"unit": "day", "units": "1", "unit_reference": "2026-03-04T00:00:00+0000"}
            return 200, {
                "metrics": [{"value": "US", "clicks": 3}, {"value": "DE", "clicks": 1}],
                "facet": "countries",
            }
        case "/bitlinks/bit.ly/x2/clicks":
            return 200, {"link_clicks": []}
    return 404, {"message": "NOT_FOUND"}


def test_bitly_tells_days_and_countries(asked: Any) -> None:
    desk, report, api, _waits = asked("bitly", bitly)
    assert (report.imported, report.new_links, report.refused) == (5, 3, 0)
    assert desk.countries() == {"US": 3, "DE": 1, "": 1}
    assert {h["authorization"] for h in api.headers} == {"Bearer k3y"}
    _desk, again, _api, _waits = asked("bitly", bitly)
    assert (again.imported, again.repeated) == (0, 5)


def test_no_key_goes_to_another_host(asked: Any) -> None:
    def answer(path: str, query: Query, body: Body) -> Answer:
        if path == "/groups":
            return 200, {"groups": [{"guid": "G1"}]}
        return 200, {"links": [], "pagination": {"next": "http://127.0.0.2/steal"}}

    with pytest.raises(Problem, match="another host"):
        asked("bitly", answer)


def test_shlink_tells_visits_page_by_page(asked: Any) -> None:
    def answer(path: str, query: Query, body: Body) -> Answer:
        page = int(query["page"])
        if path == "/rest/v3/short-urls":
            link = {
                "shortCode": f"s{page}", "longUrl": "https://example.com", "dateCreated": "2026-01-01T10:00:00+00:00", "tags": ["x"],
                "meta": {"validSince": None, "validUntil": None, "maxVisits": 9}, "visitsSummary": {"total": 2 if page == 1 else 0}, "domain": None, "title": None,
            }  # fmt: skip
            return 200, {"shortUrls": {"data": [link], "pagination": {"currentPage": page, "pagesCount": 2}}}
        assert path == "/rest/v3/short-urls/s1/visits"
        visits = [
            {
                "referer": "https://t.co/a",
                "date": "2026-02-01T10:00:00+00:00",
                "userAgent": "Mozilla/5.0",
                "potentialBot": False,
                "visitLocation": {
                    "countryCode": "US",
                    "countryName": "United States",
                    "regionName": "Massachusetts",
                    "cityName": "Cambridge",
                    "latitude": 42.36,
                    "longitude": -71.08,
                    "timezone": "America/New_York",
                    "isEmpty": False,
                },
            },
            {
                "referer": "",
                "date": "2026-02-01T10:00:01+00:00",
                "userAgent": "",
                "potentialBot": True,
                "visitLocation": None,
            },
        ]
        return 200, {"visits": {"data": visits, "pagination": {"currentPage": 1, "pagesCount": 1}}}

    desk, report, api, _waits = asked("shlink", answer)
    assert (report.imported, report.new_links, report.refused) == (2, 2, 0)
    assert desk.countries() == {"US": 1, "": 1}
    assert {h["x-api-key"] for h in api.headers} == {"k3y"}


def test_yourls_tells_its_links(asked: Any) -> None:
    def answer(path: str, query: Query, body: Body) -> Answer:
        assert (path, query["action"], query["signature"]) == ("/yourls-api.php", "stats", "k3y")
        link = {
            "shorturl": "http://s.example/ozh",
            "url": "https://example.com/y",
            "title": "Y",
            "timestamp": "2026-01-02 10:00:00",
            "ip": "18.9.22.69",
            "clicks": "3",
        }
        return 200, {
            "links": {"link_1": link},
            "stats": {"total_links": "1", "total_clicks": "3"},
            "statusCode": 200,
        }

    desk, report, _api, _waits = asked("yourls", answer)
    assert (report.new_links, report.imported) == (1, 0)
    assert desk.has_on_disk(b"18.9.22.69") == []


def test_a_yourls_without_links_is_no_failure(asked: Any) -> None:
    said = {"stats": {"total_links": "0", "total_clicks": "0"}, "statusCode": 200, "message": "success"}
    _desk, report, _api, _waits = asked("yourls", lambda path, query, body: (200, said))
    assert (report.rows, report.refused) == (0, 0)


def test_kutt_tells_its_links(asked: Any) -> None:
    def answer(path: str, query: Query, body: Body) -> Answer:
        at = int(query["skip"])
        data = [
            {
                "address": f"k{n}",
                "target": "https://example.com/",
                "created_at": "2026-04-01T10:00:00.000Z",
                "description": "",
                "expire_in": None,
            }
            for n in range(at, min(at + 50, 70))
        ]
        return 200, {"limit": 50, "skip": at, "total": 70, "data": data}

    _desk, report, api, _waits = asked("kutt", answer)
    assert report.new_links == 70
    assert len(api.asked) == 2


def test_dub_tells_events_once(asked: Any) -> None:
    def answer(path: str, query: Query, body: Body) -> Answer:
        if path == "/links":
            return 200, [
                {
                    "id": "l",
                    "domain": "d.example",
                    "key": "launch",
                    "url": "https://example.com/",
                    "createdAt": "2026-05-01T08:00:00.000Z",
                    "tags": [{"id": "t", "name": "2026", "color": "red"}],
                    "archived": False,
                }
            ]
        events = [
            {
                "event": "click",
                "timestamp": "2026-05-03T10:00:00.000Z",
                "click": {
                    "id": f"c{n % 1000}",
                    "country": "US",
                    "region": "US-NY",
                    "city": "New York",
                    "device": "Desktop",
                    "browser": "Chrome",
                    "os": "Windows",
                    "referer": "(direct)",
                    "refererUrl": "(direct)",
                    "ip": None,
                    "trigger": "link",
                },
                "link": {"key": "launch"},
            }
            for n in range(1000 if query["page"] == "1" else 1)
        ]
        return 200, events

    desk, report, _api, _waits = asked("dub", answer)
    # Two alike within one import are two; the next import knows all of them.
    assert report.imported == 1001
    _desk, again, _api, _waits = asked("dub", answer)
    assert (again.imported, again.repeated) == (0, 1001)
    assert desk.countries() == {"US": 1001}


def test_shortio_goes_back_in_time(asked: Any) -> None:
    clicks = [
        {
            "path": "/jobs",
            "dt": f"2026-06-10T12:{n // 60:02d}:{n % 60:02d}.000Z",
            "ip": "18.9.22.69",
            "ua": f"Agent {n}",
            "country": "US",
            "city": "",
            "human": True,
            "st": 302,
            "method": "GET",
        }
        for n in range(1500)
    ]

    def answer(path: str, query: Query, body: Body) -> Answer:
        match path:
            case "/api/domains":
                return 200, [{"id": 7, "hostname": "go.example"}]
            case "/api/links":
                return 200, {
                    "count": 1,
                    "links": [{"path": "jobs", "originalURL": "https://example.com/jobs", "tags": []}],
                    "nextPageToken": None,
                }
        assert path == "/statistics/domain/7/last_clicks"
        before = body.get("beforeDate") or "9"
        return 200, [click for click in reversed(clicks) if str(click["dt"]) <= before][: body["limit"]]

    desk, report, _api, _waits = asked("shortio", answer)
    assert (report.imported, report.refused) == (1500, 0)
    assert desk.has_on_disk(b"18.9.22.69") == []


def test_rebrandly_follows_the_last_link(asked: Any) -> None:
    def answer(path: str, query: Query, body: Body) -> Answer:
        first = int(query.get("last", "-1")) + 1
        return 200, [
            {
                "id": str(n),
                "slashtag": f"r{n}",
                "destination": "https://example.com/",
                "title": "",
                "createdAt": "2026-07-01T10:54:12.000Z",
            }
            for n in range(first, min(first + 25, 30))
        ]

    _desk, report, api, _waits = asked("rebrandly", answer)
    assert report.new_links == 30
    assert api.headers[0]["apikey"] == "k3y"


def test_patience(asked: Any) -> None:
    left = [(429, {}, {"retry-after": "7"}), (503, b"<html>", {}), (200, [], {})]
    _desk, _report, _api, waits = asked("rebrandly", lambda path, query, body: left.pop(0))
    assert waits == [7.0, 2.0]


@pytest.mark.parametrize(
    ("said", "words"),
    [((401, {}), "refused the key"), ((404, {}), "404"), ((200, b"<html>"), "not JSON"), ((200, {"links": 5}), "shape"), ((429, {}), "6 times"), ((302, {}, {"location": "http://127.0.0.2/"}), "302")],
)  # fmt: skip
def test_what_is_wrong_there_is_said(asked: Any, said: Answer, words: str) -> None:
    with pytest.raises(Problem, match=words) as told:
        asked("rebrandly", lambda path, query, body: said)
    assert told.value.status == 502
    assert "k3y" not in told.value.detail


def test_only_the_public_internet_is_asked(tmp_path: Path, atlas: Atlas) -> None:
    desk = Desk.made(tmp_path / "data", atlas, fetch_ports=tuple(range(1024, 65536)))
    with (
        answering(lambda path, query, body: (200, [])) as api,
        pytest.raises(Problem, match="not on the public internet"),
    ):
        bring_in_from(desk.into, "rebrandly", "k", api.base, Choices(), Report(), wait=lambda s: None)
    assert api.asked == []
    with desk.into.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Link)) == 0
