"""How a session begins, whichever way somebody came in: a new secret in a cookie, in place of the one before."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.api.armour import over_tls
from clickatlas.api.caller import Callers, cookie_name, cookie_of
from clickatlas.api.house import House
from clickatlas.links import audit, keys
from clickatlas.links.models import Membership, now


def agent_of(request: Request) -> str:
    """The browser and system that ask, such as "Firefox on Linux": so that people know their sessions again."""
    from clickatlas.redirect.visitor import read_agent

    _device, browser, system, _crawler = read_agent(request.headers.get("user-agent", ""))
    return " on ".join(part for part in (browser, system) if part and part != "Other")


def lasts(opened: House) -> timedelta:
    """How long a session holds."""
    return timedelta(days=opened.settings.session_days)


def new_session(
    request: Request, opened: House, database: Session, person: int, workspace: int, how: str = ""
) -> str | None:
    """A new session's secret, in place of the browser's session before; None for who is not in that workspace."""
    secret = keys.issue(
        database, keys.SESSION, person, workspace, lasts=lasts(opened), name=agent_of(request)
    )
    database.flush()
    found = keys.caller(database, keys.SESSION, secret)
    if found is None:
        keys.revoke(database, secret)
        return None
    audit.by(database, found, "session.create", how)
    database.get_one(Membership, (person, workspace)).entered_at = now()
    if before := cookie_of(request, opened.settings):
        callers: Callers = request.app.state.callers
        callers.forget(keys.revoke(database, before))
    return secret


def set_cookie(response: Response, request: Request, opened: House, secret: str) -> None:
    """Have the browser keep the session's secret."""
    response.set_cookie(
        cookie_name(request, opened.settings),
        secret,
        max_age=int(lasts(opened).total_seconds()),
        httponly=True,
        samesite="lax",
        secure=over_tls(request, opened.settings),
        path="/",
    )


def drop_cookie(response: Response, request: Request, opened: House) -> None:
    """Have the browser forget it."""
    response.delete_cookie(
        cookie_name(request, opened.settings),
        path="/",
        httponly=True,
        samesite="lax",
        secure=over_tls(request, opened.settings),
    )


def entered(request: Request, opened: House, secret: str) -> Response:
    """The answer to who has just signed in."""
    response = Response(status_code=204)
    set_cookie(response, request, opened, secret)
    return response


def last_workspace(database: Session, person: int) -> int | None:
    """Where somebody lands: where they came in last, else in their first."""
    return database.scalar(
        select(Membership.workspace_id)
        .where(Membership.person_id == person)
        .order_by(Membership.entered_at.desc().nulls_last(), Membership.workspace_id)
        .limit(1)
    )
