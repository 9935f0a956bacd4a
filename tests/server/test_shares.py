"""Shared maps: who has the address sees what the share says, and nothing else, whatever they ask for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickatlas.links.models import Share
from tests.server.problems import is_problem
from tests.server.served import Served, links_of, until
from tests.server.tally import Tally

LEAST = 5
LEVELS = ("countries", "regions", "metros", "counties", "cities", "postal-codes")


def share(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {"title": "Spring", "min_cell": LEAST} | fields
    body["filter"] = {"today": True, "network": ["all"]} | fields.get("filter", {})
    found: dict[str, Any] = api.post("/api/shares", json=body).raise_for_status().json()
    return found


@contextmanager
def visitor(served: Served) -> Iterator[httpx.Client]:
    """Somebody without a key or a cookie."""
    with httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


def secret_of(made: dict[str, Any]) -> str:
    return str(made["url"].rsplit("/", 1)[1])


def test_a_share_lives(tally: Tally) -> None:
    api = tally.client
    made = share(api, title="Spring <b>", filter={"link": [tally.codes[0]]}, password="open sesame")
    secret = secret_of(made)
    assert len(secret) >= 43
    assert made["url"] == f"{tally.served.url}/app/shared/{secret}"
    assert 'title="Spring &lt;b&gt;"' in made["iframe"]
    listed = next(row for row in api.get("/api/shares").json()["rows"] if row["id"] == made["id"])
    assert listed["filter"] == {"link": [tally.codes[0]], "network": ["all"], "tz": "UTC", "today": True}
    assert listed["has_password"]
    assert secret not in api.get("/api/shares").text
    with visitor(tally.served) as anybody:
        path = f"/api/shared/{secret}"
        is_problem(anybody.get(path), 401)
        is_problem(anybody.get(path, params={"ticket": "f" * 9 + "-" + "0" * 32}), 401)
        is_problem(anybody.post(f"{path}/password", json={"password": "wrong"}), 401)
        ticket = anybody.post(f"{path}/password", json={"password": "open sesame"}).json()["ticket"]
        seen = anybody.get(path, params={"ticket": ticket})
        assert seen.status_code == 200
        assert "set-cookie" not in seen.headers
        tile = seen.json()["tiles"][0].format(z=0, x=0, y=0)
        assert anybody.get(tile).status_code == 200
        is_problem(anybody.get(re.sub("ticket=[^&]*", "", tile)), 401)
        other = secret_of(share(api, title="Another", password="open sesame"))
        is_problem(anybody.get(f"/api/shared/{other}", params={"ticket": ticket}), 401)  # each map its own
        renewed = api.post(f"/api/shares/{made['id']}/renew").raise_for_status().json()
        is_problem(anybody.get(path, params={"ticket": ticket}), 404)
        again = f"/api/shared/{secret_of(renewed)}"
        is_problem(anybody.get(again, params={"ticket": ticket}), 401)
        assert api.delete(f"/api/shares/{made['id']}").status_code == 204
        is_problem(anybody.get(again), 404)
        assert anybody.get(f"/app/shared/{secret}").status_code == 404


def test_a_share_is_changed_under_its_address(tally: Tally) -> None:
    api = tally.client
    made = share(api, filter={"link": [tally.codes[0]]}, expires_at="2099-01-01T00:00:00Z")
    path, mine = f"/api/shared/{secret_of(made)}", f"/api/shares/{made['id']}"
    with visitor(tally.served) as anybody:
        before = anybody.get(path).json()
        fields = {
            "title": "Now",
            "expires_at": None,
            "origins": ["https://a.example"],
            "filter": {"network": ["all"], "today": True},
        }
        changed = api.patch(mine, json=fields).raise_for_status().json()
        assert (changed["title"], changed["expires_at"], changed["origins"]) == (
            "Now",
            None,
            ["https://a.example"],
        )
        assert changed["min_cell"] == LEAST
        after = anybody.get(path).json()
        assert (after["title"], after["min_cell"]) == ("Now", LEAST)
        assert after["total"] > before["total"]
        for word in ("open sesame", "another word"):
            assert api.patch(mine, json={"password": word}).json()["has_password"]
            is_problem(anybody.get(path), 401)
        ticket = anybody.post(f"{path}/password", json={"password": "another word"}).json()["ticket"]
        api.patch(mine, json={"password": "a third one"}).raise_for_status()
        is_problem(anybody.get(path, params={"ticket": ticket}), 401)  # by the one before
        assert not api.patch(mine, json={"password": None}).json()["has_password"]
        assert anybody.get(path).status_code == 200
    for wrong in ({"title": None}, {"filter": None}, {"title": ""}, {"min_cell": 1}, {"expires_at": "2001-01-01"}, {"mode": "x"},
                  {"filter": {"days": 1, "from": "2026-01-01"}}, {"colour": 1}, {"origins": ["*"]}):  # fmt: skip
        is_problem(api.patch(mine, json=wrong), 422)
    is_problem(api.patch(mine, json={"filter": {"link": ["no-such"]}}), 404)
    is_problem(api.patch("/api/shares/999999", json={"title": "x"}), 404)
    assert api.patch(mine, json={}).json()["title"] == "Now"


def test_no_secret_is_kept(tally: Tally) -> None:
    made = share(tally.client, password="a password of its own")
    database = links_of(tally.served.data)
    with database.reading() as session:
        kept = session.get(Share, made["id"])
        assert kept is not None
        row = repr(vars(kept))
    database.close()
    assert secret_of(made) not in row
    assert "a password of its own" not in row


def test_the_page_and_its_frame(tally: Tally) -> None:
    api, origin = tally.client, "https://www.example.com"
    free, bound = share(api, title="</title><script>"), share(api, origins=[origin + "/"], listed=True)
    alone, locked = share(api, embed=False), share(api, title="Hidden title", password="open sesame")
    with visitor(tally.served) as anybody:
        page = anybody.get(free["url"])
        assert "frame-ancestors *;" in page.headers["content-security-policy"]
        assert "x-frame-options" not in page.headers
        assert page.headers["x-robots-tag"] == "noindex"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in page.headers
        assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in page.text
        discovery = re.search(r'type="application/json\+oembed" href="([^"]+)"', page.text)
        assert discovery
        embed = (
            anybody.get(discovery[1], params={"url": free["url"], "maxwidth": 500}).raise_for_status().json()
        )
        assert (embed["version"], embed["type"], embed["width"], embed["height"]) == ("1.0", "rich", 500, 500)
        assert free["url"] in embed["html"]
        is_problem(anybody.get("/api/oembed", params={"url": free["url"], "format": "xml"}), 422)

        page = anybody.get(bound["url"])
        assert f"frame-ancestors {origin};" in page.headers["content-security-policy"]
        assert "x-robots-tag" not in page.headers
        page = anybody.get(alone["url"])
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        assert "oembed" not in page.text
        assert alone["iframe"] == ""
        is_problem(anybody.get("/api/oembed", params={"url": alone["url"]}), 401)
        assert "Hidden title" not in anybody.get(locked["url"]).text
        assert "Hidden title" not in anybody.get("/api/oembed", params={"url": locked["url"]}).text
        for url in (f"{free['url']}x", "http://[", "https://elsewhere.example/app/shared/x", "x"):
            is_problem(anybody.get("/api/oembed", params={"url": url}), 404)
        # All other pages stay where they are.
        assert anybody.get("/app").headers["x-frame-options"] == "DENY"


def test_what_is_no_share_is_refused(tally: Tally) -> None:
    def refused(status: int, **fields: Any) -> None:
        is_problem(tally.client.post("/api/shares", json={"title": "x"} | fields), status)

    refused(404, filter={"link": ["nobody's"]})
    refused(404, filter={"area": ["country:XX"]})
    refused(422, min_cell=1)
    refused(422, filter={"days": 7, "from": "2026-01-01"})
    refused(422, filter={"from": "2026-01-02", "to": "2026-01-01"})
    refused(422, filter={"tz": "Nowhere"})
    refused(422, filter={"within": ["1,2"]})
    refused(422, expires_at="2020-01-01T00:00:00Z")
    refused(422, origins=["https://a.example; script-src *"])
    refused(422, origins=["javascript:x"])


def test_a_share_goes_by_its_links_whatever_they_are_called(tally: Tally) -> None:
    """A link that gets another code stays in it; whoever gets the old code does not come in; without links it is over."""
    api = tally.client
    old = api.post("/api/links", json={"url": "https://example.com/"}).raise_for_status().json()["code"]
    made = share(api, filter={"link": [old]})
    path = f"/api/shared/{secret_of(made)}"
    with visitor(tally.served) as anybody:
        assert anybody.get(path).json()["total"] == 0
        api.patch(f"/api/links/{old}", json={"code": f"{old}-new"}).raise_for_status()
        other = api.post("/api/links", json={"url": "https://example.com/", "code": old}).raise_for_status()
        assert anybody.get(path).status_code == 200
        api.delete(f"/api/links/{old}-new").raise_for_status()
        is_problem(anybody.get(path), 410)
        api.delete(f"/api/links/{other.json()['code']}").raise_for_status()


def test_no_condition_of_the_filter_is_lost(tally: Tally) -> None:
    """What the page or a script may filter by, a share takes and keeps: one that it forgot would show more."""
    document = tally.client.get("/api/openapi.json").json()
    parameters = document["paths"]["/api/heat/tilejson"]["get"]["parameters"]
    fields = set(document["components"]["schemas"]["ShareFilter"]["properties"])
    assert {one["name"] for one in parameters} - {"min_cell"} <= fields
    made = share(
        tally.client, filter={"browser": ["Nobody's"], "origin": ["email"], "referrer": ["a.example"]}
    )
    with visitor(tally.served) as anybody:
        assert anybody.get(f"/api/shared/{secret_of(made)}").json()["total"] == 0


def test_without_today_the_map_is_of_whole_days(tally: Tally) -> None:
    made = share(tally.client, filter={"today": False, "days": 7})
    late = share(tally.client, filter={"today": False, "from": "2999-01-01"})
    with visitor(tally.served) as anybody:
        seen = anybody.get(f"/api/shared/{secret_of(made)}").json()
        assert seen["total"] == 0  # all clicks are today's
        assert seen["last_day"] is not None
        is_problem(anybody.get(f"/api/shared/{secret_of(late)}"), 404)


NAMES = ("link", "campaign", "channel", "tag", "device", "network", "area", "within", "from", "to", "tz", "min_cell",
         "unplaced", "search", "sort", "order", "limit", "v", "ticket", "b.link", "workspace", "today", "days")  # fmt: skip
VALUES = ("", "0", "1", "all", "tally-1", "campaign 1", "email", "all", "mobile", "country:US", "-180,-85,180,85",
          "1970-01-01", "2999-01-01", "UTC", "true", "false", "name", "asc", "1000")  # fmt: skip


@pytest.fixture(scope="module")
def narrow(tally: Tally) -> dict[str, Any]:
    """A map of one link, by phone."""
    return share(tally.client, filter={"link": [tally.codes[0]], "device": ["mobile"]})


@given(
    query=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5),
    level=st.sampled_from(LEVELS),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_parameter_widens_a_share(
    tally: Tally, narrow: dict[str, Any], query: list[tuple[str, str]], level: str
) -> None:
    """Whatever is asked for: the same total, no row below the minimum, no click of another link or device."""
    mine = Counter(
        v.country for v in tally.people(tally.codes[0], "all") if v.device == "mobile" and v.country
    )
    path = f"/api/shared/{secret_of(narrow)}"
    # The page's own key must not open more, either.
    key = {"authorization": tally.client.headers["authorization"]}
    with visitor(tally.served) as anybody:
        for headers in ({}, key):
            table = anybody.get(f"{path}/places/{level}", params=query, headers=headers)
            if table.status_code == 422:  # a limit that is no number
                continue
            found = table.raise_for_status().json()
            total = sum(v.device == "mobile" for v in tally.people(tally.codes[0], "all"))
            assert (found["total"], found["min_cell"]) == (total, LEAST)
            assert all(row["clicks"] >= LEAST for row in found["rows"])
            if level == "countries":
                assert all(row["clicks"] == mine[row["country"]] for row in found["rows"])
            seen = anybody.get(path, params=query, headers=headers).json()
            assert (seen["total"], seen["min_cell"]) == (total, LEAST)
            tile = anybody.get(f"{path}/tiles/0/0/0.mvt", params=query, headers=headers)
            drawn = _clicks(tile.content)
            assert sum(drawn) == total - seen["unplaced"] - seen["withheld"]
            assert all(clicks >= LEAST for clicks in drawn)


def _clicks(tile: bytes) -> list[int]:
    layers = mapbox_vector_tile.decode(tile) if tile else {}
    return [
        feature["properties"]["clicks"] for feature in layers.get("clusters", {"features": []})["features"]
    ]


def test_every_number_of_a_map_is_one_that_its_maker_would_be_told(
    tally: Tally, narrow: dict[str, Any]
) -> None:
    """The public tables are those of the same filter with the same minimum; and name no other link, nor what is left out."""
    query = {"link": tally.codes[0], "device": "mobile", "network": "all", "min_cell": LEAST}
    with visitor(tally.served) as anybody:
        path = f"/api/shared/{secret_of(narrow)}"
        for level in LEVELS:
            ours = tally.table(level, **query)
            public = anybody.get(f"{path}/places/{level}", params={"limit": 1000}).json()
            assert [(row["id"], row["clicks"]) for row in public["rows"]] == [
                (row["id"], row["clicks"]) for row in ours["rows"]
            ]
        text = anybody.get(path).text
        assert "left_out" not in text
        assert not any(code in text for code in tally.codes)


def test_the_share_opens_nothing_else(tally: Tally, narrow: dict[str, Any]) -> None:
    """Its secret is no token, and no cookie, for any other room."""
    secret = secret_of(narrow)
    with visitor(tally.served) as anybody:
        for path in ("/api/links", "/api/filters", "/api/export/clicks.csv", "/api/heat/tilejson", "/api/shares",
                     "/api/insights", "/api/analytics/live", "/api/areas/country:US"):  # fmt: skip
            is_problem(anybody.get(path, headers={"authorization": f"Bearer {secret}"}), 401)
            is_problem(anybody.get(path, headers={"cookie": f"clickatlas_session={secret}"}), 401)


def test_a_strict_operator_is_stricter_than_a_share(tally: Tally) -> None:
    """What nothing may be shown of is said so, and nothing more."""
    made = share(tally.client, min_cell=100_000, filter={"area": ["country:US"]})
    with visitor(tally.served) as anybody:
        problem = is_problem(anybody.get(f"/api/shared/{secret_of(made)}"), 403)
        assert problem["title"] == "Too few clicks"
        assert "United States" not in str(problem)


def test_a_share_holds_to_what_clicks_tell_of_themselves(tally: Tally) -> None:
    api = tally.client
    told = {"browser": ["Firefox", "Safari"], "origin": ["direct"]}
    made = share(api, filter=told)
    listed = next(row for row in api.get("/api/shares").json()["rows"] if row["id"] == made["id"])
    assert told.items() <= listed["filter"].items()
    wanted = api.get("/api/analytics/geo/countries", params=told | {"network": "all"}).json()["total"]
    everything = api.get("/api/analytics/geo/countries", params={"network": "all"}).json()["total"]
    with visitor(tally.served) as anybody:
        seen = anybody.get(f"/api/shared/{secret_of(made)}").raise_for_status().json()
    assert 0 < seen["total"] == wanted < everything
    body = {"title": "x", "filter": {"origin": ["nowhere"]}}
    is_problem(api.post("/api/shares", json=body), 422)


def test_a_share_that_has_run_out_shows_nothing(tally: Tally) -> None:
    made = share(tally.client, expires_at="2099-01-01T00:00:00Z")
    secret = secret_of(made)
    with visitor(tally.served) as anybody:
        tile = (
            anybody.get(f"/api/shared/{secret}").raise_for_status().json()["tiles"][0].format(z=0, x=0, y=0)
        )
        asked = [
            ("GET", f"/api/shared/{secret}", {}),
            ("GET", f"/api/shared/{secret}/places/countries", {}),
            ("GET", tile, {}),
            ("GET", "/api/oembed", {"params": {"url": made["url"]}}),
            ("POST", f"/api/shared/{secret}/password", {"json": {"password": ""}}),
            ("GET", f"/app/shared/{secret}", {}),
        ]
        for how, path, more in asked:
            assert anybody.request(how, path, **more).status_code == 200, path
        for ends, status in ((-1, 404), (-86_400 * 400, 404), (3600, 200)):
            database = links_of(tally.served.data)
            with database.writing() as session:
                kept = session.get(Share, made["id"])
                assert kept is not None
                kept.expires_at = datetime.now(UTC) + timedelta(seconds=ends)
            database.close()
            for how, path, more in asked:
                answer = anybody.request(how, path, **more)
                assert answer.status_code == status, path
                if status == 404:
                    assert "Spring" not in answer.text
        # By the clock alone, with nobody writing anything.
        soon = datetime.now(UTC) + timedelta(seconds=4)
        tally.client.patch(
            f"/api/shares/{made['id']}", json={"expires_at": soon.isoformat()}
        ).raise_for_status()
        until(
            lambda: {anybody.request(how, path, **more).status_code for how, path, more in asked} == {404},
            "over",
        )
        assert datetime.now(UTC) >= soon
    tally.client.delete(f"/api/shares/{made['id']}").raise_for_status()
