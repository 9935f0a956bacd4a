"""Codes → destinations in a worker's memory: right after every change, bounded, cheap for codes that lead nowhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from clickatlas.links import keys, links
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Link
from clickatlas.redirect import directory as room
from clickatlas.redirect.directory import Directory


@pytest.fixture
def database(tmp_path: Path) -> LinksDatabase:
    made = LinksDatabase(tmp_path)
    made.migrate()
    return made


def many(database: LinksDatabase, count: int) -> None:
    """Links l0, l1, … in bulk."""
    with database.writing() as session:
        workspace = keys.owner(session)[1]
        rows = [
            {"workspace_id": workspace, "code": f"l{n}", "url": f"https://example.com/{n}#at"}
            for n in range(count)
        ]
        session.execute(insert(Link), rows)


def add(database: LinksDatabase, code: str, url: str = "https://example.com/new") -> None:
    with database.writing() as session:
        links.create(session, keys.owner(session)[1], links.LinkDraft(url=url, code=code))


def change(database: LinksDatabase, code: str, do: Callable[[Session, Link], object]) -> None:
    with database.writing() as session:
        do(session, links.find(session, keys.owner(session)[1], code))


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes for which the database was asked."""
    asked: list[str] = []
    real = Directory._look_up
    monkeypatch.setattr(Directory, "_look_up", lambda self, code: asked.append(code) or real(self, code))
    return asked


@pytest.mark.parametrize("room_for", [200_000, 50, 3], ids=["all fit", "just", "few fit"])
def test_every_change_holds_from_the_next_look(
    database: LinksDatabase, monkeypatch: pytest.MonkeyPatch, room_for: int
) -> None:
    monkeypatch.setattr(room, "MAX_ENTRIES", room_for)
    many(database, 50)
    found = Directory(database)
    assert found.find("new") is None
    for n in range(50):
        entry = found.find(f"l{n}")
        assert entry is not None
        assert (entry.url, entry.fragment) == (f"https://example.com/{n}".encode(), b"#at")
    add(database, "new")
    entry = found.find("new")
    assert entry is not None
    assert entry.url == b"https://example.com/new"
    change(database, "new", lambda s, one: links.change(s, one, {"url": "https://example.com/newer"}))
    entry = found.find("new")
    assert entry is not None
    assert entry.url == b"https://example.com/newer"
    change(database, "new", lambda s, one: links.change(s, one, {"code": "other"}))
    assert found.find("new") is None
    assert found.find("other") is not None
    change(database, "other", lambda s, one: links.delete(s, [one]))
    assert found.find("other") is None
    assert found.find("l7") is not None
    assert len(found._entries) <= room_for + 1


def test_codes_that_lead_nowhere_cost_no_look_up_and_no_memory(
    database: LinksDatabase, looked_up: list[str]
) -> None:
    many(database, 100)
    found = Directory(database)
    for n in range(100_000):
        assert found.find(f"no-{n}") is None
    add(database, "yes")
    assert found.find("yes") is not None
    for n in range(1000):
        assert found.find(f"no-{n}") is None
    assert looked_up == ["yes"]
    assert not found._unknown
    assert not found._changed


def test_codes_that_lead_nowhere_where_not_all_links_fit(
    database: LinksDatabase, looked_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_ENTRIES", 50)
    monkeypatch.setattr(room, "MAX_UNKNOWN", 100)
    many(database, 100)
    found = Directory(database)
    for n in range(1000):
        assert found.find(f"no-{n}") is None
        assert found.find(f"no-{n}") is None
    assert len(looked_up) == 1000
    assert len(found._unknown) <= 100
    for n in range(100):
        assert found.find(f"l{n}") is not None
    assert len(found._entries) <= 51


def test_a_hundred_thousand_links(database: LinksDatabase, looked_up: list[str]) -> None:
    many(database, 100_000)
    began = time.monotonic()
    found = Directory(database)
    assert time.monotonic() - began < 10  # 0.5 s on a machine of its own
    wrong = [n for n in range(100_000) if found.find(f"l{n}").url != f"https://example.com/{n}".encode()]  # type: ignore[union-attr]
    assert not wrong
    assert not looked_up


def test_codes_of_either_case_where_case_means_nothing(database: LinksDatabase) -> None:
    add(database, "Spring")
    found = Directory(database, case_sensitive=False)
    assert found.find("sPRING") is not None
    add(database, "Summer")
    assert found.find("summer") is not None
