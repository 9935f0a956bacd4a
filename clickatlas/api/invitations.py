"""Invitations to the workspace: made, listed, revoked. They go out by mail where that is set, and can be copied."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.caller import Callers, HouseDep, OwnerDep
from clickatlas.errors import Problem, not_found
from clickatlas.links import audit, letters
from clickatlas.links.models import Letter
from clickatlas.mail import texts
from clickatlas.mail.letter import letter

router = APIRouter(prefix="/api/invitations", tags=["people"])
Email = Annotated[str, Field(max_length=320, examples=["ann@example.com"])]


class InvitationIn(BaseModel):
    """Whom to invite."""

    model_config = ConfigDict(extra="forbid")
    email: Email
    role: Literal["owner", "editor", "viewer"] = "editor"


class InvitationOut(BaseModel):
    """An invitation that waits for an answer."""

    id: int
    email: str
    role: str
    invited_by: str | None
    created_at: datetime
    expires_at: datetime


class NewInvitation(InvitationOut):
    """An invitation that was just made."""

    link: str = Field(description="Where it is accepted. It is shown this once.")
    mailed: bool
    problem: str | None = Field(description="Why no mail went out, where it should have.")


class InvitationList(BaseModel):
    """Invitations, newest first."""

    rows: list[InvitationOut]


@router.get("")
def listed(opened: HouseDep, who: OwnerDep) -> InvitationList:
    """Invitations to this workspace that wait for an answer."""
    with opened.links.reading() as database:
        return InvitationList(rows=[_shown(found) for found in letters.pending(database, who.workspace)])


@router.post("", status_code=201)
async def create(given: InvitationIn, request: Request, opened: HouseDep, who: OwnerDep) -> NewInvitation:
    """Invite somebody, in place of an invitation before. The link is good once and for seven days.

    It is mailed where a mail server is set, and shown to be handed over in any case. That a mail can't be sent is said
    and takes nothing back.
    """
    callers: Callers = request.app.state.callers
    callers.letters.take(given.email.strip().lower())

    def make() -> tuple[InvitationOut, str, str, str]:
        with opened.links.writing() as database:
            if letters.has_account(database, given.email) is None:
                letters.refuse_stranger(opened.settings.sign_up)
            made, secret = letters.invite(database, who.workspace, who.person, given.email, given.role)
            audit.by(database, who, "invitation.create", made.email, detail=made.role)
            database.refresh(made)
            mailed = letters.mailed(database, made) if opened.post.is_set else ""
            return _shown(made), secret, mailed, made.email

    made, secret, mailed_secret, address = await run_in_threadpool(make)
    door = f"{opened.settings.base_url}/app/join#"
    link, problem = f"{door}{secret}", None
    if opened.post.is_set:
        days = letters.LASTS[letters.INVITATION].days
        subject, body = texts.invitation(
            f"{door}{mailed_secret}", who.workspace_name, who.person_name, given.role, days
        )
        try:
            await opened.post.send(letter(to=address, subject=subject, body=body, sender=opened.post.sender))
        except Problem as refused:
            problem = refused.detail
    mailed = opened.post.is_set and problem is None
    return NewInvitation(**made.model_dump(), link=link, mailed=mailed, problem=problem)


@router.delete("/{invitation_id}", status_code=204)
def revoke(
    invitation_id: Annotated[int, Path(ge=1, le=2**63 - 1)], opened: HouseDep, who: OwnerDep
) -> Response:
    """Take an invitation back: its link holds no more."""
    with opened.links.writing() as database:
        waiting = letters.pending(database, who.workspace)
        found = next((one for one in waiting if one.id == invitation_id), None)
        if found is None:
            raise not_found("There is no such invitation.", remedy="GET /api/invitations lists them.")
        database.delete(found)
        audit.by(database, who, "invitation.revoke", found.email)
    return Response(status_code=204)


def _shown(found: Letter) -> InvitationOut:
    return InvitationOut(
        id=found.id,
        email=found.email,
        role=found.role,
        invited_by=found.person.name if found.person else None,
        created_at=found.created_at,
        expires_at=found.expires_at,
    )
