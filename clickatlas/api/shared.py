"""A shared map as its visitors get it. Nothing here takes a filter: which clicks, and how few, the share alone says.

The secret in the address is the key, and opens these routes only; no session or token is looked at.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.armour import address_of
from clickatlas.api.caller import Callers, HouseDep
from clickatlas.api.document import tile_of
from clickatlas.api.embeds import HEIGHT, LEAST, WIDTH, address, iframe, secret_in
from clickatlas.api.geo import LEVELS, Bbox, Table
from clickatlas.api.hashing import Hashing
from clickatlas.api.heat import MVT, THE_WORLD, Step, Token, Zoom, caching, matches, on_the_map
from clickatlas.api.house import House
from clickatlas.api.limits import Buckets, network_of
from clickatlas.api.questions import Snapshot
from clickatlas.clicks.filter import Filter, zone_info
from clickatlas.errors import Problem, not_found
from clickatlas.insight.areas import by_area, rows
from clickatlas.links import passwords, shares
from clickatlas.links.models import Share

router = APIRouter(tags=["shared maps"])
PREFIX = "/api/shared/{secret}"
Secret = Annotated[str, Path(min_length=1, max_length=200, description="The last part of the map's address.")]
Ticket = Annotated[str, Query(max_length=200, description="What a password was answered with.")]


class SharedMap(BaseModel):
    """What a shared map shows, in numbers."""

    title: str
    mode: str = Field(description="heat or clusters: how it begins.")
    first_day: date | None = Field(description="Null: from the first click on.")
    last_day: date | None = Field(description="Null: up to this moment.")
    tz: str
    total: int = Field(description="Clicks.")
    unplaced: int = Field(
        description="Of them, known to a country or region at best: never drawn as a point."
    )
    withheld: int = Field(description="Of them, in areas that are not shown as they have too few.")
    min_cell: int = Field(description="No area with fewer clicks is shown, nor what would tell of one.")
    tiles: list[str] = Field(description="Addresses of the vector tiles, with {z}, {x} and {y}.")
    bounds: Bbox
    heat_max: dict[str, int] = Field(description="Per zoom, clicks of the fullest cell of 1/256 tile.")
    attribution: str
    expires_at: datetime | None


class SharedRow(BaseModel):
    """One area."""

    id: str
    name: str
    flag: str
    country: str
    country_name: str | None
    clicks: int
    share: float = Field(description="Of `total`.")
    lat: float | None
    lon: float | None
    bbox: Bbox | None


class SharedTable(BaseModel):
    """Areas, most clicks first."""

    total: int
    unlisted: int = Field(
        description="Clicks in no row: known to a coarser level only, or of areas that aren't shown."
    )
    min_cell: int
    rows: list[SharedRow]


class Password(BaseModel):
    """A shared map's password."""

    model_config = ConfigDict(extra="forbid")
    password: Annotated[str, StringConstraints(max_length=1000)]


class Admission(BaseModel):
    """What opens a shared map for half a day."""

    ticket: str


class OEmbed(BaseModel):
    """An answer of type `rich`, as https://oembed.com has it."""

    version: str = "1.0"
    type: str = "rich"
    provider_name: str = "clickatlas"
    provider_url: str
    title: str
    html: str
    width: int
    height: int
    cache_age: int = 3600


class Visits(Buckets):
    """How often one network may ask for shared maps."""


def share_of(request: Request, secret: str, opened: House) -> Share:
    """The share that `secret` opens; raises `Problem` (404, 429)."""
    visits: Visits = request.app.state.visits
    visits.take(network_of(address_of(request)))
    with opened.links.reading() as session:
        share = shares.opened_by(session, secret)
    if share is None:
        raise not_found(
            "There is no such map: it was ended, or its address is not whole.",
            remedy="Ask who sent it to you.",
        )
    return share


def visited(request: Request, secret: Secret, opened: HouseDep, ticket: Ticket = "") -> Share:
    """The share of the address, to one who may see it; raises `Problem` (401, 404, 429)."""
    share = share_of(request, secret, opened)
    if not shares.admits(share, ticket):
        raise Problem(401, "Password", "This map has a password.", remedy="Ask who sent it to you.")
    return share


VisitedDep = Annotated[Share, Depends(visited)]


@router.get(PREFIX)
def shared_map(secret: Secret, share: VisitedDep, opened: HouseDep, ticket: Ticket = "") -> SharedMap:
    """A shared map: its title, days and totals, and where its tiles are."""
    snapshot, wanted = _snapshot(opened, share)
    counts, heat = snapshot.counts, snapshot.heat
    query = urlencode([*([("ticket", ticket)] if share.password else []), ("v", snapshot.token)])
    return SharedMap(
        title=share.title,
        mode=share.mode,
        first_day=_day(wanted.start, wanted.zone),
        last_day=_day(wanted.end - 1 if wanted.end is not None else None, wanted.zone),
        tz=wanted.zone,
        total=counts.total,
        unplaced=counts.unplaced,
        withheld=counts.withheld,
        min_cell=wanted.least,
        tiles=[f"{opened.settings.base_url}/api/shared/{quote(secret)}/tiles/{{z}}/{{x}}/{{y}}.mvt?{query}"],
        bounds=heat.bounds or THE_WORLD,
        heat_max={str(zoom): clicks for zoom, clicks in enumerate(heat.largest_cell)},
        attribution=", ".join(source.attribution for source in snapshot.atlas.sources),
        expires_at=share.expires_at,
    )


