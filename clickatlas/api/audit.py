"""The audit log, read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep, OwnerDep
from clickatlas.api.cursor import position
from clickatlas.links import audit, links
from clickatlas.links.models import AuditEntry

router = APIRouter(tags=["session"])


class AuditRow(BaseModel):
    """One thing that somebody did."""

    at: datetime
    who: str | None = Field(description="Null where nobody of that name is left.")
    action: str = Field(
        description="link.create, link.change, link.delete, view.create, view.change, view.delete, "
        "sample.delete, session.create, session.link, session.delete, password.change, profile.change, token.create, "
        "token.delete, invitation.create, invitation.revoke, invitation.accept, person.create, person.change, "
        "person.remove, person.leave, workspace.create, workspace.change and the like."
    )
    subject: str = Field(description="What it was done to: a link's code, a view's or a token's name.")
    detail: str = Field(description="What was changed, where that is known.")


class AuditPage(BaseModel):
    """What was done, newest first."""

    rows: list[AuditRow]
    next_cursor: str | None


@router.get("/api/audit")
def entries(
    opened: HouseDep,
    who: OwnerDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> AuditPage:
    """Who changed what in this workspace, newest first."""
    before = position(cursor)
    with opened.links.reading() as session:
        found = audit.page(session, who.workspace, limit=limit + 1, before=before)
    return _page(found, limit)


@router.get("/api/links/{code}/history", tags=["links"])
def history(
    code: str,
    opened: HouseDep,
    who: CallerDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> AuditPage:
    """Who made and changed a link, newest first, whatever it was called then."""
    before = position(cursor)
    with opened.links.reading() as session:
        link = links.find(session, who.workspace, code)
        found = audit.page(session, who.workspace, limit=limit + 1, before=before, link=link.id)
    return _page(found, limit)


def _page(found: list[AuditEntry], limit: int) -> AuditPage:
    rows = [
        AuditRow(
            at=entry.at,
            who=(entry.person.name or entry.person.email) if entry.person else None,
            action=entry.action,
            subject=entry.subject,
            detail=entry.detail,
        )
        for entry in found[:limit]
    ]
    return AuditPage(rows=rows, next_cursor=str(found[limit - 1].id) if len(found) > limit else None)
