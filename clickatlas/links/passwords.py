"""Passwords: which will do, and how they are kept (Argon2id). Hashing takes 20 MB and some 20 ms: never on an event loop.

Parameters are those of OWASP's Password Storage Cheat Sheet; which password will do is NIST SP 800-63B's: length counts,
kinds of characters don't, and none that everybody tries first.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem, invalid
from clickatlas.links.models import Password, Person, now

SHORTEST, LONGEST = 12, 1000  # characters
FEWEST_DIFFERENT = 5  # characters: less is a pattern of keys
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16)


def hashed(password: str) -> str:
    """`password` as Argon2id, with its salt and parameters, in the form that `fits` reads."""
    return _HASHER.hash(_bytes(password))


def fits(stored: str | None, password: str) -> bool:
    """Whether `password` is the stored one. Takes as long where nothing is stored: that tells nobody who has an account."""
    try:
        return _HASHER.verify(stored or _nobodys(), _bytes(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether a stored password was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def refuse_weak(password: str, *known: str | None, field: str = "new") -> None:
    """Raise `Problem` (422) where `password` won't do for a person of whom everybody knows `known` (name, e-mail)."""
    text = unicodedata.normalize("NFKC", password)
    if len(text) < SHORTEST:
        raise invalid(f"A password has at least {SHORTEST} characters.",
                      remedy="A few unrelated words are easy to remember.", field=field)  # fmt: skip
    if len(text) > LONGEST:
        raise invalid(
            f"A password has at most {LONGEST} characters.", remedy="Take a shorter one.", field=field
        )
    plain = text.casefold()
    theirs = {part.casefold() for word in known if word for part in (word, word.partition("@")[0])}
    if plain in _common() or len(set(plain)) < FEWEST_DIFFERENT or plain.strip("0123456789!?.-_ ") in theirs:
        raise invalid("That password is one of the first that anybody would try.",
                      remedy="Take one that nobody would guess: a few unrelated words, say.", field=field)  # fmt: skip


def stored_for(session: Session, person: int) -> str | None:
    """A person's stored password, where they have one."""
    return session.scalar(select(Password.digest).where(Password.person_id == person))


def store(session: Session, person: int, digest: str) -> None:
    """Keep a hashed password."""
    session.merge(Password(person_id=person, digest=digest, changed_at=now()))


def canonical(email: str) -> str:
    """An e-mail address as it is kept and looked up: people write theirs in either case."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def person_of(session: Session, email: str) -> Person | None:
    """Whose e-mail address this is."""
    return session.scalar(select(Person).where(Person.email == canonical(email)))


def address(email: str) -> str:
    """An e-mail address as it is kept; raises `Problem` (422) where it is none."""
    found = canonical(email)
    name, at, host = found.rpartition("@")
    odd = any(one in found for one in ' ,;:<>()[]"\\') or found.count("@") != 1
    if not (name and at and host) or len(found) > 320 or not found.isprintable() or odd:
        raise invalid("That is no e-mail address.", remedy="It looks like ann@example.com.", field="email")
    return found


def set_email(session: Session, person: Person, email: str) -> None:
    """Give a person an e-mail address; raises `Problem` (422; 409 where another has it)."""
    found = address(email)
    other = person_of(session, found)
    if other is not None and other.id != person.id:
        raise Problem(409, "Conflict", "Somebody else signs in with that address.", remedy="Take another.",
                      extra={"field": "email"})  # fmt: skip
    if person.email != found:
        person.email, person.proved_at = found, None


def prepare() -> None:
    """Make what the first sign-in would have to wait for."""
    _nobodys()
    _common()


@cache
def _nobodys() -> str:
    return _HASHER.hash(b"the password of nobody")


@cache
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _bytes(password: str) -> bytes:
    """NFKC: the same password, whichever keyboard it was typed on."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
