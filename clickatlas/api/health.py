"""Whether the house stands: health for machines, status for people.

Live: the processes answer; restart them where this fails. Ready: links and clicks can be read, so people may
be sent here. A fault of counting makes it no less ready: short links go on, and the spool keeps the clicks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from clickatlas import __version__
from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.readings import links_readable, readings
from clickatlas.atlas.places import PRIVATE
from clickatlas.clicks.filter import EVERYTHING, Filter
from clickatlas.faults import Cause, Fault, Severity, faults
from clickatlas.redirect.pulse import read_all

router = APIRouter(tags=["operation"])


class Live(BaseModel):
    """Said by whatever process answers."""

    live: Literal[True] = True


class Ready(BaseModel):
    """Whether people may be sent here."""

    ready: bool = Field(
        description="Links can be read, and the API answers. Short links are answered without that."
    )


class FaultShown(BaseModel):
    """One thing that is wrong."""

    name: Cause
    severity: Severity = Field(description="`broken`: something does not work. `warning`: to be looked at.")
    what: str
    mend: str = Field(description="What to do about it.")


class Health(BaseModel):
    """How the house is, for a monitor: 503 where it is not ready or anything is broken."""

    live: Literal[True] = True
    ready: bool
    faults: list[FaultShown] = Field(description="Worst first; empty when all is well.")
    version: str

    @property
    def is_broken(self) -> bool:
        """Whether something does not work: more than a warning."""
        return any(fault.severity is Severity.BROKEN for fault in self.faults)


def health_of(found: list[Fault], *, ready: bool) -> Health:
    """What `/health` says of faults, worst first."""
    shown = [FaultShown(name=f.cause, severity=f.severity, what=f.what, mend=f.mend) for f in found]
    return Health(ready=ready, faults=shown, version=__version__)


def _away(model: type[BaseModel], what: str) -> dict[int | str, dict[str, Any]]:
    return {503: {"model": model, "description": what}}


@router.get("/health", responses=_away(Health, "Not ready, or something is broken"))
def health(opened: HouseDep, response: Response) -> Health:
    """Everything that is wrong, by name; 503 where something is broken, 200 where there are only warnings."""
    seen = readings(opened)
    told = health_of(faults(seen), ready=seen.links_readable)
    response.headers["cache-control"] = "no-store"
    if told.is_broken:
        response.status_code = 503
    return told


@router.get("/health/live")
async def live(response: Response) -> Live:
    """The process answers. The street says this itself when the app is away: short links go on."""
    response.headers["cache-control"] = "no-store"
    return Live()


@router.get("/health/ready", responses=_away(Ready, "Not ready"))
def ready(opened: HouseDep, response: Response) -> Ready:
    """Whether links can be read and the API answers; 503 where not."""
    response.headers["cache-control"] = "no-store"
    is_ready = links_readable(opened)
    response.status_code = 200 if is_ready else 503
    return Ready(ready=is_ready)


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
    lost: int = Field(
        description="Answered clicks that the disk refused, ever, in the whole installation: they are in no count. "
        "0 where all is well."
    )
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
        lost=sum(street.lost for street in read_all(opened.settings.data / "run")),
        ingest=IngestStatus(
            lag_clicks=lag.clicks, lag_seconds=round(lag.seconds, 1), error=opened.ingest.error
        ),
        store=StoreStatus(clicks=counts.total, unplaced=counts.unplaced, private=int(counts.clicks[PRIVATE])),
        atlas=AtlasStatus(
            built=built, age_days=(datetime.now(UTC) - built).days, version=opened.atlas.version
        ),
    )
