"""Ways in for who has no session: which there are, a sign-in link by mail, and the start of an account.

What is asked for an address is answered the same, and as fast, whoever has an account: the mail server is greeted for
everybody, and looking up, writing and sending come after the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api import oidc
from clickatlas.api.armour import address_of
from clickatlas.api.caller import Callers, HouseDep, from_own_page
from clickatlas.api.entry import last_workspace, new_session, set_cookie
from clickatlas.api.house import House
from clickatlas.api.limits import network_of
from clickatlas.errors import Problem
from clickatlas.links import audit, keys, letters, passwords, proof
from clickatlas.links.models import Person
from clickatlas.links.proof import Shut
from clickatlas.mail import texts
from clickatlas.mail.letter import letter
from clickatlas.mail.texts import Text

router = APIRouter(prefix="/api", tags=["session"])
LINK_LASTS = timedelta(minutes=15)
MINUTES = int(LINK_LASTS.total_seconds() // 60)
HOURS = int(letters.LASTS[letters.SIGN_UP].total_seconds() // 3600)


class ByProvider(BaseModel):
    """An identity provider that one may sign in by."""

    name: str
    url: str = Field(description="Where a browser begins; `to`, a page of ours, is shown in the end.")


class Ways(BaseModel):
    """How one gets in."""

    sign_up: Literal["open", "invitation", "closed"]
    mail: bool = Field(description="Whether a sign-in link can be sent by mail.")
    provider: ByProvider | None


class Asker(BaseModel):
    """Where to write to."""

    model_config = ConfigDict(extra="forbid")
    email: Annotated[str, Field(max_length=320, examples=["ann@example.com"])]


class Asked(BaseModel):
    """That a letter goes out, if there is anybody to get it."""

    email: str
    minutes: int = Field(description="How long its link will hold.")


class Secret(BaseModel):
    """What came in a letter."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=200)]


class Redeemed(BaseModel):
    """That one is signed in."""

    had_password: bool = Field(
        description="Whether the account had a password that ended by this: it may have been somebody else's."
    )


@router.get("/sign-in")
def ways(opened: HouseDep) -> Ways:
    """Which ways in there are, so that a page offers those and no others."""
    settings = opened.settings
    provider = (
        ByProvider(name=settings.oidc_name, url=settings.base_url + oidc.START) if opened.provider else None
    )
    return Ways(sign_up=settings.sign_up, mail=opened.post.is_set, provider=provider)


@router.post("/session/link", status_code=202)
async def send_link(given: Asker, request: Request, opened: HouseDep) -> Asked:
    """Have a sign-in link sent: good once, for a quarter of an hour. Who has no account gets none, and the same answer."""
    address = await _asked(given, request, opened)

    def write() -> EmailMessage | None:
        with opened.links.reading() as database:
            person = letters.has_account(database, address)
        return _link_letter(opened, person, texts.sign_in) if person else None

    opened.post.send_later(write)
    return Asked(email=address, minutes=MINUTES)


@router.post("/sign-up", status_code=202)
async def sign_up(given: Asker, request: Request, opened: HouseDep) -> Asked:
    """Begin an account: a letter with a link comes. Who has one already gets a sign-in link, and the same answer here."""
    if opened.settings.sign_up != "open":
        raise Problem(
            403,
            "Sign-up is not open",
            "Accounts are by invitation here.",
            remedy="Ask an owner of a workspace to invite you.",
        )
    address = await _asked(given, request, opened)

    def write() -> EmailMessage | None:
        with opened.links.writing() as database:
            person = letters.has_account(database, address)
            secret = "" if person else letters.write(database, letters.SIGN_UP, address)[1]
        if person is not None:
            return _link_letter(opened, person, texts.known)
        subject, body = texts.sign_up(f"{opened.settings.base_url}/app/join#{secret}", HOURS)
        return letter(to=address, subject=subject, body=body, sender=opened.post.sender)

    opened.post.send_later(write)
    return Asked(email=address, minutes=HOURS * 60)


@router.post("/session/redeem")
def redeem(given: Secret, request: Request, response: Response, opened: HouseDep) -> Redeemed:
    """Sign in by a link that came by mail. It is spent by this, and not by being looked at, as mail scanners do.

    Where the account was made by who may not have had its address, its password, sessions and tokens end.
    """
    from_own_page(request, opened.settings)
    callers: Callers = request.app.state.callers
    network = network_of(address_of(request))
    callers.guesses.take(network)
    with opened.links.writing() as database:
        spent = keys.redeem(database, given.token)
        workspace = last_workspace(database, spent.person) if spent else None
        shut = Shut([], had_password=False)
        if spent and workspace and spent.mailed:
            shut = proof.prove(database, database.get_one(Person, spent.person))
        secret = (
            spent and workspace and new_session(request, opened, database, spent.person, workspace, "by mail")
        )
    if not secret:
        raise Problem(
            401, "That link holds no more", "It was used, or is too old.", remedy="Ask for another one."
        )
    callers.guesses.give(network)
    callers.forget(shut.ended)
    set_cookie(response, request, opened, secret)
    return Redeemed(had_password=shut.had_password)


async def _asked(given: Asker, request: Request, opened: House) -> str:
    """The address that a letter is asked for; raises `Problem` (403, 409 without mail, 422, 429, 503)."""
    from_own_page(request, opened.settings)
    address = passwords.address(given.email)
    opened.post.need()
    letter(
        to=address, subject="", body="", sender=opened.post.sender
    )  # refused before it is too late to say so
    callers: Callers = request.app.state.callers
    callers.senders.take(network_of(address_of(request)))
    callers.letters.take(address)
    await opened.post.reach()
    return address


def _link_letter(opened: House, person: Person, text: Callable[[str, int], Text]) -> EmailMessage | None:
    """A letter with a new sign-in link; None where there is nowhere to sign in to."""
    with opened.links.writing() as database:
        workspace = last_workspace(database, person.id)
        if workspace is None or person.email is None:
            return None
        audit.record(database, workspace, person.id, "session.link")
        secret = keys.issue(database, keys.SIGN_IN, person.id, workspace, lasts=LINK_LASTS, name=keys.MAILED)
    subject, body = text(f"{opened.settings.base_url}/app/enter#{secret}", MINUTES)
    return letter(to=person.email, subject=subject, body=body, sender=opened.post.sender)
