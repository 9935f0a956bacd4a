"""Machines that share one PostgreSQL: each knows of a change within a second, and answers what it knows without it."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text

from clickatlas.errors import Problem
from clickatlas.links import changes as counters
from clickatlas.links import domains, keys, links, lock, passwords
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Domain
from clickatlas.links.postgres import where
from clickatlas.redirect import follower as room
from clickatlas.redirect.directory import Directory
from clickatlas.redirect.follower import Follower
from clickatlas.redirect.replica import NAME, Replica
from tests.postgres import Databases

HOST = [(b"host", b"go.example.com")]


class Machine:
    """A data folder: a database's sessions, a follower, and what a street worker knows."""

    def __init__(self, data: Path, url: str, *, follows: bool = True) -> None:
        self.data, self.url = data, url
        self.links = LinksDatabase(data, url)
        self.follower = Follower(data, url)
        if follows:
            self.follower.once()
            self.follower.start()
        self.directory = Directory(Replica(data, where(url)))

    def leads(self, code: str) -> str | None:
        entry = self.directory.find(code)
        return (entry.url + entry.fragment).decode() if entry else None

    def soon(self, true: Callable[[], Any], within: float = 1.0) -> float:
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < within, "not in time"
            time.sleep(0.002)
        return time.monotonic() - began

    def make(self, code: str, url: str = "https://example.com/", /, **more: Any) -> None:
        with self.links.writing() as session:
            workspace = keys.owner(session)[1]
            links.create(session, workspace, links.LinkDraft(url=url, code=code, **more))

    def change(self, code: str, /, **fields: Any) -> None:
        with self.links.writing() as session:
            links.change(session, links.find(session, keys.owner(session)[1], code), fields)

    def end(self, code: str) -> None:
        with self.links.writing() as session:
            links.delete(session, [links.find(session, keys.owner(session)[1], code)])

    def close(self) -> None:
        self.follower.stop()
        self.links.close()


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[tuple[Machine, Machine]]:
    made = Machine(tmp_path / "a", postgres_url), Machine(tmp_path / "b", postgres_url)
    yield made
    for machine in made:
        machine.close()


def test_a_change_on_one_machine_holds_on_the_other_within_a_second(pair: tuple[Machine, Machine]) -> None:
    here, there = pair
    here.make("a", "https://example.com/1#x")
    there.soon(lambda: there.leads("a") == "https://example.com/1#x")
    took = []
    for number in range(20):
        here.change("a", url=f"https://example.com/{number}")
        assert (
            here.leads("a") == f"https://example.com/{number}"
        )  # where it was made, from the very next look
        took.append(there.soon(lambda: there.leads("a") == f"https://example.com/{number}"))  # noqa: B023
    print(f"median {sorted(took)[10] * 1000:.1f} ms, longest {max(took) * 1000:.1f} ms")
    here.change("a", code="b")
    there.soon(lambda: there.leads("b"))
    assert there.leads("a") is None
    there.end("b")
    here.soon(lambda: here.leads("b") is None)


def test_domains_come_along(pair: tuple[Machine, Machine]) -> None:
    here, there = pair
    with here.links.writing() as session:
        workspace = keys.owner(session)[1]
        wanted = domains.add(session, workspace, "go.example.com", "http://a.example")
        domains.judge(session, wanted, domains.Verdict(True, frozenset(), "", True))
    here.make("a", domain="go.example.com")
    there.soon(lambda: there.directory.domain(HOST))
    held = there.directory.domain(HOST)
    there.soon(lambda: there.directory.find("a", held))
    assert there.directory.find("a") is None
    with here.links.writing() as session:
        domains.remove(session, session.get_one(Domain, wanted.id))
    there.soon(lambda: there.directory.domain(HOST) is None)


def test_a_listener_whose_connection_is_cut_comes_back(
    pair: tuple[Machine, Machine], databases: Databases
) -> None:
    here, there = pair
    for number in range(3):
        databases.cut(here.url)
        here.make(f"n{number}")
        there.soon(lambda: there.leads(f"n{number}"), within=3)  # noqa: B023
    here.make("after")
    there.soon(lambda: there.leads("after"))


def test_without_postgresql_what_is_known_is_answered_also_after_a_start(
    pair: tuple[Machine, Machine], databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "QUIET_S", 0.2)
    monkeypatch.setattr(room, "BEAT_S", 0.05)
    here, there = pair
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    split = [{"name": "one", "url": "https://example.com/w", "weight": 1}]
    here.make(
        "a",
        pass_query=True,
        status=307,
        expires_at=tomorrow,
        split=split,
        password=passwords.hashed("x" * 12),
    )
    there.soon(lambda: there.leads("a"))
    there.soon(lambda: not there.directory.is_unsure)
    known = there.directory.find("a")
    with databases.away(here.url):
        there.soon(lambda: there.directory.is_unsure, within=3)
        assert there.directory.find("a") == known
        started = Directory(Replica(there.data, where(here.url)))
        assert started.find("a") == known
        assert started.find("new") is None
        assert started.is_unsure
        with pytest.raises(Problem, match="does not answer"):
            here.make("new")
    here.make("new")
    there.soon(lambda: there.leads("new"), within=3)
    there.soon(lambda: not started.is_unsure)
    assert started.find("new") is not None


