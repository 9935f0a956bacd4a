"""Who is signed in and what they may, their sessions, and the sample data they may be shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from clickatlas import __version__
from clickatlas.api.caller import CallerDep, Callers, HouseDep, OwnerDep, PersonDep
from clickatlas.api.house import House
from clickatlas.clicks.filter import Selection
from clickatlas.errors import not_found
from clickatlas.links import audit, keys, passwords, plans
from clickatlas.links.models import Link
from clickatlas.links.roles import SCOPES
from clickatlas.links.ways import click_numbers

router = APIRouter(tags=["session"])


class User(BaseModel):
    """Who is signed in."""

    name: str
    email: str | None
    has_password: bool


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
    role: str = Field(description="owner, editor or viewer.")
    may: list[str] = Field(description="Scopes that this key opens: read, links:write, admin.")
    sample: Sample | None
    public_url: str
    version: str
    app_schemes: list[str] = Field(description="Schemes of apps that links may open, beside http and https.")
    history_days: int | None = Field(
        description="How far back the workspace's plan shows clicks, in days; null: all of them."
    )


@router.get("/api/session")
def session(opened: HouseDep, who: CallerDep) -> SessionOut:
    """Who is signed in, where, and whether sample data is shown."""
    with opened.links.reading() as database:
        sample = list(
            database.scalars(select(Link).where(Link.workspace_id == who.workspace, Link.sample)).unique()
        )
        has_password = passwords.stored_for(database, who.person) is not None
    clicks = _clicks_of(opened, sample)
    return SessionOut(
        user=User(name=who.person_name, email=who.email, has_password=has_password),
        workspace=WorkspaceOut(name=who.workspace_name),
        role=who.role,
        may=[scope for scope in SCOPES if scope in who.may],
        sample=Sample(links=len(sample), clicks=clicks) if sample else None,
        public_url=opened.settings.base_url,
        version=__version__,
        app_schemes=list(opened.settings.app_schemes),
        history_days=plans.of(who.plan, opened.settings.default_plan).history_days,
    )


class SessionRow(BaseModel):
    """A browser that somebody is signed in with."""

    id: int
    name: str = Field(description="Browser and system, as it said when it signed in.")
    created_at: datetime
    used_on: date | None = Field(description="The last day it was used (UTC).")
    expires_at: datetime | None
    current: bool = Field(description="Whether it is the one that asks.")


class SessionList(BaseModel):
    """One's own sessions, newest first."""

    rows: list[SessionRow]


class Ended(BaseModel):
    """What was ended."""

    sessions: int


@router.get("/api/sessions")
def listed(opened: HouseDep, who: PersonDep) -> SessionList:
    """One's own sessions: where one is signed in. Their secrets are shown to nobody."""
    with opened.links.reading() as database:
        found = keys.listed(database, keys.SESSION, person=who.person)
    rows = [
        SessionRow(
            id=key.id,
            name=key.name,
            created_at=key.created_at,
            used_on=key.used_on,
            expires_at=key.expires_at,
            current=key.id == who.key,
        )
        for key in found
    ]
    return SessionList(rows=rows)


@router.delete("/api/sessions")
def end_others(request: Request, opened: HouseDep, who: PersonDep) -> Ended:
    """End all of one's sessions and unused sign-in links but the session that asks."""
    with opened.links.writing() as database:
        others = {key.id for key in keys.listed(database, keys.SESSION, person=who.person)} - {who.key}
        ended = keys.end_sessions(database, who.person, but=who.key)
        audit.by(database, who, "session.delete", "all others")
    _forget(request, ended)
    return Ended(sessions=len(others))


@router.delete("/api/sessions/{session_id}", status_code=204)
def end(
    session_id: Annotated[int, Path(ge=1, le=2**63 - 1)], request: Request, opened: HouseDep, who: PersonDep
) -> Response:
    """End one of one's own sessions."""
    with opened.links.writing() as database:
        found = [
            key for key in keys.listed(database, keys.SESSION, person=who.person) if key.id == session_id
        ]
        if not found:
            raise not_found("You have no such session.", remedy="GET /api/sessions lists yours.")
        keys.end(database, session_id)
        audit.by(database, who, "session.delete", found[0].name)
    _forget(request, [session_id])
    return Response(status_code=204)


def _forget(request: Request, ended: list[int]) -> None:
    callers: Callers = request.app.state.callers
    callers.forget(ended)


@router.delete("/api/sample")
def remove_sample(opened: HouseDep, who: OwnerDep) -> Sample:
    """Remove the sample data that `clickatlas demo` made: its links and their clicks."""
    from clickatlas.links.links import delete

    with opened.links.writing() as database:
        links = list(
            database.scalars(select(Link).where(Link.workspace_id == who.workspace, Link.sample)).unique()
        )
        clicks = _clicks_of(opened, links)
        delete(database, links)
        if links:
            audit.by(database, who, "sample.delete", f"{len(links)} links")
    return Sample(links=len(links), clicks=clicks)


def _clicks_of(opened: House, links: list[Link]) -> int:
    numbers = sorted(number for link in links for number in click_numbers(link.id, link.ways_made))
    return sum(opened.store.link_counts(Selection(links=tuple(numbers)), range(8)).values()) if links else 0
