"""Whose account it is, when an identity provider says who has come.

Afterwards they are known by issuer and subject: addresses change hands. The first time it is the address that joins
them to an account, and only one that the provider has verified. Whoever may have had that account before then loses
password and sessions: an account can be made for somebody else's address, by who copied an invitation's link, and
would be waiting for them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clickatlas.errors import conflict, not_found
from clickatlas.links import audit, letters, members, passwords, proof
from clickatlas.links.models import Identity, Letter, Membership, Person, now
from clickatlas.links.secret import digest_of


class Why(StrEnum):
    """Why somebody doesn't come in; the page has words for each."""

    AWAY = "away"  # the provider can't be asked, or answers nonsense
    CANCELLED = "cancelled"  # by them, at the provider
    LOST = "lost"  # too late, or another browser's
    REFUSED = "refused"  # by the provider, or what it says won't do
    UNVERIFIED = "unverified"  # no address that the provider vouches for
    DOMAIN = "domain"  # an address outside of the domains that are let in
    UNINVITED = "uninvited"
    CLOSED = "closed"
    TAKEN = "taken"  # that address's account is another's at the same provider


class TurnedAway(Exception):
    """Somebody doesn't come in: why, for them; the words are for the log, and hold no secret."""

    def __init__(self, why: Why, words: str = "") -> None:
        super().__init__(words or why.value)
        self.why = why


class Arrival(NamedTuple):
    """Who has come, as a provider says. `email` is verified, or None."""

    issuer: str
    subject: str
    email: str | None
    name: str


class Entered(NamedTuple):
    """Whose account it is, and what ended as they were joined to it."""

    person: int
    ended: list[int]  # numbers of keys
    had_password: bool


def enter(session: Session, who: Arrival, *, sign_up: str, strangers: bool) -> Entered:
    """Whose account `who` comes into; made, where `sign_up` lets them and `strangers` get one. Raises `TurnedAway`."""
    identity = session.get(Identity, (who.issuer, who.subject))
    if identity is not None and _is_somewhere(session, identity.person_id):
        return Entered(identity.person_id, [], had_password=False)
    if who.email is None:
        raise TurnedAway(Why.UNVERIFIED)
    known = letters.has_account(session, who.email) if identity is None else None
    if known is not None:
        return _join(session, who, known)
    return _begin(session, who, identity, sign_up, strangers)


def of(session: Session, person: int) -> list[Identity]:
    """As whom identity providers know a person, the oldest first."""
    mine = select(Identity).where(Identity.person_id == person)
    return list(session.scalars(mine.order_by(Identity.created_at, Identity.issuer)))


def name_of(identity: Identity) -> str:
    """What an identity is called in an address: it tells nobody issuer and subject."""
    return digest_of(f"{identity.issuer}\n{identity.subject}")[:32]


def part(session: Session, person: int, name: str, *, issuer: str | None, by_mail: bool) -> Identity:
    """Let go of an identity, but not of the last way in; raises `Problem` (404, 409).

    `issuer` is the provider that people come by now: another's identities open nothing. `by_mail`: whether who has an
    address can come in by it.
    """
    mine = of(session, person)
    found = next((one for one in mine if name_of(one) == name), None)
    if found is None:
        raise not_found("You have no such identity.", remedy="GET /api/profile/identities lists yours.")
    others = any(one.issuer == issuer for one in mine if one is not found)
    mailed = by_mail and session.get_one(Person, person).email is not None
    if found.issuer == issuer and not (others or mailed or passwords.stored_for(session, person)):
        raise conflict("This is your only way in.", "Set a password first.")
    session.delete(found)
    session.flush()
    for place in members.places(session, person):
        audit.record(session, place.workspace.id, person, "identity.part", found.issuer)
    return found


def _join(session: Session, who: Arrival, person: Person) -> Entered:
    other = select(Identity).where(Identity.issuer == who.issuer, Identity.person_id == person.id)
    if session.scalar(other.limit(1)) is not None:
        raise TurnedAway(Why.TAKEN)
    session.add(Identity(issuer=who.issuer, subject=who.subject, person_id=person.id))
    ended, had_password = _shut(session, person)
    for place in members.places(session, person.id):
        audit.record(session, place.workspace.id, person.id, "identity.join", who.issuer)
    return Entered(person.id, ended, had_password)


def _begin(
    session: Session, who: Arrival, identity: Identity | None, sign_up: str, strangers: bool
) -> Entered:
    """Somebody who is in no workspace: into the one that invited them last, else into one of their own."""
    assert who.email is not None
    if sign_up == "closed" or not strangers:
        raise TurnedAway(Why.CLOSED)
    invitation = session.scalar(
        select(Letter)
        .where(Letter.kind == letters.INVITATION, Letter.email == who.email, Letter.expires_at > now())
        .order_by(Letter.id.desc())
        .limit(1)
    )
    if invitation is None and sign_up != "open":
        raise TurnedAway(Why.UNINVITED)
    ended: list[int] = []
    if identity is not None:
        person = session.get_one(Person, identity.person_id)
    else:
        # Who was in a workspace once: the log knows them, and nobody else gets in by what they had.
        person = passwords.person_of(session, who.email) or Person(name="")
        if person.id is None:
            passwords.set_email(session, person, who.email)
            session.add(person)
            session.flush()
        ended, _ = _shut(session, person)
        session.execute(delete(Identity).where(Identity.person_id == person.id))
        session.add(Identity(issuer=who.issuer, subject=who.subject, person_id=person.id))
    person.name = person.name or who.name
    if invitation is not None and invitation.workspace_id is not None:
        workspace, role = invitation.workspace_id, invitation.role
        session.add(Membership(person_id=person.id, workspace_id=workspace, role=role))
        session.delete(invitation)
        audit.record(session, workspace, person.id, "invitation.accept", who.email, detail=role)
    else:
        made = members.make_workspace(session, person.id, f"{who.name[:80]}\u2019s workspace")
        audit.record(session, made.id, person.id, "person.create", who.email, detail="owner")
    session.flush()
    return Entered(person.id, ended, had_password=False)


def _shut(session: Session, person: Person) -> tuple[list[int], bool]:
    """End what else opened an account; returns the keys' numbers, and whether there was a password."""
    ended, had_before = proof.prove(session, person)
    had_password, more = proof.shut(session, person.id)
    return ended + more, had_before or had_password


def _is_somewhere(session: Session, person: int) -> bool:
    return session.scalar(select(Membership.role).where(Membership.person_id == person).limit(1)) is not None
