"""People and their tokens, as the command line sees to them. Whoever may use it on this machine may do everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.errors import not_found
from clickatlas.links import audit, keys, passwords
from clickatlas.links.models import Membership, Password, Person, now


def find(session: Session, who: str) -> Person:
    """Somebody by e-mail address or number; raises `Problem` (404)."""
    person = session.get(Person, int(who)) if who.isascii() and who.isdigit() and len(who) < 19 else None
    if person is None:
        person = passwords.person_of(session, who)
    if person is None:
        raise not_found(
            f"There is nobody called {who!r}.", remedy="'clickatlas person list' shows who there is."
        )
    return person


def home(session: Session, who: str) -> tuple[int, int]:
    """(person, workspace) of somebody; raises `Problem` (404)."""
    person = find(session, who)
    workspace = session.scalar(
        select(Membership.workspace_id)
        .where(Membership.person_id == person.id)
        .order_by(Membership.workspace_id)
        .limit(1)
    )
    if workspace is None:
        raise not_found(f"{person.name} is in no workspace.", remedy="'clickatlas person add' adds people.")
    return person.id, workspace


def add(session: Session, email: str, name: str, role: str) -> Person:
    """Somebody new in the installation's first workspace; raises `Problem` (409, 422)."""
    _owner, workspace = keys.owner(session)
    person = Person(name=name.strip() or email.strip().partition("@")[0])
    passwords.set_email(session, person, email)
    person.proved_at = now()  # so says whoever runs this
    session.add(person)
    session.flush()
    session.add(Membership(person_id=person.id, workspace_id=workspace, role=role))
    audit.record(session, workspace, person.id, "person.create", f"{person.email} ({role})")
    return person


def set_password(session: Session, who: str, password: str, email: str | None = None) -> str:
    """Give somebody a password, and an address where they have none; returns what they sign in with.

    Their sessions and sign-in links end. Raises `Problem` (404, 409, 422).
    """
    person = find(session, who)
    if email and not person.email:
        passwords.set_email(session, person, email)
    if not person.email:
        raise not_found(
            f"{person.name} has no e-mail address to sign in with.", remedy="Give one with --email."
        )
    passwords.refuse_weak(password, person.name, person.email)
    passwords.store(session, person.id, passwords.hashed(password))
    keys.end_sessions(session, person.id)
    for membership in session.scalars(select(Membership).where(Membership.person_id == person.id)):
        audit.record(session, membership.workspace_id, person.id, "password.change")
    return person.email


def rows(session: Session) -> Iterator[tuple[str, ...]]:
    """Number, name, e-mail address, role and whether there is a password, of everybody in every workspace."""
    keys.owner(session)
    found = session.execute(
        select(Person, Membership.role, Password.changed_at)
        .join(Membership, Membership.person_id == Person.id)
        .outerjoin(Password, Password.person_id == Person.id)
        .order_by(Person.id, Membership.workspace_id)
    )
    for person, role, changed in found:
        secret = f"password of {changed:%Y-%m-%d}" if changed else "no password"
        yield str(person.id), _one_line(person.name), person.email or "-", role, secret


def make_token(
    session: Session, name: str, scopes: Iterable[str], expires_days: int | None, who: str | None
) -> str:
    """A new token's secret; raises `Problem` (404)."""
    person, workspace = home(session, who) if who else keys.owner(session)
    lasts = timedelta(days=expires_days) if expires_days else None
    audit.record(session, workspace, person, "token.create", name)
    return keys.issue(session, keys.TOKEN, person, workspace, name=name, lasts=lasts, scopes=scopes)


def token_rows(session: Session) -> Iterator[tuple[str, ...]]:
    """Number, name, scopes, whose, when made, when it ends and last used, of every token."""
    for key in keys.listed(session, keys.TOKEN):
        ends = f"ends {key.expires_at:%Y-%m-%d}" if key.expires_at else "never ends"
        last = f"used {key.used_on:%Y-%m-%d}" if key.used_on else "never used"
        made = f"made {key.created_at:%Y-%m-%d}"
        yield str(key.id), _one_line(key.name), key.scopes, _one_line(key.person.name), made, ends, last


def end_token(session: Session, number: int) -> str:
    """End a token; returns its name. Raises `Problem` (404)."""
    for key in keys.listed(session, keys.TOKEN):
        if key.id == number:
            audit.record(session, key.workspace_id, key.person_id, "token.delete", key.name)
            keys.end(session, number)
            return _one_line(key.name)
    raise not_found(f"There is no token {number}.", remedy="'clickatlas token list' shows them.")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
