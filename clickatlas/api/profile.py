"""One's own profile: name and address, and the end of the account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.caller import Callers, HouseDep, PersonDep
from clickatlas.api.entry import drop_cookie
from clickatlas.api.hashing import Hashing
from clickatlas.api.house import House
from clickatlas.errors import invalid
from clickatlas.links import audit, letters, members, passwords
from clickatlas.links.keys import Caller
from clickatlas.links.models import Person
from clickatlas.mail import texts
from clickatlas.mail.letter import letter

router = APIRouter(prefix="/api/profile", tags=["session"])
Given = Annotated[str, Field(max_length=passwords.LONGEST)]


class ProfileIn(BaseModel):
    """What others see."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class AddressIn(BaseModel):
    """A new address, and that it is really you."""

    model_config = ConfigDict(extra="forbid")
    email: Annotated[str, Field(max_length=320, examples=["ann@example.com"])]
    password: Given | None = Field(None, description="The current password, of who has one.")


class AddressOut(BaseModel):
    """What came of it."""

    email: str
    confirmed: bool = Field(description="False: a letter went there, and its link makes it yours.")


class Farewell(BaseModel):
    """That somebody means it."""

    model_config = ConfigDict(extra="forbid")
    confirm: Annotated[str, Field(max_length=320)] = Field(
        description="One's e-mail address, else one's name."
    )
    password: Given | None = Field(None, description="The current password, of who has one.")


@router.patch("", status_code=204)
def change(given: ProfileIn, request: Request, opened: HouseDep, who: PersonDep) -> Response:
    """Change one's name."""
    with opened.links.writing() as database:
        person = database.get_one(Person, who.person)
        audit.by(database, who, "profile.change", "name", detail=f"{person.name} \u2192 {given.name}")
        person.name = given.name
    callers: Callers = request.app.state.callers
    callers.forget_person(who.person)
    return Response(status_code=204)


@router.post("/email", status_code=202)
async def change_address(given: AddressIn, request: Request, opened: HouseDep, who: PersonDep) -> AddressOut:
    """Sign in with another address from now on.

    Where mail is set, a link goes there that confirms it; without, it holds at once.
    """
    address = passwords.address(given.email)
    await _really(request, opened, who, given.password)
    callers: Callers = request.app.state.callers
    callers.letters.take(address)

    def note() -> str | None:
        with opened.links.writing() as database:
            if opened.post.is_set:
                secret = letters.write(database, letters.ADDRESS, address, person=who.person)[1]
                audit.by(database, who, "profile.letter", address)
                return secret
            person = database.get_one(Person, who.person)
            audit.by(
                database, who, "profile.change", "address", detail=f"{person.email or '-'} \u2192 {address}"
            )
            passwords.set_email(database, person, address)
        return None

    secret = await run_in_threadpool(note)
    callers.forget_person(who.person)
    if secret is None:
        return AddressOut(email=address, confirmed=True)
    hours = int(letters.LASTS[letters.ADDRESS].total_seconds() // 3600)
    subject, body = texts.new_address(f"{opened.settings.base_url}/app/join#{secret}", hours)
    await opened.post.send(letter(to=address, subject=subject, body=body, sender=opened.post.sender))
    return AddressOut(email=address, confirmed=False)


@router.delete("", status_code=204)
async def delete(given: Farewell, request: Request, opened: HouseDep, who: PersonDep) -> Response:
    """Delete one's account: password, sessions, tokens and memberships. There is no way back.

    Links stay their workspace's. The last owner of a workspace hands it on or deletes it first (409, which names it).
    """
    if given.confirm.strip() != (who.email or who.person_name):
        raise invalid(
            "'confirm' is not your address.", remedy="Send it as GET /api/session has it.", field="confirm"
        )
    await _really(request, opened, who, given.password)

    def end() -> list[int]:
        with opened.links.writing() as database:
            return members.delete_person(database, who.person)

    callers: Callers = request.app.state.callers
    callers.forget(await run_in_threadpool(end))
    response = Response(status_code=204)
    drop_cookie(response, request, opened)
    return response


async def _really(request: Request, opened: House, who: Caller, password: str | None) -> None:
    """Raise `Problem` (422, 429) where somebody has a password and this is not it."""
    callers: Callers = request.app.state.callers
    hashing: Hashing = request.app.state.hashing

    def stored() -> str | None:
        with opened.links.reading() as database:
            return passwords.stored_for(database, who.person)

    found = await run_in_threadpool(stored)
    if found is None:
        return
    name = passwords.canonical(who.email or str(who.person))
    callers.accounts.take(name)
    if not await hashing.run(lambda: passwords.fits(found, password or "")):
        raise invalid("The current password is not right.", remedy="Try again.", field="password")
    callers.accounts.give(name)
