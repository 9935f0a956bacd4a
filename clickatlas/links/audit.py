"""The audit log: who changed what in a workspace, and when. Written with the change itself, or not at all."""

from __future__ import annotations

import json
import logging

from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.links.keys import Caller
from clickatlas.links.models import AuditEntry

log = logging.getLogger("clickatlas.audit")
MAX_SUBJECT = 200
MAX_DETAIL = 1000


def record(
    session: Session,
    workspace: int,
    person: int | None,
    action: str,
    subject: str = "",
    *,
    link: int | None = None,
    detail: str = "",
) -> None:
    """Note `action` (such as ``link.create``) on `subject` (such as a code) in `session`'s transaction.

    The server's log has it, too, as one line whatever the subject holds. `link` is whose history it belongs to,
    `detail` what was changed.
    """
    subject = subject[:MAX_SUBJECT]
    session.add(
        AuditEntry(
            workspace_id=workspace,
            person_id=person,
            action=action,
            subject=subject,
            link_id=link,
            detail=detail[:MAX_DETAIL],
        )
    )
    log.info("%s by person %s in workspace %d: %s", action, person, workspace, json.dumps(subject))


def by(
    session: Session,
    who: Caller,
    action: str,
    subject: str = "",
    *,
    link: int | None = None,
    detail: str = "",
) -> None:
    """As `record`, for the caller of a request."""
    record(session, who.workspace, who.person, action, subject, link=link, detail=detail)


def page(
    session: Session, workspace: int, *, limit: int, before: int | None = None, link: int | None = None
) -> list[AuditEntry]:
    """Up to `limit` entries of `workspace` (of one `link`), newest first, older than entry number `before`."""
    statement = select(AuditEntry).where(AuditEntry.workspace_id == workspace)
    if link is not None:
        statement = statement.where(AuditEntry.link_id == link)
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    return list(session.scalars(statement.order_by(AuditEntry.id.desc()).limit(limit)))
