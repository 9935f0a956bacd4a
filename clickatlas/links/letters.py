"""Secrets that go to an e-mail address: invitations, accounts begun and addresses to be confirmed.

Made and looked up as `keys` are: 256 random bits, kept as a SHA-256, single use.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem, conflict
from clickatlas.links import passwords
from clickatlas.links.models import Letter, Membership, Person, now
from clickatlas.links.secret import digest_of

INVITATION, SIGN_UP, ADDRESS = "invitation", "sign-up", "address"
LASTS = {INVITATION: timedelta(days=7), SIGN_UP: timedelta(hours=2), ADDRESS: timedelta(hours=2)}
MOST = 500  # invitations of a workspace at a time


def write(
    session: Session,
    kind: str,
    email: str,
    *,
    workspace: int | None = None,
    role: str = "",
    person: int | None = None,
) -> tuple[Letter, str]:
    """A letter and its secret, in place of the one before for the same purpose; raises `Problem` (422)."""
    address = passwords.address(email)
    session.execute(delete(Letter).where(Letter.expires_at < now()))
    before = delete(Letter).where(Letter.kind == kind)
    if kind == ADDRESS:
        before = before.where(Letter.person_id == person)
    else:
        before = before.where(Letter.email == address, Letter.workspace_id == workspace)
    session.execute(before)
    secret = secrets.token_urlsafe(32)
    made = Letter(
        kind=kind,
        digest=digest_of(secret),
        email=address,
        workspace_id=workspace,
        role=role,
        person_id=person,
        expires_at=now() + LASTS[kind],
    )
    session.add(made)
    session.flush()
    return made, secret


def invite(session: Session, workspace: int, by: int, email: str, role: str) -> tuple[Letter, str]:
    """An invitation of `email` to `workspace`, and its secret; raises `Problem` (409 for who is in it, 422)."""
    person = passwords.person_of(session, email)
    if person is not None and session.get(Membership, (person.id, workspace)) is not None:
        raise conflict("They are in this workspace already.", "Change their role instead.")
    waiting = select(func.count()).where(Letter.workspace_id == workspace, Letter.kind == INVITATION)
    if (session.scalar(waiting) or 0) >= MOST:
        raise conflict(f"{MOST} invitations wait for an answer.", "Revoke some.")
    return write(session, INVITATION, email, workspace=workspace, role=role, person=by)


def mailed(session: Session, invitation: Letter) -> str:
    """The secret of an invitation that goes to its address and to nobody else: who has it has the address."""
    secret = secrets.token_urlsafe(32)
    invitation.mailed = digest_of(secret)
    session.flush()
    return secret


def proves(found: Letter, secret: str) -> bool:
    """Whether who has this secret of a letter gets the mail of its address."""
    return found.kind != INVITATION or found.mailed == digest_of(secret)


def pending(session: Session, workspace: int) -> list[Letter]:
    """Invitations to `workspace` that can still be accepted, newest first."""
    return list(
        session.scalars(
            select(Letter)
            .where(Letter.workspace_id == workspace, Letter.kind == INVITATION, Letter.expires_at > now())
            .order_by(Letter.id.desc())
        )
    )


def read(session: Session, secret: str) -> Letter:
    """The letter of this secret, left as it is; raises `Problem` (404) where it holds no more."""
    digest = digest_of(secret)
    found = session.scalar(
        select(Letter).where(or_(Letter.digest == digest, Letter.mailed == digest), Letter.expires_at > now())
    )
    if found is None:
        raise _spent()
    return found


def use(session: Session, secret: str) -> Letter:
    """As `read`, and used up: of two at the same moment one gets it. Raises `Problem` (404)."""
    found = read(session, secret)
    session.refresh(found)
    gone = session.execute(delete(Letter).where(Letter.id == found.id).returning(Letter.id)).all()
    if not gone:
        raise _spent()
    session.expunge(found)
    return found


def has_account(session: Session, email: str) -> Person | None:
    """Whose address it is, where they are in a workspace: who is in none can't sign in, and may begin anew."""
    person = passwords.person_of(session, email)
    if (
        person is None
        or session.scalar(select(Membership.role).where(Membership.person_id == person.id).limit(1)) is None
    ):
        return None
    return person


def refuse_stranger(mode: str) -> None:
    """Raise `Problem` (403) where no letter makes an account (`sign_up` is closed)."""
    if mode == "closed":
        raise Problem(
            403,
            "Sign-up is closed",
            "Nobody of that address has an account, and accounts are made by the command line here.",
            remedy="An operator runs 'clickatlas person add'.",
        )


def _spent() -> Problem:
    return Problem(
        404,
        "That link holds no more",
        "It was used, revoked, replaced by a newer one, or is too old.",
        remedy="Ask for another one.",
    )
