"""One's own digest of a workspace: when it comes, one now, and no more of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.caller import Callers, HouseDep, PersonDep
from clickatlas.clicks.filter import zone_info
from clickatlas.digests import figures
from clickatlas.digests.schedule import Every, Schedule, period
from clickatlas.digests.sender import may_leave, message
from clickatlas.errors import conflict
from clickatlas.links import audit, digests
from clickatlas.links.models import Person, now
from clickatlas.links.models_told import Digest
from clickatlas.redirect.pages import LOCKED_HEADERS, leave, page

router = APIRouter(tags=["digest"])
Often = Literal["off", "day", "week", "month"]


class DigestIn(BaseModel):
    """When to send it."""

    model_config = ConfigDict(extra="forbid")
    every: Often = Field(description="How often; off: never.")
    weekday: int = Field(0, ge=0, le=6, description="Of weekly ones; Monday is 0.", examples=[0])
    hour: int = Field(8, ge=0, le=23, description="By the clock of `tz`.", examples=[8])
    tz: str = Field(
        "UTC",
        max_length=64,
        description="IANA zone of the reader: of its hour and of its days.",
        examples=["Europe/Berlin"],
    )


class DigestOut(DigestIn):
    """When it comes, and whether it can."""

    email: str | None = Field(description="Where it goes; null: you have no address.")
    mail: bool = Field(description="Whether the operator has set a mail server.")


@router.get("/api/digest")
def shown(opened: HouseDep, who: PersonDep) -> DigestOut:
    """When one's own digest of this workspace comes."""
    with opened.links.reading() as session:
        found = digests.of_person(session, who.workspace, who.person)
        address = session.get_one(Person, who.person).email
    when = digests.schedule_of(found) if found else Schedule()
    return DigestOut(
        every=when.every.value if found else "off",
        weekday=when.weekday,
        hour=when.hour,
        tz=when.zone,
        email=address,
        mail=opened.post.is_set,
    )


@router.put("/api/digest")
def change(given: DigestIn, opened: HouseDep, who: PersonDep) -> DigestOut:
    """Have a digest sent to oneself, at another time, or no more. The first is that of the next period."""
    zone_info(given.tz)
    with opened.links.noting() as session:
        if given.every == "off":
            digests.want_none(session, who.workspace, who.person)
        else:
            when = Schedule(Every(given.every), given.weekday, given.hour, given.tz)
            digests.want(session, who.workspace, who.person, when)
        audit.by(session, who, "digest.change", given.every)
    return shown(opened, who)


@router.post("/api/digest/send", status_code=202)
async def send(given: DigestIn, request: Request, opened: HouseDep, who: PersonDep) -> DigestOut:
    """Send oneself one now, of the last whole period (`off`: week). It counts for nothing else; a few an hour."""
    zone_info(given.tz)
    opened.post.need()
    now_shown = await run_in_threadpool(shown, opened, who)
    if now_shown.email is None:
        raise conflict("You have no e-mail address.", "Set one in your profile.")
    callers: Callers = request.app.state.callers
    callers.letters.take(now_shown.email)
    every = Every.WEEK if given.every == "off" else Every(given.every)
    today = now().astimezone(zone_info(given.tz)).date()
    address = now_shown.email

    def write() -> figures.Told:
        return figures.told(opened, who.workspace, every, period(every, today, given.tz))

    told = await request.app.state.thinking.run(write)
    with opened.links.reading() as session:
        found = digests.of_person(session, who.workspace, who.person)
    digest = found or Digest(
        id=0, every=every.value, weekday=given.weekday, hour=given.hour, zone=given.tz, key="00"
    )
    await opened.post.send(message(opened, digest, address, told))
    return now_shown


Number = Annotated[int, Path(ge=0, le=2**63 - 1)]
Ticket = Annotated[str, Path(max_length=200)]
OVER = (
    "No more of these",
    "This digest is not sent to you any more. In the settings you can have it again.",
)
UNKNOWN = (
    "This link holds no more",
    "The digest was ended or changed already. The settings say what is sent to you.",
)


@router.get("/app/unsubscribe/{number}/{ticket}", include_in_schema=False)
def ask_to_leave(number: Number, ticket: Ticket, opened: HouseDep) -> Response:
    """Asks first: programs that look at every link of a letter end nothing."""
    with opened.links.reading() as session:
        found = session.get(Digest, number)
        known = found is not None and may_leave(found, ticket)
    body, kind = leave() if known else page(404, *UNKNOWN, as_json=False)
    return _page(body, kind, 200 if known else 404)


@router.post("/app/unsubscribe/{number}/{ticket}", include_in_schema=False)
def unsubscribe(number: Number, ticket: Ticket, opened: HouseDep) -> Response:
    """No more of these: for a press on the page or in a mail program (RFC 8058). Twice is as good as once."""
    with opened.links.noting() as session:
        found = session.get(Digest, number)
        over = found is None or may_leave(found, ticket)
        if found is not None and over:
            session.delete(found)
    body, kind = page(200 if over else 404, *(OVER if over else UNKNOWN), as_json=False)
    return _page(body, kind, 200 if over else 404)


def _page(body: bytes, kind: bytes, status: int) -> Response:
    headers = {name.decode(): value.decode() for name, value in LOCKED_HEADERS}
    return Response(body, status, headers | {"cache-control": "private, no-store"}, kind.decode())
