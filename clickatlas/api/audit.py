"""The audit log, read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.errors import invalid
from clickatlas.links import audit

router = APIRouter(tags=["session"])


class AuditRow(BaseModel):
    """One thing that somebody did."""

    at: datetime
    who: str | None = Field(description="Null where nobody of that name is left.")
    action: str = Field(
        description="link.create, link.change, link.delete, view.create, view.change, view.delete, "
        "sample.delete, session.create, session.delete or token.create."
    )
    subject: str = Field(description="What it was done to: a link's code, a view's or a token's name.")


class AuditPage(BaseModel):
    """What was done, newest first."""

    rows: list[AuditRow]
    next_cursor: str | None


@router.get("/api/audit")
def entries(
    opened: HouseDep,
    who: CallerDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> AuditPage:
    """Who changed what in this workspace, newest first."""
    before = None
    if cursor:
        if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
            raise invalid("The cursor can't be read.", remedy="Use 'next_cursor' as it came.", field="cursor")
        before = int(cursor)
    with opened.links.reading() as session:
        found = audit.page(session, who.workspace, limit=limit + 1, before=before)
    rows = [
        AuditRow(
            at=entry.at,
            who=(entry.person.name or entry.person.email) if entry.person else None,
            action=entry.action,
            subject=entry.subject,
        )
        for entry in found[:limit]
    ]
    return AuditPage(rows=rows, next_cursor=str(found[limit - 1].id) if len(found) > limit else None)
