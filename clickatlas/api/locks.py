"""Links with a password: the street asks for it, and this looks at the answer."""

from __future__ import annotations

from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select

from clickatlas.api.armour import address_of
from clickatlas.api.caller import Callers, HouseDep
from clickatlas.api.hashing import Hashing
from clickatlas.api.house import House
from clickatlas.api.limits import network_of
from clickatlas.links import passwords
from clickatlas.links.lock import FIELD, lock_key, ticket
from clickatlas.links.models import Link
from clickatlas.redirect.pages import locked, locked_headers

router = APIRouter(include_in_schema=False)
FIELDS = 4  # more than the form has


@router.post("/app/unlock/{code}")
async def unlock(code: str, request: Request, opened: HouseDep) -> Response:
    """The form's answer: a ticket for the short link, which then counts the click; or the form again.

    Guesses are few a minute, for each address and for each link (429).
    """
    given = _read(await request.body())
    callers: Callers = request.app.state.callers
    hashing: Hashing = request.app.state.hashing
    network, link = network_of(address_of(request)), f"link {code}"
    callers.guesses.take(network)
    callers.accounts.take(link)
    stored = await run_in_threadpool(_stored, opened, code)
    if not await hashing.run(lambda: passwords.fits(stored, given.get("password", ""))) or stored is None:
        body, kind = locked(code, given.get("query", ""), wrong=True)
        return Response(body, 401, _headers(opened), kind.decode())
    callers.guesses.give(network)
    callers.accounts.give(link)
    opens = f"{FIELD.decode()}={ticket(lock_key(stored), code)}"
    query = quote(given.get("query", ""), safe="!#$%&'()*+,/:;=?@[]~-._").replace("#", "%23")
    target = f"/{quote(code.partition('@')[0])}?{opens}" + (f"&{query}" if query else "")
    return RedirectResponse(target, 303, {"cache-control": "no-store"})


def _read(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError:  # not UTF-8, or too many fields: as good as a wrong password
        return {}
    return {name: values[0] for name, values in fields.items()}


def _stored(opened: House, code: str) -> str | None:
    sensitive = opened.settings.case_sensitive_codes
    column = Link.code if sensitive else func.lower(Link.code)
    with opened.links.reading() as session:
        return session.scalar(select(Link.password).where(column == (code if sensitive else code.lower())))


def _headers(opened: House) -> dict[str, str]:
    headers = {name.decode(): value.decode() for name, value in locked_headers(opened.settings.app_schemes)}
    return headers | {"cache-control": "private, no-store"}
