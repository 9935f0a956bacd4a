"""Requests that may be sent again: what was answered to an ``Idempotency-Key`` is answered again for a day.

After draft-ietf-httpapi-idempotency-key-header: the same key with another request is refused (422).
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from clickatlas.errors import invalid
from clickatlas.links.models import Receipt, now

KEPT = timedelta(days=1)


def answered(session: Session, workspace: int, key: str | None, request: Any) -> dict[str, Any] | None:
    """What was answered to this `request` before; None where it is new. Raises `Problem` (422) for another one."""
    if key is None:
        return None
    found = session.get(Receipt, (workspace, key))
    if found is None or found.at < now() - KEPT:
        return None
    if found.request != _digest(request):
        raise invalid(
            "This Idempotency-Key came with another request before.", remedy="Use a new key for each request."
        )
    return found.answer


def keep(session: Session, workspace: int, key: str | None, request: Any, answer: dict[str, Any]) -> None:
    """Note the `answer` in the transaction of what was done; and forget what is older than a day."""
    if key is None:
        return
    session.execute(delete(Receipt).where(Receipt.at < now() - KEPT))
    session.merge(Receipt(workspace_id=workspace, key=key, request=_digest(request), answer=answer, at=now()))


def _digest(request: Any) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
