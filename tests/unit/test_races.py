"""Several at the same moment, on either database: what may happen once happens once, and no limit is passed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem
from clickatlas.links import domains, keys, letters, links, members, plans, receipts
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Campaign, Link, LinkChange, Membership, Person, Workspace

AT_ONCE = 8


@pytest.fixture
def machines(tmp_path: Path, database_url: str) -> Iterator[list[LinksDatabase]]:
    """Two machines with PostgreSQL, two processes of one with SQLite."""
    folders = [tmp_path / name for name in "ab"] if database_url else [tmp_path, tmp_path]
    opened = [LinksDatabase(folder, database_url) for folder in folders]
    opened[0].migrate()
    yield opened
    for one in opened:
        one.close()


def race(machines: list[LinksDatabase], do: Callable[[Session, int], Any], many: int = AT_ONCE) -> list[Any]:
    """What `do` returns for each of `many` threads that begin together, or the `Problem` that it raises."""
    begin, found = threading.Barrier(many), list[Any]()

    def one(number: int) -> None:
        begin.wait()
        try:
            with machines[number % 2].writing() as session:
                result = do(session, number)
        except Problem as problem:
            result = problem
        found.append(result)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == many, "one died of something else"
    return found


def room(machines: list[LinksDatabase]) -> tuple[int, int]:
    with machines[0].writing() as session:
        return keys.owner(session)


def draft(code: str | None = None, campaign: str | None = None) -> links.LinkDraft:
    return links.LinkDraft(url="https://example.com/", code=code, campaign=campaign)


def count(machines: list[LinksDatabase], what: Any) -> int:
    with machines[1].reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def won(found: list[Any]) -> list[Any]:
    return [one for one in found if not isinstance(one, Problem) and one is not None]


def test_an_installation_has_one_owner(machines: list[LinksDatabase]) -> None:
    assert len(set(race(machines, lambda session, _: keys.owner(session)))) == 1
    assert count(machines, Workspace) == count(machines, Person) == 1


def test_a_plan_s_links_are_not_passed(machines: list[LinksDatabase]) -> None:
    workspace = room(machines)[1]
    plan = plans.PLANS[plans.FREE]._replace(links_per_month=3)

    def make(session: Session, _: int) -> int:
        plans.refuse_link(session, workspace, plan)
        return links.create(session, workspace, draft()).id

    assert len(won(race(machines, make))) == count(machines, Link) == 3


def test_a_code_is_one_link_s_and_a_campaign_is_made_once(machines: list[LinksDatabase]) -> None:
    workspace = room(machines)[1]
    found = race(machines, lambda session, _: links.create(session, workspace, draft("same", "c")).id)
    assert len(won(found)) == 1
    assert {one.status for one in found if isinstance(one, Problem)} == {409}
    race(machines, lambda session, n: links.create(session, workspace, draft(f"n{n}", "new")).id)
    assert count(machines, Campaign) == 2
    assert count(machines, Link) == 1 + AT_ONCE


def test_a_request_sent_twice_at_once_is_done_once(machines: list[LinksDatabase]) -> None:
    workspace = room(machines)[1]

    def ask(session: Session, _: int) -> str:
        if (before := receipts.answered(session, workspace, "key", {"a": 1})) is not None:
            return str(before["code"])
        made = links.create(session, workspace, draft()).code
        receipts.keep(session, workspace, "key", {"a": 1}, {"code": made})
        return made

    assert len(set(race(machines, ask))) == count(machines, Link) == 1


def test_letters_and_sign_in_links_are_good_for_one(machines: list[LinksDatabase]) -> None:
    person, workspace = room(machines)
    with machines[0].writing() as session:
        _, letter = letters.invite(session, workspace, person, "ann@example.com", "editor")
        link = keys.issue(session, keys.SIGN_IN, person, workspace, lasts=keys.SIGN_IN_LASTS)
    assert len(won(race(machines, lambda session, _: letters.use(session, letter).email))) == 1
    assert len(won(race(machines, lambda session, _: keys.redeem(session, link)))) == 1


def test_invitations_stop_at_their_most(
    machines: list[LinksDatabase], monkeypatch: pytest.MonkeyPatch
) -> None:
    person, workspace = room(machines)
    monkeypatch.setattr(letters, "MOST", 2)
    sent = race(
        machines,
        lambda session, n: letters.invite(session, workspace, person, f"a{n}@example.com", "editor")[1],
    )
    assert len(won(sent)) == 2


def test_a_workspace_keeps_an_owner_whoever_leaves(machines: list[LinksDatabase]) -> None:
    first, workspace = room(machines)
    with machines[0].writing() as session:
        others = [Person(name=f"p{n}") for n in range(AT_ONCE - 1)]
        session.add_all(others)
        session.flush()
        owners = [first, *(other.id for other in others)]
        for owner in owners[1:]:
            session.add(Membership(person_id=owner, workspace_id=workspace, role="owner"))
    race(machines, lambda session, n: members.remove(session, workspace, owners[n]))
    assert count(machines, Membership) == 1


def test_a_domain_is_held_by_one(machines: list[LinksDatabase]) -> None:
    with machines[0].writing() as session:
        rooms = [Workspace(name=f"w{n}") for n in range(AT_ONCE)]
        session.add_all(rooms)
        session.flush()
        ours = [domains.add(session, one.id, "go.example.com", "http://a.example").id for one in rooms]

    def prove(session: Session, number: int) -> bool:
        found = session.get_one(domains.Domain, ours[number])
        domains.judge(session, found, domains.Verdict(True, frozenset(), "", True))
        return True

    assert len(won(race(machines, prove))) == AT_ONCE
    with machines[1].reading() as session:
        assert len(domains.held(session)) == 1


def test_who_reads_the_journal_on_from_where_it_was_misses_nothing(machines: list[LinksDatabase]) -> None:
    """A number that is drawn early and committed late would be passed by, and a redirect stay as it was for ever."""
    workspace = room(machines)[1]
    seen, at, over = list[str](), 0, threading.Event()

    def look() -> None:
        nonlocal at
        with machines[1].reading() as session:
            rows = session.execute(
                select(LinkChange.id, LinkChange.code).where(LinkChange.id > at).order_by(LinkChange.id)
            )
            for number, code in rows:
                at = number
                seen.append(code)

    def follow() -> None:
        while not over.is_set():
            look()

    def write(session: Session, number: int) -> None:
        for part in range(5):
            session.add(LinkChange(link_id=workspace, code=f"{number}-{part}"))
            session.flush()
            time.sleep(random.random() / 100)

    following = threading.Thread(target=follow)
    following.start()
    race(machines, write)
    over.set()
    following.join()
    look()
    assert len(seen) == len(set(seen)) == AT_ONCE * 5


def test_a_change_that_fails_leaves_nothing_of_itself(machines: list[LinksDatabase]) -> None:
    workspace = room(machines)[1]

    def fail(session: Session, _: int) -> None:
        links.create(session, workspace, draft("half"))
        raise Problem(409, "Conflict", "after the link was made")

    race(machines, fail)
    assert count(machines, Link) == count(machines, LinkChange) == 0
