"""What the routes share: the opened rooms of one app process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from fastapi import Request

from clickatlas import __version__
from clickatlas.api.broadcast import Broadcast
from clickatlas.api.feed import Feed
from clickatlas.api.questions import Questions
from clickatlas.api.spent import Spent
from clickatlas.api.titles import Titles
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.ingest import IngestThread
from clickatlas.clicks.store import ClickStore, StoreFault
from clickatlas.errors import Problem
from clickatlas.faults import FAULTS, Cause
from clickatlas.imports.jobs import Jobs
from clickatlas.links.database import LinksDatabase
from clickatlas.mail.post import Post
from clickatlas.oidc.provider import Provider
from clickatlas.settings import Settings
from clickatlas.webhooks.clicks import ClickGatherer
from clickatlas.webhooks.courier import Courier


class Background(Protocol):
    """Work that goes on beside answers, in a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, and be done in a few seconds."""


@dataclass
class House:
    """The rooms, opened. One per app process, made by `create_app`."""

    settings: Settings
    links: LinksDatabase
    store: ClickStore
    ingest: IngestThread
    questions: Questions
    titles: Titles
    spent: Spent
    broadcast: Broadcast
    courier: Courier
    post: Post
    imports: Jobs
    provider: Provider | None = None  # where an identity provider is set
    feed: Feed | None = None  # where others write the store, too
    gatherer: ClickGatherer | None = None  # made once the house is, as it asks it
    background: list[Background] = field(default_factory=list)  # the same

    @property
    def atlas(self) -> Atlas:
        """The atlas in use; a newer one may take its place at any time."""
        return self.questions.atlas

    @property
    def static(self) -> Path:
        """The built web page."""
        return Path(__file__).parent.parent / "static"


def house(request: Request) -> House:
    """The house of the app that answers `request`; raises `Problem` (503) while it can't be opened."""
    opened: House | None = request.app.state.house
    if opened is None:
        raise request.app.state.shut
    return opened


def is_away(opened: House, error: Exception) -> bool:
    """Whether `error` is the absence of PostgreSQL or of the click store, which the log has already, with what to do."""
    return isinstance(error, StoreFault) or opened.links.is_away(error)


def shut_by(error: Exception) -> Problem:
    """What every question is answered while `error` keeps the house from opening; `/health` too.

    Names no path: anybody may read it. The log has all of it.
    """
    title = error.title if isinstance(error, Problem) else "Can't be opened"
    fault = FAULTS[Cause.OPENING]
    what = f"{title}. {fault.what}"
    said = {"name": fault.cause, "severity": fault.severity, "what": what, "mend": fault.mend}
    state = {"live": True, "ready": False, "faults": [said], "version": __version__}
    return Problem(503, title, what, remedy=fault.mend, extra=state)


def reaches_back(opened: House, wanted: Filter) -> datetime | None:
    """Since when single clicks are kept, where the filter asks for earlier ones, too; else None."""
    since = opened.store.kept_since
    if since is None or (wanted.start is not None and wanted.start >= since):
        return None
    return datetime.fromtimestamp(since / 1000, UTC)
