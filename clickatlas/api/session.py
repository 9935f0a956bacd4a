"""Signing in and out, and who is signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlalchemy import select

from clickatlas import __version__
from clickatlas.api.armour import address_of, over_tls
from clickatlas.api.caller import COOKIE, CallerDep, Callers, HouseDep
from clickatlas.api.limits import network_of
from clickatlas.clicks.filter import Selection
from clickatlas.links import audit, keys
from clickatlas.links.models import Link

router = APIRouter(tags=["session"])


class User(BaseModel):
    """Who is signed in."""

    name: str
    email: str | None


class WorkspaceOut(BaseModel):
    """Where they are."""

    name: str


class Sample(BaseModel):
    """How much of what is shown is made up."""

    links: int
    clicks: int


class SessionOut(BaseModel):
    """The page's own view of its session."""

    user: User
    workspace: WorkspaceOut
    role: str
    sample: Sample | None
    public_url: str
    version: str


@router.get("/api/session")
def session(opened: HouseDep, who: CallerDep) -> SessionOut:
    """Who is signed in, where, and whether sample data is shown."""
    with opened.links.reading() as database:
        sample = list(
            database.scalars(select(Link.id).where(Link.workspace_id == who.workspace, Link.sample))
        )
    clicks = sum(opened.store.link_counts(Selection(links=tuple(sample)), range(8)).values()) if sample else 0
    return SessionOut(
        user=User(name=who.person_name, email=who.email),
        workspace=WorkspaceOut(name=who.workspace_name),
        role=who.role,
        sample=Sample(links=len(sample), clicks=clicks) if sample else None,
        public_url=opened.settings.base_url,
        version=__version__,
    )


@router.delete("/api/session", status_code=204)
def sign_out(request: Request, opened: HouseDep, who: CallerDep) -> Response:
    """End this browser's session."""
    callers: Callers = request.app.state.callers
    if secret := request.cookies.get(COOKIE):
        with opened.links.writing() as database:
            keys.revoke(database, secret)
            audit.by(database, who, "session.delete")
        callers.forget(secret)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.get("/app/sign-in", include_in_schema=False)
def sign_in(
    request: Request, opened: HouseDep, token: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Turn a one-time link into a session, in place of the browser's session before.

    Reading it with HEAD, as link previews do, does not use it up.
    """
    callers: Callers = request.app.state.callers
    callers.guesses.take(network_of(address_of(request)))
    lasts = timedelta(days=opened.settings.session_days)
    with opened.links.writing() as database:
        secret = keys.redeem(database, token, lasts=lasts)
        if secret and (found := keys.caller(database, keys.SESSION, secret)):
            audit.by(database, found, "session.create")
        if secret and (before := request.cookies.get(COOKIE)):
            keys.revoke(database, before)
            callers.forget(before)
    headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    if secret is None:
        return RedirectResponse("/app?signin=expired", 303, headers)
    response = RedirectResponse("/app", 303, headers)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=over_tls(request, opened.settings),
        path="/",
    )
    return response


@router.delete("/api/sample")
def remove_sample(opened: HouseDep, who: CallerDep) -> Sample:
    """Remove the sample data that `clickatlas demo` made: its links and their clicks."""
    from clickatlas.links.links import delete

    with opened.links.writing() as database:
        links = list(
            database.scalars(select(Link).where(Link.workspace_id == who.workspace, Link.sample)).unique()
        )
        numbers = [link.id for link in links]
        clicks = (
            sum(opened.store.link_counts(Selection(links=tuple(numbers)), range(8)).values()) if links else 0
        )
        delete(database, links)
        if links:
            audit.by(database, who, "sample.delete", f"{len(links)} links")
    return Sample(links=len(numbers), clicks=clicks)
