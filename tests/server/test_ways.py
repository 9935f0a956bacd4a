"""What teams set on links, as visitors meet it: start, limit, password, rules, splits and scans, each counted."""

from __future__ import annotations

import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, until
from tests.server.visitors import DEVICES, PEOPLE, Visitor, draw

AWAY = "https://example.com/away"


def click(
    made: dict[str, Any], address: str = "18.9.22.69", suffix: str = "", **headers: str
) -> httpx.Response:
    sent = {"user-agent": DEVICES["desktop"], "x-forwarded-for": address} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return httpx.get(made["short_url"] + suffix, headers=sent)


def parts(api: httpx.Client, by: str, code: str, **query: Any) -> dict[str | None, int]:
    found = api.get("/api/analytics/breakdown", params={"by": by, "link": code, "network": "all"} | query)
    return {row["value"]: row["clicks"] for row in found.raise_for_status().json()["rows"]}


def counted(api: httpx.Client, code: str, clicks: int) -> None:
    def total() -> bool:
        found = api.get("/api/analytics/geo/countries", params={"link": code, "network": "all"}).json()
        return bool(found["total"] == clicks)

    until(total, f"{clicks} clicks counted")


@pytest.mark.parametrize("status", [301, 302, 307])
def test_the_redirect_is_what_was_asked_for_and_never_kept(api: httpx.Client, status: int) -> None:
    made = make(api, status=status)
    answer = click(made)
    assert answer.status_code == status
    assert "no-store" in answer.headers["cache-control"]
    until(lambda: parts(api, "link", made["code"]) == {made["code"]: 1}, "counted")