def test_a_server_that_hangs_is_given_up(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes what it is told, and answers nothing: neither TCP nor PostgreSQL end such a connection."""
    monkeypatch.setattr(counters, "QUIET_S", 0.3)
    monkeypatch.setattr(room, "BEAT_S", 0.05)
    monkeypatch.setattr(room, "HANG_S", 1.0)
    parts = urlsplit(postgres_url)
    with relay(parts.port or 0) as (port, hanging):
        through = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl()
        machine, other = Machine(tmp_path / "a", through), Machine(tmp_path / "b", postgres_url)
        other.make("known")
        machine.soon(lambda: machine.leads("known"))
        hanging.set()
        machine.soon(lambda: machine.directory.is_unsure)
        other.make("new")
        began = time.monotonic()
        assert machine.leads("known")
        assert machine.leads("new") is None
        assert time.monotonic() - began < 0.1
        hanging.clear()  # for new connections; the one that hung stays so
        machine.soon(lambda: machine.leads("new"), within=5)
        assert not machine.directory.is_unsure
        machine.close()
        other.close()


@contextmanager
def relay(to: int) -> Iterator[tuple[int, threading.Event]]:
    """A port of loopback that leads to another; while it hangs, whoever is connected hears nothing any more."""
    hanging, over = threading.Event(), threading.Event()

    def carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while (data := one.recv(65536)) and not over.is_set():
                if hanging.is_set():
                    over.wait()
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", to))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], hanging
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


def test_the_copy_has_no_more_than_an_answer_needs(pair: tuple[Machine, Machine]) -> None:
    here, _ = pair
    digest = passwords.hashed("x" * 12)
    here.make(
        "a", title="a-title", notes="some-notes", campaign="a-campaign", tags=("a-tag",), password=digest
    )
    here.soon(lambda: here.leads("a"))
    entry = here.directory.find("a")
    assert entry is not None
    assert entry.lock == lock.lock_key(digest)
    for path in here.data.glob(f"{NAME}*"):
        assert path.stat().st_mode & 0o777 == 0o600
        for word in (b"a-title", b"some-notes", b"a-campaign", b"a-tag", b"argon2", b"Owner"):
            assert word not in path.read_bytes()


def test_a_copy_that_is_damaged_or_another_s_is_made_anew(
    tmp_path: Path, databases: Databases, postgres_url: str
) -> None:
    first = Machine(tmp_path, postgres_url)
    first.make("a")
    first.soon(lambda: first.leads("a"))
    first.close()
    with closing(sqlite3.connect(tmp_path / NAME)) as copy:
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (tmp_path / NAME).write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    again = Machine(tmp_path, postgres_url)
    assert again.leads("a")
    again.close()
    other = databases.migrated()
    elsewhere = Machine(tmp_path, other)
    assert elsewhere.leads("a") is None
    elsewhere.close()


def test_a_database_that_was_put_back_is_looked_through_again(tmp_path: Path, postgres_url: str) -> None:
    """As after a restore: its journal is not the one that was read, whatever its numbers are."""
    machine = Machine(tmp_path, postgres_url)
    for code in ("kept", "gone", "other"):
        machine.make(code)
    machine.soon(lambda: machine.leads("other"))
    machine.follower.stop()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DELETE FROM link_changes")
        connection.execute("DELETE FROM links WHERE code = 'gone'")
        connection.execute("UPDATE links SET url = 'https://example.com/old' WHERE code = 'other'")
    machine.follower = Follower(tmp_path, postgres_url)
    machine.follower.once()
    assert machine.leads("kept")
    assert machine.leads("gone") is None
    assert machine.leads("other") == "https://example.com/old"
    machine.close()


def test_many_links_are_copied_in_parts(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST", 3)
    machine = Machine(tmp_path, postgres_url, follows=False)
    for number in range(40):
        machine.make(f"n{number}")
    machine.follower.once()
    assert all(machine.leads(f"n{number}") for number in range(40))
    machine.end("n7")
    with machine.links.writing() as session:
        for number in range(10):
            links.change(session, links.find(session, 1, f"n{number + 20}"), {"url": "https://example.com/2"})
        session.execute(text("DELETE FROM links WHERE code = 'n9'"))  # unsaid: found by comparing only
    machine.follower.once()
    assert machine.leads("n7") is None
    assert machine.leads("n29") == "https://example.com/2"
    assert machine.leads("n9")
    machine.close()


def test_one_process_of_a_machine_follows_and_another_takes_over(tmp_path: Path, postgres_url: str) -> None:
    machine = Machine(tmp_path, postgres_url)
    second = Follower(tmp_path, postgres_url)
    second.start()
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    machine.make("a")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        machine.links.close()  # PostgreSQL ends its process a moment later
        machine.soon(lambda: connection.execute(others).fetchone() == (1,), within=3)
    machine.follower.stop()
    machine.make("b")
    machine.soon(lambda: machine.leads("b"), within=3)
    second.stop()
    machine.close()