@router.get(f"{PREFIX}/tiles/{{z}}/{{x}}/{{y}}.mvt", response_class=Response, responses=tile_of(MVT))
def tile(
    request: Request, z: Zoom, x: Step, y: Step, share: VisitedDep, opened: HouseDep, v: Token = None
) -> Response:
    """One tile of a shared map, as those of /api/heat/tiles."""
    on_the_map(z, x, y)
    snapshot, _ = _snapshot(opened, share, v)
    headers = caching(snapshot.token)
    if matches(request.headers.get("if-none-match", ""), headers["etag"]):
        return Response(status_code=304, headers=headers)
    data = snapshot.heat.tile(z, x, y)
    return Response(data, 200 if data else 204, headers, media_type=MVT if data else None)


@router.get(f"{PREFIX}/places/{{table}}")
def places(
    table: str, share: VisitedDep, opened: HouseDep, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> SharedTable:
    """A shared map's areas: countries, regions, metros, counties, cities or postal-codes."""
    if table not in LEVELS:
        raise not_found(f"There is no table {table[:80]!r}.", remedy=f"Use one of {', '.join(LEVELS)}.")
    snapshot, wanted = _snapshot(opened, share)
    found = by_area(snapshot.counts, snapshot.atlas, LEVELS[Table(table)])
    told = rows(found, snapshot.heat.expectation, limit)
    fields = SharedRow.model_fields
    return SharedTable(
        total=snapshot.counts.total,
        unlisted=found.unlisted,
        min_cell=wanted.least,
        rows=[SharedRow(**{name: row[name] for name in fields}) for row in told],
    )


@router.post(f"{PREFIX}/password")
async def admit(secret: Secret, given: Password, request: Request, opened: HouseDep) -> Admission:
    """Give a shared map's password; the answer opens it for half a day. Guesses are few a minute (429)."""
    callers: Callers = request.app.state.callers
    hashing: Hashing = request.app.state.hashing
    share = await run_in_threadpool(share_of, request, secret, opened)
    if share.password is None:
        return Admission(ticket="")
    network, account = network_of(address_of(request)), f"share {share.id}"
    callers.guesses.take(network)
    callers.accounts.take(account)
    stored = share.password
    if not await hashing.run(lambda: passwords.fits(stored, given.password)):
        raise Problem(401, "Password", "That is not the password.", remedy="Ask who sent it to you.")
    callers.guesses.give(network)
    callers.accounts.give(account)
    return Admission(ticket=shares.ticket(share))


@router.get("/api/oembed")
def oembed(
    request: Request,
    opened: HouseDep,
    url: Annotated[str, Query(max_length=2000, description="A shared map's address.")],
    maxwidth: Annotated[int, Query(ge=1, le=10_000)] = WIDTH,
    maxheight: Annotated[int, Query(ge=1, le=10_000)] = HEIGHT,
    wants: Annotated[Literal["json"], Query(alias="format", description="There is no other.")] = "json",
) -> OEmbed:
    """What another site needs to embed a shared map (oEmbed 1.0)."""
    secret = secret_in(url, opened.settings)
    share = share_of(request, secret or "", opened)
    if not share.embed:
        raise Problem(
            401,
            "Not embeddable",
            "Who shared this map did not allow it to be embedded.",
            remedy="Link to it.",
        )
    title = "A map with a password" if share.password else share.title
    width, height = max(LEAST, min(maxwidth, WIDTH)), max(LEAST, min(maxheight, HEIGHT))
    html = iframe(address(opened.settings, secret or ""), title, width, height)
    return OEmbed(provider_url=opened.settings.base_url, title=title, html=html, width=width, height=height)


def _snapshot(opened: House, share: Share, token: str | None = None) -> tuple[Snapshot, Filter]:
    """What the share shows. Refusals name nothing of what it is made of. Raises `Problem` (403, 404, 410)."""
    with opened.links.reading() as session:
        wanted = shares.filter_of(session, share, opened.settings.min_cell)
    try:
        return opened.questions.snapshot(share.workspace_id, wanted, token), wanted
    except Problem as problem:
        if problem.status == 403:
            raise Problem(
                403,
                "Too few clicks",
                "This map has too few clicks to show where they are from.",
                remedy="Come back later.",
            ) from None
        raise Problem(
            410, "Gone", "What this map showed is no longer there.", remedy="Ask who sent it to you."
        ) from None


def _day(time_ms: int | None, zone: str) -> date | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, zone_info(zone)).date()