@pytest.mark.parametrize(
    "bad",
    [{"status": 303}, {"status": None}, {"max_clicks": 0}, {"password": "abc"}, {"notes": "x" * 5001},
     {"rules": [{"name": "r", "url": AWAY}]}, {"rules": [{"name": "r", "url": "javascript:1", "countries": ["DE"]}]},
     {"rules": [{"name": "r", "url": AWAY, "countries": ["Germany"]}]}, {"split": [{"name": "A", "weight": 0}]},
     {"split": [{"name": "A"}, {"name": "A"}]}, {"rules": [{"name": "r", "url": AWAY, "devices": ["phone"]}]}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(api: httpx.Client, bad: dict[str, Any]) -> None:
    is_problem(api.post("/api/links", json={"url": "https://example.com/"} | bad), 422)
    is_problem(api.patch(f"/api/links/{make(api)['code']}", json=bad), 422)


def test_a_rule_may_not_lead_back_here(api: httpx.Client, server: Served) -> None:
    rule = {"name": "r", "url": f"{server.url}/x", "devices": ["mobile"]}
    problem = is_problem(api.post("/api/links", json={"url": "https://example.com/", "rules": [rule]}), 422)
    assert problem["field"] == "rules.0.url"
    split = [{"name": "A"}, {"name": "B", "url": "javascript:1"}]
    problem = is_problem(api.post("/api/links", json={"url": "https://example.com/", "split": split}), 422)
    assert problem["field"] == "split.1.url"


def test_a_link_opens_when_it_starts(api: httpx.Client) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    made = make(api, starts_at=soon.isoformat())
    early = click(made)
    assert early.status_code == 404
    assert "not open yet" in early.text
    until(lambda: click(made).status_code == 302, "open")
    assert datetime.now(UTC) >= soon


def test_a_link_ends_after_so_many_clicks(api: httpx.Client) -> None:
    made = make(api, max_clicks=3)
    for _ in range(3):
        assert click(made).status_code == 302
    until(lambda: click(made).status_code == 410, "closed")
    assert api.get(f"/api/links/{made['code']}").json()["spent_at"] is not None
    raised = api.patch(f"/api/links/{made['code']}", json={"max_clicks": 10_000}).json()
    assert raised["spent_at"] is None
    assert click(made).status_code == 302


def test_a_password_is_asked_for(api: httpx.Client, server: Served) -> None:
    made = make(api, password="open sesame", pass_query=True)
    code = made["code"]
    assert made["has_password"] is True
    assert "password" not in made
    asked = click(made, suffix="?q&a=1")
    assert asked.status_code == 401
    assert "location" not in asked.headers
    assert "example.com" not in asked.text
    assert "example.com" not in click(made, suffix="+").text
    action = re.search(r'action="([^"]+)"', asked.text)
    query = re.search(r'name="query" type="hidden" value="([^"]*)"', asked.text)
    assert action
    assert query
    hidden = query[1].replace("&amp;", "&")
    wrong = httpx.post(server.url + action[1], data={"password": "open", "query": hidden})
    assert wrong.status_code == 401
    assert "not the password" in wrong.text
    right = httpx.post(server.url + action[1], data={"password": "open sesame", "query": hidden})
    assert right.status_code == 303
    led = httpx.get(server.url + right.headers["location"], headers={"x-forwarded-for": "18.9.22.69"})
    assert (led.status_code, led.headers["location"]) == (302, "https://example.com/?a=1")
    until(lambda: parts(api, "channel", code) == {"qr": 1}, "a scan, counted once")
    api.patch(f"/api/links/{code}", json={"password": "another word"})
    assert httpx.get(server.url + right.headers["location"]).status_code == 401
    api.patch(f"/api/links/{code}", json={"password": None})
    assert click(made).status_code == 302


def test_guesses_are_few(api: httpx.Client, server: Served) -> None:
    made = make(api, password="open sesame")

    def guess(number: int) -> int:
        sent = {"x-forwarded-for": f"203.0.113.{number}"}
        form = {"password": f"no {number}"}
        return httpx.post(
            f"{server.url}/app/unlock/{made['code']}", data=form, headers=sent, timeout=60
        ).status_code

    with ThreadPoolExecutor(90) as crowd:  # at once: a minute's worth is 60
        answers = Counter(crowd.map(guess, range(90)))
    assert answers[429] > 0
    assert set(answers) == {401, 429}


def test_an_archived_link_is_put_away_and_leads_on(api: httpx.Client) -> None:
    made = make(api, campaign=word(), notes="for the autumn fair")

    def listed(**query: Any) -> list[str]:
        params = {"campaign": made["campaign"]} | query
        return [row["code"] for row in api.get("/api/links", params=params).json()["rows"]]

    api.patch(f"/api/links/{made['code']}", json={"archived": True})
    assert (listed(), listed(archived=False), listed(archived=True)) == ([made["code"]], [], [made["code"]])
    assert listed(search="autumn fair") == [made["code"]]
    assert click(made).status_code == 302
    assert api.patch(f"/api/links/{made['code']}", json={"archived": False}).json()["archived_at"] is None


def test_scans_are_a_channel_of_their_own(api: httpx.Client) -> None:
    made = make(api, channel="email")
    code = made["code"]
    for suffix, times in (("", 3), ("?q", 2), ("?q&x=1", 1)):
        for _ in range(times):
            assert click(made, suffix=suffix).headers["location"] == "https://example.com/"
    counted(api, code, 6)
    assert parts(api, "channel", code) == {"email": 3, "qr": 3}
    assert parts(api, "channel", code, channel="qr") == {"qr": 3}
    assert parts(api, "channel", code, channel="email") == {"email": 3}
    assert parts(api, "link", code) == {code: 6}
    assert "qr" in api.get("/api/filters").json()["channels"]
    row = api.get("/api/links", params={"search": code}).json()["rows"][0]
    assert row["clicks"] == 6 == row["sparkline"][-1]
    exported = api.get("/api/export/clicks.ndjson", params={"link": code, "network": "all"}).text
    assert exported.count(f'"{code}"') == 6
    assert api.delete(f"/api/links/{code}").status_code == 204
    again = make(api, code=code)
    click(again)
    counted(api, code, 1)


def by_rule(visitor: Visitor, language: str) -> str | None:
    if visitor.country in ("DE", "FR"):
        return "europe"
    if visitor.country == "US" and visitor.region[0] in ("CA", "TX"):
        return "south"
    if visitor.device == "tablet":
        return "tablets"
    return "spanish" if language.startswith("es") else None


def test_rules_lead_and_count_by_whereabouts_device_and_language(api: httpx.Client) -> None:
    named = ("europe", "south", "tablets", "spanish")
    conditions: list[dict[str, Any]] = [
        {"countries": ["de", "fr"]}, {"regions": ["US-CA", "us-tx"]}, {"devices": ["tablet"]}, {"languages": ["es"]}
    ]  # fmt: skip
    rules = [
        {"name": name, "url": f"https://example.com/{name}"} | condition
        for name, condition in zip(named, conditions, strict=True)
    ]
    made = make(api, rules=rules)
    assert [rule["countries"] for rule in made["rules"]] == [["DE", "FR"], [], [], []]
    chance = random.Random(4)
    expected = Counter[str | None]()
    visitors = [one for one in draw(500, seed=31) if one.kind == PEOPLE]
    for visitor in visitors:
        language = chance.choice(["en-US", "es-MX,en;q=0.5", "es", ""])
        answer = click(made, visitor.address, user_agent=visitor.agent, accept_language=language)
        way = by_rule(visitor, language)
        expected[way] += 1
        assert answer.headers["location"] == f"https://example.com/{way or ''}"
    counted(api, made["code"], len(visitors))
    assert parts(api, "way", made["code"]) == expected
    assert min(expected[name] for name in named) > 3
    kept = api.patch(f"/api/links/{made['code']}", json={"rules": made["rules"][1:2]}).json()
    assert kept["rules"] == made["rules"][1:2]
    gone = sum(expected[name] for name in named) - expected["south"]
    assert parts(api, "way", made["code"])["south"] == expected["south"]
    assert parts(api, "way", made["code"])["Rules and splits that are no more"] == gone
    assert click(made, "2.16.0.1").headers["location"] == "https://example.com/"


def test_a_split_shows_the_same_visitor_the_same_side(api: httpx.Client) -> None:
    sides = [{"name": "A", "weight": 3}, {"name": "B", "url": "https://example.com/b", "weight": 1}]
    made = make(api, split=sides)
    assert made["split"] == [{"name": "A", "url": None, "weight": 3}, sides[1]]
    seen: dict[str, set[str]] = {}
    for number in range(300):
        address = f"18.9.{number // 250}.{number % 250}"
        for _ in range(2):
            seen.setdefault(address, set()).add(click(made, address).headers["location"])
    assert all(len(locations) == 1 for locations in seen.values())
    led = Counter(location for locations in seen.values() for location in locations)
    assert 40 < led["https://example.com/b"] < 115  # of 75 expected: 5 standard errors
    counted(api, made["code"], 600)
    found = parts(api, "way", made["code"])
    assert found == {"A": 2 * led["https://example.com/"], "B": 2 * led["https://example.com/b"]}
