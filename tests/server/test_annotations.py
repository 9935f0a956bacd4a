"""Notes at a time."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.problems import is_problem


def note(api: httpx.Client, **fields: Any) -> httpx.Response:
    return api.post("/api/annotations", json={"at": "2026-11-03T08:00:00Z", "text": "Sent"} | fields)


def texts(api: httpx.Client, **query: Any) -> list[str]:
    return [
        row["text"]
        for row in api.get("/api/annotations", params=query).raise_for_status().json()["rows"]
        if row["text"].startswith("note ")
    ]


def test_a_link_has_its_own_its_campaigns_and_the_workspaces(api: httpx.Client) -> None:
    for code, campaign in (("noted-a", "noted 1"), ("noted-b", "noted 2")):
        link = {"url": "https://example.com/", "code": code, "campaign": campaign}
        api.post("/api/links", json=link).raise_for_status()
    for text, of in (
        ("note all", {}), ("note a", {"link": "noted-a"}), ("note b", {"link": "noted-b"}),
        ("note 1", {"campaign": "noted 1"}), ("note 2", {"campaign": "noted 2"}),
    ):  # fmt: skip
        note(api, text=text, **of).raise_for_status()
    assert sorted(texts(api)) == ["note 1", "note 2", "note a", "note all", "note b"]
    assert sorted(texts(api, link="noted-a")) == ["note 1", "note a", "note all"]
    assert sorted(texts(api, campaign="noted 2")) == ["note 2", "note all"]
    assert texts(api, **{"from": "2026-11-04"}) == []
    assert len(texts(api, to="2026-11-03", tz="America/Los_Angeles")) == 5
    api.delete("/api/links/noted-a").raise_for_status()
    assert sorted(texts(api)) == ["note 2", "note all", "note b"]


@pytest.mark.parametrize(
    "fields",
    [
        {"text": " "}, {"text": "x" * 281}, {"text": "a\x00b"}, {"at": "2026-11-03T08:00:00"}, {"at": "soon"},
        {"at": "0001-01-01T00:00:00+14:00"}, {"at": "9999-12-31T23:59:59-14:00"}, {"link": "a", "campaign": "b"}, {"id": 5},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_note_is_refused(api: httpx.Client, fields: dict[str, Any]) -> None:
    is_problem(note(api, **fields), 422)


def test_a_note_of_a_link_that_is_not_there_is_refused(api: httpx.Client) -> None:
    is_problem(note(api, link="nobodys-link"), 404)
    is_problem(note(api, campaign="nobody’s campaign"), 404)
