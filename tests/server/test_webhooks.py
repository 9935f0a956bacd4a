"""Webhooks on a running server: told of links and clicks, by a receiver that is only reached where the operator says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.server.problems import is_problem
from tests.server.served import Served, until
from tests.unit.test_webhooks import Receiver


def test_links_and_clicks_are_told(data_folder: Callable[[str], Path]) -> None:
    receiver = Receiver()
    with receiver.listening() as port:
        networks, ports = ("--fetch-networks", "127.0.0.1/32"), ("--fetch-ports", f"80,{port}")
        served = Served(data_folder("webhooks"), *networks, *ports).start()
        try:
            with served.client() as api:
                _told(served, api, receiver, port)
        finally:
            served.kill()


def _told(served: Served, api: httpx.Client, receiver: Receiver, port: int) -> None:
    body = {"url": f"http://127.0.0.1:{port}/hooks", "events": ["click", "link.created"]}
    made = api.post("/api/webhooks", json=body).raise_for_status().json()
    assert made["secret"].startswith("whsec_")
    [listed] = api.get("/api/webhooks").json()["rows"]
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    link = api.post("/api/links", json={"url": "https://example.com/"}).raise_for_status().json()
    api.post("/api/links/bulk", json={"links": [{"url": "https://example.com/2"}]}).raise_for_status()
    api.post("/api/links/bulk?dry_run=true", json={"links": [{"url": "https://example.com/3"}]})

    def events(kind: str) -> list[dict[str, Any]]:
        found = [json.loads(body) for _, body in receiver.came]
        return [one["data"] for one in found if one["type"] == kind]

    until(lambda: len(events("link.created")) == 2, "two links told")
    assert events("link.created")[0] == link
    headers = {"x-forwarded-for": "18.9.22.69", "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)"}
    for _ in range(3):
        httpx.get(f"{served.url}/{link['code']}", headers=headers)
    until(lambda: sum(len(one["clicks"]) for one in events("click")) == 3, "three clicks told")
    click = events("click")[0]["clicks"][0]
    assert (click["code"], click["place"]["country"]) == (link["code"], "US")
    assert "18.9.22.69" not in str(receiver.came)

    path = f"/api/webhooks/{made['id']}"
    rows = api.get(f"{path}/deliveries").json()["rows"]
    assert {row["event"] for row in rows} == {"link.created", "click"}
    api.post(f"{path}/deliveries/{rows[-1]['id']}/replay").raise_for_status()
    until(lambda: len(events("link.created")) == 3, "one told again")
    api.patch(path, json={"active": False}).raise_for_status()
    is_problem(api.patch(path, json={"url": None}), 422)
    for url in ("ftp://a.example/", "https://a:b@c.example/", "x", "https://a.example/\n", "https://[::"):
        is_problem(api.post("/api/webhooks", json=body | {"url": url}), 422)
    assert api.delete(path).status_code == 204


def test_a_webhook_says_when_its_digest_comes(api: httpx.Client) -> None:
    body = {"url": "https://example.com/", "events": ["digest"]}
    monday = {"every": "week", "weekday": 0, "hour": 8, "tz": "UTC"}
    made = api.post("/api/webhooks", json=body).raise_for_status().json()
    assert made["digest"] == monday
    path, friday = (
        f"/api/webhooks/{made['id']}",
        {"every": "week", "weekday": 4, "hour": 17, "tz": "Asia/Tokyo"},
    )
    assert api.patch(path, json={"digest": friday}).json()["digest"] == friday
    assert api.patch(path, json={"active": False}).json()["digest"] == friday
    for wrong in (
        {"hour": 24},
        {"weekday": 7},
        {"every": "off"},
        {"tz": "Mars/Base"},
        {"tz": "x" * 65},
        None,
    ):
        is_problem(api.patch(path, json={"digest": wrong}), 422)
    assert api.get("/api/webhooks").json()["rows"][-1]["digest"] == friday
    api.delete(path).raise_for_status()
