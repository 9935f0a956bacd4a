"""What the routes share: the opened rooms of one app process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi import Request

from clickatlas.api.questions import Questions
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.ingest import IngestThread
from clickatlas.clicks.store import ClickStore
from clickatlas.links.database import LinksDatabase
from clickatlas.settings import Settings


@dataclass
class House:
    """The rooms, opened. One per app process, made by `create_app`."""

    settings: Settings
    links: LinksDatabase
    store: ClickStore
    ingest: IngestThread
    questions: Questions

    @property
    def atlas(self) -> Atlas:
        """The atlas in use; a newer one may take its place at any time."""
        return self.questions.atlas

    @property
    def static(self) -> Path:
        """The built web page."""
        return Path(__file__).parent.parent / "static"


def house(request: Request) -> House:
    """The house of the app that answers `request`."""
    opened: House = request.app.state.house
    return opened


def reaches_back(opened: House, wanted: Filter) -> datetime | None:
    """Since when single clicks are kept, where the filter asks for earlier ones, too; else None."""
    since = opened.store.kept_since
    if since is None or (wanted.start is not None and wanted.start >= since):
        return None
    return datetime.fromtimestamp(since / 1000, UTC)
