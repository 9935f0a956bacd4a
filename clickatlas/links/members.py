"""Who is in a workspace, and as what. A workspace always keeps an owner."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem, not_found
from clickatlas.links import audit
from clickatlas.links.models import Key, Membership, Person, Workspace

MOST_WORKSPACES = 50  # of one person


class Member(NamedTuple):
    """Somebody in a workspace."""

    person: Person
    role: str


class Place(NamedTuple):
    """A workspace that somebody is in."""

    workspace: Workspace
    role: str


def members(session: Session, workspace: int) -> list[Member]:
    """Everybody in `workspace`, who came first first."""
    found = session.execute(
        select(Person, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.workspace_id == workspace)
        .order_by(Person.id)
    )
    return [Member(person, role) for person, role in found]


def places(session: Session, person: int) -> list[Place]:
    """The workspaces that a person is in, by name."""
    found = session.execute(
        select(Workspace, Membership.role)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.person_id == person)
        .order_by(Workspace.name, Workspace.id)
    )
    return [Place(workspace, role) for workspace, role in found]


def membership(session: Session, workspace: int, person: int) -> Membership:
    """That a person is in a workspace; raises `Problem` (404)."""
    found = session.get(Membership, (person, workspace))
    if found is None:
        raise not_found("There is nobody of that number here.", remedy="GET /api/people lists who is.")
    return found


def change_role(session: Session, workspace: int, person: int, role: str) -> list[int]:
    """Make somebody owner, editor or viewer; returns the numbers of their keys. Raises `Problem` (404, 409)."""
    found = membership(session, workspace, person)
    if found.role == "owner" and role != "owner":
        keep_an_owner(session, workspace, person)
    found.role = role
    return list(session.scalars(select(Key.id).where(Key.workspace_id == workspace, Key.person_id == person)))


def remove(session: Session, workspace: int, person: int) -> list[int]:
    """Take somebody out of `workspace`, with their keys to it; returns those keys' numbers.

    The person stays: the log goes on saying who did what. Raises `Problem` (404, 409).
    """
    found = membership(session, workspace, person)
    if found.role == "owner":
        keep_an_owner(session, workspace, person)
    session.delete(found)
    ended = delete(Key).where(Key.workspace_id == workspace, Key.person_id == person).returning(Key.id)
    return list(session.scalars(ended))


def keep_an_owner(session: Session, workspace: int, but: int) -> None:
    """Raise `Problem` (409) where nobody `but` that person owns `workspace`."""
    if not _other_owners(session, workspace, but):
        raise Problem(
            409,
            "The last owner",
            "A workspace needs an owner, and this is the last one.",
            remedy="Make somebody else an owner first, or delete the workspace.",
        )


def delete_person(session: Session, person: int) -> list[int]:
    """Delete somebody's account: keys, password, memberships; returns the keys' numbers.

    Raises `Problem` (409) where a workspace would be left without an owner: it says which, and what to do.
    """
    owned = [place.workspace for place in places(session, person) if place.role == "owner"]
    alone = [workspace.name for workspace in owned if not _other_owners(session, workspace.id, person)]
    if alone:
        named = ", ".join(f"\u201c{name}\u201d" for name in alone[:5]) + (
            " and more" if len(alone) > 5 else ""
        )
        raise Problem(
            409,
            "The last owner",
            f"You are the last owner of {named}.",
            remedy="Make somebody else an owner there, or delete the workspace with all that is in it. Then come back.",
            extra={"workspaces": alone},
        )
    ended = list(session.scalars(select(Key.id).where(Key.person_id == person)))
    for place in places(session, person):
        audit.record(session, place.workspace.id, person, "person.delete")
    session.flush()
    session.execute(delete(Person).where(Person.id == person))  # the rest goes with it
    return ended


def owns_any(session: Session, person: int) -> bool:
    """Whether somebody owns a workspace."""
    owned = select(Membership.role).where(Membership.person_id == person, Membership.role == "owner")
    return session.scalar(owned.limit(1)) is not None


def make_workspace(session: Session, person: int, name: str) -> Workspace:
    """A new workspace that `person` owns; raises `Problem` (409) where they are in too many."""
    if len(places(session, person)) >= MOST_WORKSPACES:
        raise Problem(
            409, "Conflict", f"You are in {MOST_WORKSPACES} workspaces.", remedy="Leave or delete one first."
        )
    made = Workspace(name=name)
    session.add(made)
    session.flush()
    session.add(Membership(person_id=person, workspace_id=made.id, role="owner"))
    session.flush()
    return made


def _other_owners(session: Session, workspace: int, but: int) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                Membership.workspace_id == workspace,
                Membership.role == "owner",
                Membership.person_id != but,
            )
        )
        or 0
    )
