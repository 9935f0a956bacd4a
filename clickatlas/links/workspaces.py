"""Workspaces: deleted with everything in them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem, not_found
from clickatlas.links import audit, plans
from clickatlas.links.models import Domain, Key, Link, LinkChange, Membership, Person, Workspace
from clickatlas.links.ways import click_numbers

AT_ONCE = 500


class Deleted(NamedTuple):
    """What went with a workspace."""

    links: int
    people: int
    keys: frozenset[int]  # numbers of keys that open nothing any more


def named(session: Session, name: str) -> int:
    """The number of the workspace called `name`; raises `Problem` (404; 409 where several are)."""
    found = session.scalars(select(Workspace.id).where(Workspace.name == name)).all()
    if not found:
        known = ", ".join(session.scalars(select(Workspace.name).order_by(Workspace.name)))
        raise not_found(f"There is no workspace {name[:80]!r}.", remedy=f"There are: {known[:500]}.")
    if len(found) > 1:
        raise Problem(
            409, "Conflict", f"{len(found)} workspaces are called {name[:80]!r}.",
            remedy="Sign in to the one, and delete it with DELETE /api/workspace.",
        )  # fmt: skip
    return found[0]


def rows(session: Session) -> list[tuple[int, str, str | None]]:
    """Number, name and plan (None: the installation's) of every workspace."""
    found = session.execute(select(Workspace.id, Workspace.name, Workspace.plan).order_by(Workspace.id))
    return [
        (number, "".join(one if one.isprintable() else " " for one in name), plan)
        for number, name, plan in found
    ]


def set_plan(session: Session, which: str, plan: str) -> str:
    """Give the workspace of this name or number a plan; returns the one before. Raises `Problem` (404, 409)."""
    number = int(which) if which.isascii() and which.isdigit() and len(which) < 19 else 0
    found = session.get(Workspace, number) or session.get_one(Workspace, named(session, which))
    before = plans.change(session, found, plan)
    audit.record(session, found.id, None, "plan.change", plan, detail=f"was {before or 'the default'}")
    return before


def delete(session: Session, workspace: int) -> Deleted:
    """Delete `workspace`: links, campaigns, views, keys, memberships, its audit log, and whoever is in no other.

    The journal tells redirectors and the click store, which deletes the clicks.
    """
    links = session.execute(
        select(Link.id, Link.code, Link.ways_made).where(Link.workspace_id == workspace)
    ).all()
    for start in range(0, len(links), AT_ONCE):
        session.execute(
            insert(LinkChange),
            [
                {"link_id": number, "code": code, "deleted": True}
                for link, code, made in links[start : start + AT_ONCE]
                for number in click_numbers(link, made)
            ],
        )
    for name in session.scalars(select(Domain.name).where(Domain.workspace_id == workspace)):
        session.add(LinkChange(link_id=0, code=f"@{name}"))
    keys = frozenset(session.scalars(select(Key.id).where(Key.workspace_id == workspace)))
    members = set(session.scalars(select(Membership.person_id).where(Membership.workspace_id == workspace)))
    session.execute(sql_delete(Link).where(Link.workspace_id == workspace))
    session.execute(sql_delete(Workspace).where(Workspace.id == workspace))  # the rest goes with it
    elsewhere = set(session.scalars(select(Membership.person_id).where(Membership.person_id.in_(members))))
    gone = members - elsewhere
    session.execute(sql_delete(Person).where(Person.id.in_(gone)))
    return Deleted(len(links), len(gone), keys)
