"""Links made many at once, made once however often they are asked for, and what is known of who changed them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.making import make, word
from tests.server.problems import is_problem


def total(api: httpx.Client, campaign: str) -> int:
    return int(api.get("/api/links", params={"campaign": campaign}).json()["total"])


def test_bad_rows_keep_no_others_back(api: httpx.Client) -> None:
    campaign, taken = word(), make(api)["code"]
    rows: list[dict[str, Any]] = [
        {"url": "https://example.com/1", "campaign": campaign, "tags": ["a"]},
        {"url": "javascript:alert(1)"},
        {"url": "https://example.com/2", "code": taken},
        {"title": "no url"},
        {"url": "https://example.com/3", "nonsense": 1},
        {"url": "https://example.com/4", "campaign": campaign, "code": (mine := word())},
        {"url": "https://example.com/5", "code": mine},
    ]
    dry = (
        api.post("/api/links/bulk", params={"dry_run": True}, json={"links": rows}).raise_for_status().json()
    )
    assert total(api, campaign) == 0
    found = api.post("/api/links/bulk", json={"links": rows}).raise_for_status().json()
    assert [row["row"] for row in found["made"]] == [1, 6] == [row["row"] for row in dry["made"]]
    assert [row["row"] for row in found["refused"]] == [2, 3, 4, 5, 7]
    assert found["refused"] == dry["refused"]
    assert all(row["detail"] and row["remedy"] for row in found["refused"])
    assert total(api, campaign) == 2
    for row in found["made"]:
        assert httpx.get(row["short_url"]).headers["location"] == row["url"]


@pytest.mark.parametrize(
    "content",
    ["url,code,campaign,tags,max_clicks\nhttps://example.com/ü?a=1,{code},{campaign},a; b,5\n,,,,\n",
     "\ufeffURL;Code;Campaign;Tags;Max_Clicks\r\nhttps://example.com/ü?a=1;{code};{campaign};\"a; b\";5\r\n",
     "url\tcode\tcampaign\ttags\tmax_clicks\nhttps://example.com/ü?a=1\t{code}\t{campaign}\ta;b\t5"],
)  # fmt: skip
def test_files_as_spreadsheets_write_them(api: httpx.Client, content: str) -> None:
    code, campaign = word(), word()
    sent = content.format(code=code, campaign=campaign).encode()
    found = api.post(
        "/api/links/bulk.csv", content=sent, headers={"content-type": "text/csv"}
    ).raise_for_status()
    assert (len(found.json()["made"]), found.json()["refused"]) == (1, [])
    made = api.get(f"/api/links/{code}").json()
    assert (made["url"], made["campaign"], made["tags"], made["max_clicks"]) == (
        "https://example.com/%C3%BC?a=1", campaign, ["a", "b"], 5,
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [b"", b"code\na", b"url,url\na,b", b"url,colour\na,red", "url\nhttps://é.example".encode("latin-1"),
     b"url\n" + b"https://example.com/\n" * 1001, b'url\n"' + b"x" * 200],
)  # fmt: skip
def test_files_that_are_none_are_refused_or_their_rows_are(api: httpx.Client, content: bytes) -> None:
    answer = api.post("/api/links/bulk.csv", content=content, headers={"content-type": "text/csv"})
    if answer.status_code == 200:
        assert answer.json()["made"] == []
        assert len(answer.json()["refused"]) == 1
    else:
        is_problem(answer, 422)


def test_sent_again_it_is_made_once(api: httpx.Client) -> None:
    campaign = word()
    body = {"url": "https://example.com/", "campaign": campaign}
    headers = {"idempotency-key": word()}
    first = api.post("/api/links", json=body, headers=headers)
    again = api.post("/api/links", json=body, headers=headers)
    assert first.json() == again.json()
    assert (again.status_code, total(api, campaign)) == (201, 1)
    is_problem(api.post("/api/links", json=body | {"title": "other"}, headers=headers), 422)
    many, key = {"links": [body, body]}, {"idempotency-key": word()}
    answers = [
        api.post("/api/links/bulk", json=many, headers=key).raise_for_status().json() for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert total(api, campaign) == 3


def test_a_template_goes_into_the_destination(api: httpx.Client) -> None:
    utm = {"source": "news", "medium": "{channel}", "campaign": "{campaign}"}
    kept = api.post("/api/utm-templates", json={"name": word(), "utm": utm}).raise_for_status().json()
    is_problem(api.post("/api/utm-templates", json={"name": kept["name"], "utm": {}}), 409)
    [row] = [row for row in api.get("/api/utm-templates").json()["rows"] if row["id"] == kept["id"]]
    made = make(
        api, url="https://example.com/?utm_source=old&a=1", channel="email", campaign="A b", utm=row["utm"]
    )
    assert made["url"] == "https://example.com/?a=1&utm_source=news&utm_medium=email&utm_campaign=A%20b"
    assert api.delete(f"/api/utm-templates/{kept['id']}").status_code == 204
    is_problem(api.delete(f"/api/utm-templates/{kept['id']}"), 404)


def test_a_link_has_a_history_whatever_it_was_called(api: httpx.Client) -> None:
    made = make(api, url="https://example.com/one")
    new = word()
    api.patch(f"/api/links/{made['code']}", json={"code": new, "password": "open sesame"}).raise_for_status()
    api.patch(f"/api/links/{new}", json={"url": "https://example.com/two"}).raise_for_status()
    rows = api.get(f"/api/links/{new}/history").raise_for_status().json()["rows"]
    assert [row["action"] for row in rows] == ["link.change", "link.change", "link.create"]
    assert "https://example.com/one → https://example.com/two" in rows[0]["detail"]
    assert rows[1]["subject"] == f"{made['code']} → {new}"
    assert rows[1]["detail"] == "code, password"
    assert all(row["who"] for row in rows)
    assert "sesame" not in str(rows)
