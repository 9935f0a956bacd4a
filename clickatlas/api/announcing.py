"""What webhooks are told: links as the API shows them, and clicks as the live stream does."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from clickatlas.api.house import House
from clickatlas.api.link_forms import LinkOut
from clickatlas.api.live import Watcher
from clickatlas.clicks.filter import EVERYTHING, Filter
from clickatlas.clicks.store import Batch
from clickatlas.errors import Problem
from clickatlas.webhooks import outbox

log = logging.getLogger("clickatlas.webhooks")


def link_created(session: Session, workspace: int, link: LinkOut) -> None:
    """Put `link.created` into the outbox, in the transaction that made the link."""
    if not link.sample:
        outbox.announce(session, workspace, outbox.LINK_CREATED, link.model_dump(mode="json"))


def clicks_of(opened: House, workspace: int, batches: Iterable[Batch]) -> list[dict[str, Any]]:
    """The clicks of `workspace` in `batches`, of every network kind, no more precise than the live stream tells them."""
    try:
        watcher = Watcher(opened, workspace, Filter(networks=EVERYTHING, least=opened.settings.min_cell))
    except Problem as problem:  # too few for the operator's min_cell: nothing may be told
        log.info("clicks of workspace %d are not told to its webhooks: %s", workspace, problem.detail)
        return []
    rows = [watcher.row(batch, int(at)) for batch in batches for at in watcher.which(batch)]
    for row in rows:
        row.pop("age_ms")
    return rows
