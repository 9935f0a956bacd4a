"""What a letter's link opens: an invitation, a new account, or a new address. Looked at first, then accepted."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from clickatlas.api.armour import address_of
from clickatlas.api.caller import Callers, HouseDep, cookie_of, from_own_page
from clickatlas.api.entry import entered, new_session
from clickatlas.api.hashing import Hashing
from clickatlas.api.house import House
from clickatlas.api.limits import network_of
from clickatlas.errors import Problem, conflict, invalid
from clickatlas.links import audit, keys, letters, members, passwords
from clickatlas.links.keys import Caller
from clickatlas.links.models import Letter, Membership, Person, now
from clickatlas.mail import texts
from clickatlas.mail.letter import letter

router = APIRouter(prefix="/api/letters", tags=["session"])
Token = Annotated[str, Field(max_length=200)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class LetterIn(BaseModel):
    """A letter's secret."""

    model_config = ConfigDict(extra="forbid")
    token: Token


class LetterOut(BaseModel):
    """What a letter is about."""

    kind: Literal["invitation", "sign-up", "address"]
    email: str
    workspace: str | None = Field(description="To which it invites.")
    role: str | None
    invited_by: str | None
    has_account: bool = Field(description="Whether one has to sign in with that address to accept it.")


class Acceptance(BaseModel):
    """A letter's secret, and who one is where one has no account yet."""

    model_config = ConfigDict(extra="forbid")
    token: Token
    name: Name | None = None
    password: Annotated[str, Field(max_length=passwords.LONGEST)] | None = None
    workspace: Name | None = Field(None, description="What to call a new account's workspace.")


@router.post("/read")
def read(given: LetterIn, request: Request, opened: HouseDep) -> LetterOut:
    """What the link of a letter is about. It is not spent by this."""
    from_own_page(request, opened.settings)
    callers: Callers = request.app.state.callers
    network = network_of(address_of(request))
    callers.guesses.take(network)
    with opened.links.reading() as database:
        found = letters.read(database, given.token)
        known = letters.has_account(database, found.email) is not None
    callers.guesses.give(network)
    return LetterOut.model_validate(
        {
            "kind": found.kind,
            "email": found.email,
            "workspace": found.workspace.name if found.workspace else None,
            "role": found.role or None,
            "invited_by": found.person.name if found.person and found.kind == letters.INVITATION else None,
            "has_account": known or found.kind == letters.ADDRESS,
        }
    )


@router.post("/accept", status_code=204)
async def accept(given: Acceptance, request: Request, opened: HouseDep) -> Response:
    """Accept an invitation, finish an account, or confirm an address: then one is signed in. The link is spent.

    Who has an account signs in with the letter's address first; others give a name and a password.
    """
    from_own_page(request, opened.settings)
    callers: Callers = request.app.state.callers
    hashing: Hashing = request.app.state.hashing
    network = network_of(address_of(request))
    callers.guesses.take(network)
    who, found, known = await run_in_threadpool(_situation, given, request, opened)
    callers.guesses.give(network)
    digest = None
    if found.kind == letters.ADDRESS or known is not None:
        _the_right_one(who, found, known)
    else:
        letters.refuse_stranger(opened.settings.sign_up)
        _complete(given, found)
        passwords.refuse_weak(given.password or "", given.name, found.email, field="password")
        digest = await hashing.run(lambda: passwords.hashed(given.password or ""))

    def join() -> str | None:
        with opened.links.writing() as database:
            letter_ = letters.use(database, given.token)
            if letter_.kind == letters.ADDRESS:
                assert who is not None
                workspace = who.workspace
                person = database.get_one(Person, who.person)
                _change_address(database, opened, who, person, letter_)
                callers.forget(keys.end_sessions(database, who.person))
            else:
                person = _person(database, given, letter_, digest, who)
                workspace = _room(database, given, letter_, person)
            return new_session(request, opened, database, person.id, workspace, letter_.kind)

    secret = await run_in_threadpool(join)
    if secret is None:
        raise conflict("That could not be joined.", "Ask for another invitation.")
    return entered(request, opened, secret)


def _situation(
    given: Acceptance, request: Request, opened: House
) -> tuple[Caller | None, Letter, Person | None]:
    """Who is signed in, the letter, and whose account its address is."""
    cookie, who = cookie_of(request, opened.settings), None
    with opened.links.reading() as database:
        if cookie:
            idle = opened.settings.session_idle_days
            who = keys.caller(database, keys.SESSION, cookie, idle_days=idle)
        found = letters.read(database, given.token)
        return who, found, letters.has_account(database, found.email)


def _the_right_one(who: Caller | None, found: Letter, known: Person | None) -> None:
    if who is None:
        raise Problem(
            401,
            "Sign in first",
            "That link is for somebody who has an account.",
            remedy="Sign in, then open it again.",
        )
    meant = found.person_id if found.kind == letters.ADDRESS else known and known.id
    if who.person != meant:
        raise Problem(
            403, "For somebody else", f"That link is for {found.email}, and you are signed in as {who.email or who.person_name}.",
            remedy="Sign out, and open it again.",
        )  # fmt: skip


def _complete(given: Acceptance, found: Letter) -> None:
    if not given.name:
        raise invalid("A name is needed.", remedy="Say what others are to call you.", field="name")
    if found.kind == letters.SIGN_UP and not given.workspace:
        raise invalid(
            "The workspace needs a name.", remedy="Your team's or company's, say.", field="workspace"
        )
    if not given.password:
        raise invalid("A password is needed.", remedy="Choose one to sign in with.", field="password")


def _person(
    database: Session, given: Acceptance, found: Letter, digest: str | None, who: Caller | None
) -> Person:
    """Who accepts: the one signed in, or somebody new."""
    if digest is None:
        assert who is not None
        return database.get_one(Person, who.person)
    if letters.has_account(database, found.email) is not None:  # made this very moment
        raise conflict("That address has an account by now.", "Sign in, then open the link again.")
    person = passwords.person_of(database, found.email)  # who was in a workspace once
    if person is None:
        person = Person(name="")
        passwords.set_email(database, person, found.email)
        database.add(person)
    person.name = given.name or found.email
    database.flush()
    keys.end_sessions(database, person.id)
    passwords.store(database, person.id, digest)
    person.proved_at = now() if letters.proves(found, given.token) else None
    return person


def _room(database: Session, given: Acceptance, found: Letter, person: Person) -> int:
    """The workspace that somebody comes into."""
    if found.workspace_id is None:
        workspace = members.make_workspace(database, person.id, given.workspace or person.name).id
        audit.record(database, workspace, person.id, "person.create", person.email or "", detail="owner")
        return workspace
    if database.get(Membership, (person.id, found.workspace_id)) is None:
        database.add(Membership(person_id=person.id, workspace_id=found.workspace_id, role=found.role))
        database.flush()
    audit.record(database, found.workspace_id, person.id, "invitation.accept", found.email, detail=found.role)
    return found.workspace_id


def _change_address(database: Session, opened: House, who: Caller, person: Person, found: Letter) -> None:
    """The new address holds; the one before is told."""
    before = person.email
    passwords.set_email(database, person, found.email)
    person.proved_at = now()
    database.flush()
    audit.by(database, who, "profile.change", "address", detail=f"{before or '-'} \u2192 {person.email}")
    if before and opened.post.is_set:
        subject, body = texts.address_changed(found.email)
        told = letter(to=before, subject=subject, body=body, sender=opened.post.sender)
        opened.post.deliver_later(told)
