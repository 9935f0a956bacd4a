"""Secrets that open a workspace: API tokens, sessions and one-time sign-in links, stored hashed.

A secret is 256 random bits, found by its SHA-256. No comparison of secrets takes place that could be timed: the
database looks the digest up, and who tries secrets can't choose digests, so how long a look-up takes tells nothing
that leads to a right one. For the same reason no slow hash is needed: there is nothing to guess.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, joinedload

from clickatlas.links import plans
from clickatlas.links.models import Key, Membership, Person, Workspace, now
from clickatlas.links.roles import ADMIN, OPERATOR, ROLES, allowed
from clickatlas.links.secret import digest_of

TOKEN, SESSION, SIGN_IN = "token", "session", "sign-in"
MAILED = "by mail"  # the name of a sign-in link that goes to its person's address
SIGN_IN_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Caller:
    """Who asks, in which workspace, with which key, and what they may."""

    workspace: int
    workspace_name: str
    person: int
    person_name: str
    email: str | None
    role: str
    key: int
    kind: str
    may: frozenset[str]  # of roles.SCOPES
    used_on: date | None
    expires_at: datetime | None
    plan: str | None  # of the workspace; None: the installation's


def issue(
    session: Session,
    kind: str,
    person: int,
    workspace: int,
    *,
    name: str = "",
    lasts: timedelta | None = None,
    scopes: Iterable[str] = (ADMIN,),
) -> str:
    """A new secret, to be shown once: 256 random bits. Only its SHA-256 is kept.

    `scopes` are a token's; a session and a sign-in link may whatever their person may.
    """
    prefix = {TOKEN: "cat_", SESSION: "cas_", SIGN_IN: ""}[kind]
    secret = prefix + secrets.token_urlsafe(32)
    session.add(
        Key(
            kind=kind,
            name=name[:200],
            digest=digest_of(secret),
            person_id=person,
            workspace_id=workspace,
            scopes=" ".join(scopes) if kind == TOKEN else "",
            expires_at=now() + lasts if lasts else None,
        )
    )
    return secret


def caller(session: Session, kind: str, secret: str, *, idle_days: int = 0) -> Caller | None:
    """Whom `secret` stands for; None where it is unknown, has run out, or (a session) was not used for `idle_days`."""
    row = session.execute(
        select(Key, Workspace, Person, Membership)
        .join(Workspace, Workspace.id == Key.workspace_id)
        .join(Person, Person.id == Key.person_id)
        .join(
            Membership,
            (Membership.person_id == Key.person_id) & (Membership.workspace_id == Key.workspace_id),
        )
        .where(Key.digest == digest_of(secret), Key.kind == kind)
    ).one_or_none()
    if row is None or _expired(row[0].expires_at):
        return None
    key, workspace, person, membership = row
    if membership.role not in ROLES:
        return None
    if kind == SESSION and idle_days:
        last = key.used_on or key.created_at.date()
        if (now().date() - last).days > idle_days:
            return None
    return Caller(
        workspace=workspace.id,
        workspace_name=workspace.name,
        person=person.id,
        person_name=person.name,
        email=person.email,
        role=membership.role,
        key=key.id,
        kind=kind,
        may=allowed(membership.role, key.scopes.split() if kind == TOKEN else (ADMIN,)),
        used_on=key.used_on,
        expires_at=key.expires_at,
        plan=plans.UNLIMITED if OPERATOR in key.scopes.split() else workspace.plan,
    )


def used(session: Session, key: int) -> None:
    """Note that a key was used today."""
    session.execute(update(Key).where(Key.id == key).values(used_on=now().date()))


class Spent(NamedTuple):
    """A one-time sign-in secret that was used up."""

    person: int
    workspace: int
    mailed: bool  # it went to their address


def redeem(session: Session, secret: str) -> Spent | None:
    """Whom a one-time sign-in secret is for, which is used up; None where it is no good."""
    spent = session.execute(
        delete(Key)
        .where(Key.digest == digest_of(secret), Key.kind == SIGN_IN)
        .returning(Key.person_id, Key.workspace_id, Key.expires_at, Key.name)
    ).one_or_none()
    session.execute(delete(Key).where(Key.expires_at < now()))
    if spent is None or _expired(spent.expires_at):
        return None
    return Spent(spent.person_id, spent.workspace_id, spent.name == MAILED)


def listed(
    session: Session, kind: str, *, person: int | None = None, workspace: int | None = None
) -> list[Key]:
    """Keys of a kind that still open something, newest first: a person's, a workspace's, or both."""
    statement = (
        select(Key)
        .options(joinedload(Key.person))
        .where(Key.kind == kind, or_(Key.expires_at.is_(None), Key.expires_at > now()))
    )
    if person is not None:
        statement = statement.where(Key.person_id == person)
    if workspace is not None:
        statement = statement.where(Key.workspace_id == workspace)
    return list(session.scalars(statement.order_by(Key.id.desc())))


def revoke(session: Session, secret: str) -> list[int]:
    """Forget a secret; returns its key's number, if there was one."""
    return list(session.scalars(delete(Key).where(Key.digest == digest_of(secret)).returning(Key.id)))


def end(session: Session, key: int) -> None:
    """Forget the secret of this number."""
    session.execute(delete(Key).where(Key.id == key))


def end_sessions(session: Session, person: int, *, but: int | None = None) -> list[int]:
    """End a person's sessions and unused sign-in links in every workspace, `but` one; returns the numbers of the keys."""
    ended = delete(Key).where(Key.person_id == person, Key.kind.in_((SESSION, SIGN_IN)), Key.id != (but or 0))
    return list(session.scalars(ended.returning(Key.id)))


def owner(session: Session) -> tuple[int, int]:
    """(person, workspace) of the installation's owner; both are made where there is none yet."""
    membership = session.scalars(
        select(Membership)
        .where(Membership.role == "owner")
        .order_by(Membership.workspace_id, Membership.person_id)
        .limit(1)
    ).one_or_none()
    if membership is None:
        person, workspace = Person(name="Owner"), Workspace(name="My workspace")
        session.add_all([person, workspace])
        session.flush()
        membership = Membership(person_id=person.id, workspace_id=workspace.id, role="owner")
        session.add(membership)
        session.flush()
    return membership.person_id, membership.workspace_id


def _expired(moment: datetime | None) -> bool:
    return moment is not None and moment <= now()
