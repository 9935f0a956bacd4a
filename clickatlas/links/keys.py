"""Secrets that open a workspace: API tokens, sessions and one-time sign-in links, stored hashed."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clickatlas.links.models import Key, Membership, Person, Workspace, now

TOKEN, SESSION, SIGN_IN = "token", "session", "sign-in"
SIGN_IN_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Caller:
    """Who asks, and in which workspace."""

    workspace: int
    workspace_name: str
    person: int
    person_name: str
    email: str | None
    role: str


def issue(
    session: Session,
    kind: str,
    person: int,
    workspace: int,
    *,
    name: str = "",
    lasts: timedelta | None = None,
) -> str:
    """A new secret, to be shown once: 256 random bits. Only its SHA-256 is kept."""
    prefix = {TOKEN: "cat_", SESSION: "cas_", SIGN_IN: ""}[kind]
    secret = prefix + secrets.token_urlsafe(32)
    session.add(
        Key(
            kind=kind,
            name=name,
            digest=_digest(secret),
            person_id=person,
            workspace_id=workspace,
            expires_at=now() + lasts if lasts else None,
        )
    )
    return secret


def caller(session: Session, kind: str, secret: str) -> Caller | None:
    """Whom `secret` stands for; None where it is unknown or has run out."""
    row = session.execute(
        select(Key, Workspace, Person, Membership)
        .join(Workspace, Workspace.id == Key.workspace_id)
        .join(Person, Person.id == Key.person_id)
        .join(
            Membership,
            (Membership.person_id == Key.person_id) & (Membership.workspace_id == Key.workspace_id),
        )
        .where(Key.digest == _digest(secret), Key.kind == kind)
    ).one_or_none()
    if row is None or _expired(row[0].expires_at):
        return None
    _key, workspace, person, membership = row
    return Caller(workspace.id, workspace.name, person.id, person.name, person.email, membership.role)


def redeem(session: Session, secret: str, *, lasts: timedelta) -> str | None:
    """A session's secret for a one-time sign-in secret, which is used up; None where it is no good."""
    used = session.execute(
        delete(Key)
        .where(Key.digest == _digest(secret), Key.kind == SIGN_IN)
        .returning(Key.person_id, Key.workspace_id, Key.expires_at)
    ).one_or_none()
    session.execute(delete(Key).where(Key.expires_at < now()))
    if used is None or _expired(used.expires_at):
        return None
    return issue(session, SESSION, used.person_id, used.workspace_id, lasts=lasts)


def revoke(session: Session, secret: str) -> None:
    """Forget a secret."""
    session.execute(delete(Key).where(Key.digest == _digest(secret)))


def owner(session: Session) -> tuple[int, int]:
    """(person, workspace) of the installation's owner; both are made where there is none yet."""
    membership = session.scalars(
        select(Membership).where(Membership.role == "owner").order_by(Membership.workspace_id).limit(1)
    ).one_or_none()
    if membership is None:
        person, workspace = Person(name="Owner"), Workspace(name="My workspace")
        session.add_all([person, workspace])
        session.flush()
        membership = Membership(person_id=person.id, workspace_id=workspace.id, role="owner")
        session.add(membership)
        session.flush()
    return membership.person_id, membership.workspace_id


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _expired(moment: datetime | None) -> bool:
    return moment is not None and moment <= now()
