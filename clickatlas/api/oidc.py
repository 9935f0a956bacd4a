"""Signing in by an identity provider: to it, and back. For browsers; a refusal is the sign-in page, with a word on why."""

from __future__ import annotations

import logging
import secrets

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy.exc import IntegrityError

from clickatlas.api.armour import address_of, over_tls
from clickatlas.api.caller import Callers, HouseDep
from clickatlas.api.entry import last_workspace, new_session, set_cookie
from clickatlas.api.house import House
from clickatlas.api.limits import network_of
from clickatlas.errors import not_found
from clickatlas.links import identities
from clickatlas.links.identities import Arrival, TurnedAway, Why
from clickatlas.oidc import trip
from clickatlas.oidc.provider import CALLBACK, Provider

router = APIRouter(include_in_schema=False)
log = logging.getLogger("clickatlas.sign-in")
START = "/app/oidc"
COOKIE = "clickatlas_oidc"
JOINED = "/app/joined"  # the page that says what ended
LONGEST = 4096  # of what comes back in the address
_KEY = secrets.token_bytes(32)  # of this process: who is under way while it starts anew begins again


@router.get(START)
async def go(request: Request, opened: HouseDep, to: str = "/app") -> Response:
    """On to the provider. The browser keeps, for ten minutes, what its way back has to fit."""
    provider = _provider(opened)
    begun = trip.begin(to)
    try:
        there = await provider.address(begun)
    except TurnedAway as error:
        return _turned_away(request, opened, error)
    response = RedirectResponse(there, 303, _HEADERS)
    response.set_cookie(
        _cookie(request, opened),
        trip.seal(begun, _KEY),
        max_age=trip.LASTS_S,
        httponly=True,
        samesite="lax",
        secure=over_tls(request, opened.settings),
        path="/",
    )
    return response


@router.get(CALLBACK)
async def come_back(request: Request, opened: HouseDep) -> Response:
    """Back from the provider: in, or to the sign-in page with a word on why not."""
    provider = _provider(opened)
    callers: Callers = request.app.state.callers
    network = network_of(address_of(request))
    callers.guesses.take(network)
    said = {name: value[:LONGEST] for name, value in request.query_params.items()}
    try:
        cookie = request.cookies.get(_cookie(request, opened), "")
        begun = trip.unseal(cookie, said.get("state", ""), _KEY)
        if "error" in said or "code" not in said:
            cancelled = said.get("error") in ("access_denied", "consent_required", "interaction_required")
            raise TurnedAway(
                Why.CANCELLED if cancelled else Why.REFUSED, f"it said {_plain(said.get('error', ''))}"
            )
        who = await provider.arrival(begun, said["code"], said.get("iss"))
        _in_domains(who, opened)
        secret, had_password = await run_in_threadpool(_enter, request, opened, who)
    except TurnedAway as error:
        return _turned_away(request, opened, error)
    callers.guesses.give(network)
    response = RedirectResponse(JOINED if had_password else begun.to, 303, _HEADERS)
    set_cookie(response, request, opened, secret)
    _drop(response, request, opened)
    return response


def _enter(request: Request, opened: House, who: Arrival) -> tuple[str, bool]:
    """A session's secret, and whether a password ended by it; raises `TurnedAway`."""
    settings, callers = opened.settings, request.app.state.callers
    for again in (True, False):
        try:
            with opened.links.writing() as database:
                found = identities.enter(
                    database, who, sign_up=settings.sign_up, strangers=settings.oidc_sign_up
                )
                workspace = last_workspace(database, found.person)
                secret = workspace and new_session(
                    request, opened, database, found.person, workspace, settings.oidc_name
                )
            callers.forget(found.ended)
            if secret:
                return secret, found.had_password
        except IntegrityError:  # twice at the same moment: the other made the account
            if not again:
                raise
    raise TurnedAway(Why.UNINVITED, "in no workspace any more")


def _in_domains(who: Arrival, opened: House) -> None:
    domains = opened.settings.oidc_domains
    if not domains:
        return
    if who.email is None:
        raise TurnedAway(Why.UNVERIFIED)
    if who.email.rpartition("@")[2] not in domains:
        raise TurnedAway(Why.DOMAIN)


_HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


def _provider(opened: House) -> Provider:
    if opened.provider is None:
        raise not_found("No identity provider is set.", "An operator sets oidc_issuer.")
    return opened.provider


def _turned_away(request: Request, opened: House, error: TurnedAway) -> Response:
    log.warning("a sign-in by %s ended: %s: %s", opened.settings.oidc_issuer, error.why, error)
    response = RedirectResponse(f"/app?signin={error.why}", 303, _HEADERS)
    _drop(response, request, opened)
    return response


def _cookie(request: Request, opened: House) -> str:
    return f"__Host-{COOKIE}" if over_tls(request, opened.settings) else COOKIE


def _drop(response: Response, request: Request, opened: House) -> None:
    response.delete_cookie(
        _cookie(request, opened),
        path="/",
        httponly=True,
        samesite="lax",
        secure=over_tls(request, opened.settings),
    )


def _plain(word: str) -> str:
    return word[:60] if word.isascii() and word.isidentifier() else "something else"
