"""Signing in and out, by password or one-time link, and one's own password."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.armour import address_of
from clickatlas.api.caller import Callers, HouseDep, PersonDep, from_own_page
from clickatlas.api.entry import agent_of, drop_cookie, last_workspace, lasts, new_session, set_cookie
from clickatlas.api.hashing import Hashing
from clickatlas.api.house import House
from clickatlas.api.limits import network_of
from clickatlas.errors import Problem, invalid
from clickatlas.links import audit, keys, passwords
from clickatlas.links.models import Person

router = APIRouter(tags=["session"])
log = logging.getLogger("clickatlas.sign-in")

Email = Annotated[str, Field(max_length=320, examples=["ann@example.com"])]
Given = Annotated[str, Field(max_length=passwords.LONGEST)]


class SignIn(BaseModel):
    """Who one is."""

    model_config = ConfigDict(extra="forbid")
    email: Email
    password: Given


class NewPassword(BaseModel):
    """A password to sign in with from now on."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    current: Given | None = Field(None, description="The password before; not needed for a first one.")
    new: Given = Field(
        description=f"At least {passwords.SHORTEST} characters, and none of the first that anybody would try."
    )
    email: Email | None = Field(None, description="What to sign in with; needed by who has no address yet.")


@router.post("/api/session", status_code=204)
async def sign_in(given: SignIn, request: Request, opened: HouseDep) -> Response:
    """Sign in by e-mail address and password: sets the session's cookie. From the page itself only.

    A wrong password and an unknown address are one answer (401), and take as long.
    """
    from_own_page(request, opened.settings)
    callers, hashing = _of(request)
    network, account = network_of(address_of(request)), passwords.canonical(given.email)
    callers.guesses.take(network)  # taken before, given back after: many at once are no way around it
    callers.accounts.take(account)
    person, stored = await run_in_threadpool(_stored, opened, account)
    if not await hashing.run(lambda: passwords.fits(stored, given.password)) or person is None or not stored:
        log.info("a sign-in was refused")
        raise Problem(
            401,
            "Wrong e-mail or password",
            "That e-mail address and password don't belong together.",
            remedy="Try again, or open a sign-in link ('clickatlas sign-in' prints one).",
        )
    callers.guesses.give(network)
    callers.accounts.give(account)
    renewed = stored
    if passwords.is_outdated(stored):
        renewed = await hashing.run(lambda: passwords.hashed(given.password))

    def begin() -> str | None:
        with opened.links.writing() as database:
            if passwords.stored_for(database, person) != stored:
                return None  # changed this very moment
            if renewed != stored:
                passwords.store(database, person, renewed)
            workspace = last_workspace(database, person)
            return new_session(request, opened, database, person, workspace) if workspace else None

    secret = await run_in_threadpool(begin)
    if secret is None:
        raise Problem(
            401, "Wrong e-mail or password", "That account is in no workspace.", remedy="Ask an owner."
        )
    response = Response(status_code=204)
    set_cookie(response, request, opened, secret)
    return response


@router.put("/api/session/password", status_code=204)
async def change_password(given: NewPassword, request: Request, opened: HouseDep, who: PersonDep) -> Response:
    """Set one's own password. All other sessions and sign-in links of the person end; API tokens stay.

    Who has no password yet came by a one-time link, so that is proof enough for a first one.
    """
    callers, hashing = _of(request)
    stored = await run_in_threadpool(_stored_for, opened, who.person)
    if stored is not None:
        name = passwords.canonical(who.email or str(who.person))
        callers.accounts.take(name)
        current = given.current or ""
        if not await hashing.run(lambda: passwords.fits(stored, current)):
            raise invalid("The current password is not right.", remedy="Try again.", field="current")
        callers.accounts.give(name)
    if not who.email and not given.email:
        raise invalid("An e-mail address is needed to sign in with.", remedy="Give yours.", field="email")
    if who.email and given.email and passwords.canonical(given.email) != who.email:
        raise invalid("Your e-mail address can't be changed here.", remedy="Leave it out.", field="email")
    passwords.refuse_weak(given.new, who.person_name, who.email or given.email)
    digest = await hashing.run(lambda: passwords.hashed(given.new))

    def change() -> str:
        with opened.links.writing() as database:
            if passwords.stored_for(database, who.person) != stored:
                raise Problem(
                    409, "Conflict", "Your password was changed meanwhile.", remedy="Sign in again."
                )
            if given.email and not who.email:
                passwords.set_email(database, database.get_one(Person, who.person), given.email)
            passwords.store(database, who.person, digest)
            ended = keys.end_sessions(database, who.person)
            secret = keys.issue(database, keys.SESSION, who.person, who.workspace,
                                lasts=lasts(opened), name=agent_of(request))  # fmt: skip
            audit.by(database, who, "password.change")
        callers.forget(ended)
        return secret

    response = Response(status_code=204)
    set_cookie(response, request, opened, await run_in_threadpool(change))
    return response


@router.delete("/api/session", status_code=204)
def sign_out(request: Request, opened: HouseDep, who: PersonDep) -> Response:
    """End this browser's session."""
    with opened.links.writing() as database:
        keys.end(database, who.key)
        audit.by(database, who, "session.delete")
    _of(request)[0].forget([who.key])
    response = Response(status_code=204)
    drop_cookie(response, request, opened)
    return response


@router.get("/app/sign-in", include_in_schema=False)
def sign_in_by_link(
    request: Request, opened: HouseDep, token: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Turn a one-time link into a session, in place of the browser's session before.

    Reading it with HEAD, as link previews do, does not use it up.
    """
    callers, _ = _of(request)
    callers.guesses.take(network_of(address_of(request)))
    with opened.links.writing() as database:
        spent = keys.redeem(database, token)
        workspace = spent and (last_workspace(database, spent.person) or spent.workspace)
        secret = spent and workspace and new_session(request, opened, database, spent.person, workspace)
    headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    if not secret:
        return RedirectResponse("/app?signin=expired", 303, headers)
    response = RedirectResponse("/app", 303, headers)
    set_cookie(response, request, opened, secret)
    return response


def _stored(opened: House, email: str) -> tuple[int | None, str | None]:
    with opened.links.reading() as database:
        person = passwords.person_of(database, email)
        return (person.id, passwords.stored_for(database, person.id)) if person else (None, None)


def _stored_for(opened: House, person: int) -> str | None:
    with opened.links.reading() as database:
        return passwords.stored_for(database, person)


def _of(request: Request) -> tuple[Callers, Hashing]:
    return request.app.state.callers, request.app.state.hashing
