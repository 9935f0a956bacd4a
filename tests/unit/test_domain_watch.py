"""Verified domains are looked at again by real DNS: lost after three days elsewhere, and not for less."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from clickatlas.api.domain_watch import DomainWatch
from clickatlas.api.house import House
from clickatlas.links import domains, keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import AuditEntry, Delivery, Domain, Person, Webhook, now
from clickatlas.settings import load
from tests.name_server import NameServer, name_server

NAME = "go.example.com"


class Office:
    """A workspace with a verified domain that leads here, a webhook that hears of it, and a post that keeps letters."""

    def __init__(self, folder: Path, names: NameServer) -> None:
        self.links = LinksDatabase(folder)
        self.links.migrate()
        self.names, self.clock, self.letters = names, now(), []
        with self.links.writing() as session:
            person, workspace = keys.owner(session)
            session.get_one(Person, person).email = "ann@example.com"
            session.add(
                Webhook(workspace_id=workspace, url="http://x.example", events="domain.lost", secret="s")
            )
            made = domains.add(session, workspace, NAME, "https://links.example")
            domains.judge(session, made, domains.Verdict(True, frozenset(), "", True))
        flags = {
            "data": folder,
            "public_url": "https://links.example",
            "dns_servers": f"127.0.0.1:{names.port}",
        }
        settings = load(flags)
        post = SimpleNamespace(is_set=True, sender="links@example.com", deliver_later=self.letters.append)
        house = SimpleNamespace(links=self.links, settings=settings, post=post)
        self.watch = DomainWatch(cast("House", house), lambda: self.clock)

    letters: list[Any]
    clock: datetime

    def days(self, *values: str) -> list[list[str]]:
        """A look each day, with these addresses: what was lost each time."""
        found = []
        for value in values:
            self.names.broken = value == "broken"
            self.names.says(NAME, "A", *([value] if "." in value else []))
            self.clock += timedelta(hours=26)
            found.append(self.watch.round())
        return found

    @property
    def domain(self) -> Domain:
        with self.links.reading() as session:
            return session.scalars(select(Domain)).one()

    def may_have_a_certificate(self) -> bool:
        with self.links.reading() as session:
            return domains.is_held(session, NAME)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with name_server() as names:
        names.says("links.example", "A", "192.0.2.1")
        made = Office(tmp_path, names)
        yield made
        made.links.close()


def test_a_domain_is_lost_after_three_days_elsewhere_and_told_once(office: Office) -> None:
    elsewhere = "192.0.2.9"
    assert office.days("192.0.2.1", elsewhere, elsewhere) == [[], [], []]
    assert office.may_have_a_certificate()
    assert office.days("broken", elsewhere, elsewhere) == [[], [NAME], []]
    lost = office.domain
    assert lost.lost_at
    assert lost.verified_at  # its links go on
    assert "leads to 192.0.2.9" in lost.problem
    assert not office.may_have_a_certificate()
    with office.links.reading() as session:
        (told,) = session.scalars(select(Delivery))
        assert f'"domain":"{NAME}"' in told.body
        assert "domain.lost" in session.scalars(select(AuditEntry.action)).all()
    (letter,) = office.letters
    assert letter["to"] == "ann@example.com"
    assert NAME in letter["subject"]
    assert office.days("192.0.2.1") == [[]]
    assert office.domain.lost_at is None
    assert office.may_have_a_certificate()


def test_a_day_that_is_mended_and_a_proxy_of_ones_own_lose_nothing(office: Office) -> None:
    assert office.days("192.0.2.9", "192.0.2.9", "192.0.2.1", "192.0.2.9", "192.0.2.9") == [[]] * 5
    with office.links.writing() as session:
        found = session.scalars(select(Domain)).one()
        found.points_here, found.astray = False, 0  # as it was when it was verified behind a CDN
    assert office.days(*["192.0.2.9"] * 5) == [[]] * 5


def test_a_domain_is_looked_at_once_a_day(office: Office) -> None:
    office.names.says(NAME, "A", "192.0.2.9")
    for _ in range(40):  # half an hour each
        office.clock += timedelta(minutes=30)
        office.watch.round()
    assert office.domain.astray == 0
    for _ in range(12):
        office.clock += timedelta(minutes=30)
        office.watch.round()
    assert office.domain.astray == 1
    with office.links.writing() as session:  # pressed again and again, it is no day
        for _ in range(5):
            domains.judge(
                session,
                session.scalars(select(Domain)).one(),
                domains.Verdict(True, frozenset(), "", False),
            )
    assert office.domain.astray == 1
