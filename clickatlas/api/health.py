"""Whether the house stands: health for machines, status for people."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import text

from clickatlas import __version__
from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.house import House
from clickatlas.atlas.places import PRIVATE
from clickatlas.clicks.filter import EVERYTHING, Filter

router = APIRouter(tags=["operation"])


@router.get("/health")
def health(request: Request) -> Response:
    """Live: the processes answer. Ready: links and clicks can be read, and clicks are being counted."""
    opened: House = request.app.state.house
    faults = []
    try:
        with opened.links.reading() as session:
            session.execute(text("SELECT 1"))
    except Exception as error:
        faults.append(f"links: {error}")
    if opened.ingest.error:
        faults.append(f"ingest: {opened.ingest.error}")
    if not opened.ingest.is_alive():
        faults.append("ingest: stopped")
    body = {"live": True, "ready": not faults, "faults": faults, "version": __version__}
    return JSONResponse(body, 503 if faults else 200, {"cache-control": "no-store"})


class IngestStatus(BaseModel):
    """How far counting is behind the short links."""

    lag_clicks: int = Field(description="Answered, and not counted yet.")
    lag_seconds: float
    error: str | None


class StoreStatus(BaseModel):
    """What the workspace's clicks are made of."""

    clicks: int
    unplaced: int
    private: int = Field(description="From private addresses: a proxy that is not trusted, as a rule.")


class AtlasStatus(BaseModel):
    """Which City database is in use."""

    built: datetime
    age_days: int
    version: str


class Status(BaseModel):
    """How the house is doing."""

    version: str
    ingest: IngestStatus
    store: StoreStatus
    atlas: AtlasStatus


@router.get("/api/status")
def status(opened: HouseDep, who: CallerDep) -> Status:
    """How far counting is behind, how old the City database is, and what addresses look like."""
    lag = opened.ingest.ingest.lag()
    built = opened.atlas.built
    counts = opened.questions.snapshot(who.workspace, Filter(networks=EVERYTHING)).counts
    return Status(
        version=__version__,
        ingest=IngestStatus(
            lag_clicks=lag.clicks, lag_seconds=round(lag.seconds, 1), error=opened.ingest.error
        ),
        store=StoreStatus(clicks=counts.total, unplaced=counts.unplaced, private=int(counts.clicks[PRIVATE])),
        atlas=AtlasStatus(
            built=built, age_days=(datetime.now(UTC) - built).days, version=opened.atlas.version
        ),
    )
