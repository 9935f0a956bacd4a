"""Whether an account's address is known to be its person's.

An account can be made for somebody else's address: by who copied an invitation's link. So the first time that somebody
shows that the address is theirs, what opened the account until then ends: password, sessions, API tokens.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete
from sqlalchemy.orm import Session

from clickatlas.links import audit, keys, members
from clickatlas.links.models import Key, Password, Person, now


class Shut(NamedTuple):
    """What opens an account no longer."""

    ended: list[int]  # numbers of keys
    had_password: bool


def prove(session: Session, person: Person) -> Shut:
    """Note that `person`'s address is theirs. Where that wasn't known, whatever opened the account ends."""
    if person.proved_at is not None:
        return Shut([], had_password=False)
    person.proved_at = now()
    had_password, ended = shut(session, person.id)
    tokens = delete(Key).where(Key.person_id == person.id, Key.kind == keys.TOKEN).returning(Key.id)
    ended += session.scalars(tokens).all()
    if had_password or ended:
        for place in members.places(session, person.id):
            audit.record(session, place.workspace.id, person.id, "profile.prove", person.email or "")
    return Shut(ended, had_password)


def shut(session: Session, person: int) -> tuple[bool, list[int]]:
    """End somebody's password, sessions and unused sign-in links; whether there was one, and the keys' numbers."""
    gone = delete(Password).where(Password.person_id == person).returning(Password.person_id)
    had_password = bool(session.scalars(gone).all())
    return had_password, keys.end_sessions(session, person)
