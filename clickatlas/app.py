"""The app process: opens the rooms and wires them to the routes. Nothing imports this module."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from clickatlas import __version__
from clickatlas.api import (
    annotation,
    areas,
    arrivals,
    audit,
    basemap,
    breakdown,
    bulk,
    campaigns,
    change,
    clicks,
    coasts,
    compare,
    deviations,
    digest,
    domains,
    exports,
    filters,
    frames,
    geo,
    health,
    heat,
    hours,
    identities,
    imports,
    insights,
    invitations,
    joining,
    links,
    live,
    locks,
    markets,
    members,
    metrics,
    oidc,
    peaks,
    plan,
    profile,
    qr,
    session,
    shared,
    shares,
    sign_in,
    surface,
    tokens,
    utm,
    views,
    visitors,
    webhooks,
    workspace,
    workspaces,
)
from clickatlas.api.announcing import clicks_of
from clickatlas.api.armour import Armour
from clickatlas.api.broadcast import Broadcast
from clickatlas.api.caller import Callers
from clickatlas.api.collector import Figures, HouseCollector
from clickatlas.api.deck import preparations
from clickatlas.api.document import document
from clickatlas.api.domain_watch import DomainWatch
from clickatlas.api.feed import Feed
from clickatlas.api.hashing import Hashing
from clickatlas.api.house import House, shut_by
from clickatlas.api.latency import Latencies, Measured
from clickatlas.api.lookout import Lookout
from clickatlas.api.pages import add_pages
from clickatlas.api.patches import patches
from clickatlas.api.questions import Questions
from clickatlas.api.spent import Spent
from clickatlas.api.thinking import Thinking
from clickatlas.api.titles import Titles
from clickatlas.api.uploads import ReadToTheEnd
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.atlas.watch import EVERY_S, Watch
from clickatlas.clicks.duckdb import StoreError
from clickatlas.clicks.ingest import Ingest, IngestThread
from clickatlas.clicks.opening import open_store
from clickatlas.clicks.store import Batch, Shared, StoreFault
from clickatlas.digests.sender import Sender
from clickatlas.errors import PROBLEM, Problem
from clickatlas.imports.jobs import Jobs
from clickatlas.links.database import REFUSALS, LinksDatabase
from clickatlas.links.postgres import Away
from clickatlas.mail.post import Post
from clickatlas.oidc.provider import Provider
from clickatlas.redirect.follower import Follower
from clickatlas.settings import Settings
from clickatlas.webhooks.clicks import ClickGatherer
from clickatlas.webhooks.courier import Courier

log = logging.getLogger("clickatlas.app")
OPEN_AGAIN_S = 1.0
PREPARE_AFTER_S = 5.0


def open_house(settings: Settings) -> House:
    """Open all rooms on the data folder. Raises `Problem` where one can't be opened."""
    folder = current(settings.data / "atlas")
    if folder is None:
        raise Problem(503, "No atlas", "There is no atlas yet.", remedy="Run 'clickatlas atlas update'.")
    atlas = Atlas.open(folder)
    with ExitStack() as undo:
        store = open_store(
            settings.clicks_url,
            settings.data,
            memory=settings.store_memory,
            quarantine=True,
            keep_days=settings.keep_clicks_days,
        )
        undo.callback(store.close)
        links_database = LinksDatabase(settings.data, settings.database_url)
        undo.callback(links_database.close)
        links_database.migrate()
        links_database.changes.bump()  # in case somebody died between a change and its telling
        ingest = Ingest(settings.data / "spool", store, links_database, keep_days=settings.keep_clicks_days)
        store.patch(patches(atlas))
        broadcast = Broadcast()
        undo.pop_all()
    house = House(
        settings=settings,
        links=links_database,
        store=store,
        ingest=IngestThread(ingest, interval_ms=settings.ingest_interval_ms),
        questions=Questions(atlas, store, links_database),
        titles=Titles(settings, links_database),
        spent=Spent(links_database, store),
        broadcast=broadcast,
        post=Post(settings),
        imports=Jobs(),
        courier=Courier(settings, links_database),
        provider=Provider(settings) if settings.oidc_issuer else None,
        feed=Feed(store, broadcast) if isinstance(store, Shared) else None,
    )
    gatherer = house.gatherer = ClickGatherer(links_database, functools.partial(clicks_of, house))

    def counted(batch: Batch) -> None:
        if house.feed is None:  # else it tells of these, too
            broadcast.tell(batch)
        gatherer.tell(batch)

    ingest.on_counted = counted
    house.background = [Lookout(house), Sender(house), DomainWatch(house)]
    if house.feed is not None:
        house.background.append(house.feed)
    if settings.database_url:
        house.background.append(Follower(settings.data, settings.database_url))
    return house


def create_app(settings: Settings) -> FastAPI:
    """The app, with its rooms opened at start and closed at the end."""

    latencies = Latencies()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        metrics.make_token(settings)
        await _open(app, settings, latencies)
        app.state.hashing.prepare()
        living = asyncio.create_task(_live(app, settings, latencies))
        try:
            yield
        finally:
            living.cancel()
            house: House | None = app.state.house
            if house is not None:
                for work in house.background:
                    work.stop()
                house.imports.stop()
                house.spent.stop()
                house.ingest.stop()
                if house.gatherer is not None:
                    house.gatherer.stop()
                house.courier.stop()
                house.store.close()
                house.links.close()
                house.post.close()

    app = FastAPI(
        title="clickatlas",
        version=__version__,
        description="Short links, and where in the world people click them.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.house, app.state.shut, app.state.settings = None, None, settings
    app.state.registry = metrics.registry_of(Figures(settings, latencies))
    app.state.callers = Callers(settings)
    app.state.hashing = Hashing()
    app.state.thinking = Thinking()
    app.state.visits = shared.Visits(settings.share_rate, "Requests for shared maps from your network")
    app.add_middleware(ReadToTheEnd)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(Armour, settings=settings)
    app.add_middleware(Measured, latencies=latencies)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StoreError, _store_fault)
    app.add_exception_handler(Away, _links_away)
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, _links_away)
    app.add_exception_handler(DataError, _unkept)
    app.add_exception_handler(StoreFault, _store_fault)
    app.add_exception_handler(Exception, _fault)
    rooms = (
        bulk, links, domains, live, locks, qr, utm, campaigns, geo, clicks, visitors, change, annotation, breakdown, hours, heat, surface, frames, compare, insights, coasts, peaks, markets, deviations, areas, basemap, filters, views, exports, imports, shares, shared, webhooks, digest, session, workspace, workspaces, sign_in, oidc, arrivals, joining, profile, identities, members, invitations, plan, tokens, audit, health,
        metrics,
    )  # fmt: skip
    for room in rooms:
        _title_routes(room.router)
        app.include_router(room.router)
    add_pages(app, Path(__file__).parent / "static")
    described = functools.cache(lambda: document(app, app.routes))
    setattr(app, "openapi", described)  # noqa: B010 - FastAPI's way to a document of one's own
    return app


def _title_routes(router: APIRouter) -> None:
    """Each route's docstring in the API's document: its first sentence as the title, the rest below it."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.summary is None:
            title, _, rest = route.description.partition("\n")
            route.summary, route.description = title.strip().removesuffix("."), rest.strip()


async def _open(app: FastAPI, settings: Settings, latencies: Latencies) -> None:
    """Open the house where that can be done; else every question is answered with the reason."""
    try:
        house = await asyncio.to_thread(open_house, settings)
    except Exception as error:
        if app.state.shut is None or str(error) != str(app.state.shut.__cause__):
            why = f"{error} {error.remedy}" if isinstance(error, Problem) else f"{error!r}"
            log.error("can't be opened; tried again: %s", why, exc_info=not isinstance(error, Problem))
        app.state.shut = shut_by(error)
        app.state.shut.__cause__ = error
    else:
        house.ingest.start()
        house.spent.start()
        house.courier.start()
        for work in house.background:
            work.start()
        if house.gatherer is not None:
            house.gatherer.start()
        app.state.registry = metrics.registry_of(HouseCollector(house, latencies))
        app.state.house = house


async def _live(app: FastAPI, settings: Settings, latencies: Latencies) -> None:
    while app.state.house is None:
        await asyncio.sleep(OPEN_AGAIN_S)
        await _open(app, settings, latencies)
    await asyncio.gather(_prepare(app.state.house.atlas, PREPARE_AFTER_S), _follow_atlas(app.state.house))


async def _prepare(atlas: Atlas, after: float = 0) -> None:
    """Make what insights need of an atlas, a step at a time; `after` so many seconds, as others are in more of a hurry."""
    await asyncio.sleep(after)
    for step in preparations(atlas):
        try:
            await asyncio.to_thread(step)
        except Exception:
            log.exception("what insights need can't be made ready; it is made when it is asked for")


async def _follow_atlas(house: House) -> None:
    """Take up an atlas that `clickatlas atlas update` put in use, while answering goes on."""
    watch = Watch(house.settings.data / "atlas")
    while True:
        await asyncio.sleep(EVERY_S)
        if folder := watch.newer():
            try:
                atlas = await asyncio.to_thread(Atlas.open, folder)
                await _prepare(atlas)
                await asyncio.to_thread(house.questions.take, atlas)
                house.store.patch(await asyncio.to_thread(patches, atlas))
                log.info("atlas %s is in use", house.atlas.version)
            except Exception:
                log.exception("the new atlas can't be used; the one before stays in use")


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
    if error.status == 429:
        headers["retry-after"] = str(error.extra["retry_after"])
    return JSONResponse(error.document(), error.status, headers, media_type=PROBLEM)


async def _unreadable(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    field = ".".join(where) or "body"
    problem = Problem(
        422,
        "Invalid request",
        f"{field}: {first['msg']}.",
        remedy="See /docs for what this takes.",
        extra={"field": field},
    )
    return JSONResponse(problem.document(), 422, media_type=PROBLEM)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = {404: "Not found", 405: "Method not allowed"}.get(error.status_code, "Error")
    problem = Problem(error.status_code, title, str(error.detail), remedy="See /docs for what there is.")
    return JSONResponse(problem.document(), error.status_code, error.headers, media_type=PROBLEM)


async def _store_fault(request: Request, error: Exception) -> JSONResponse:
    found: Problem = request.app.state.house.store.problem(error)
    log.error("while answering %s: %s %s", request.url.path, found.detail, found.remedy)
    # Not the detail: it names files, and who asks may be anybody with a key.
    problem = Problem(
        503,
        found.title,
        f"{found.title}: this can't be answered now.",
        remedy="The server's log says what to do.",
    )
    return JSONResponse(problem.document(), problem.status, media_type=PROBLEM)


async def _links_away(request: Request, error: Exception) -> JSONResponse:
    found = error if isinstance(error, Away) else request.app.state.house.links.refusal(error)
    log.error("while answering %s: %s %s", request.url.path, found.detail, found.remedy)
    # Not the detail: it names the server, and who asks may be anybody with a key.
    problem = Problem(
        503,
        found.title,
        f"{found.title}: this can't be answered now. Short links go on.",
        remedy="Try again in a moment. The server's log says what to do.",
    )
    return JSONResponse(problem.document(), 503, {"retry-after": "5"}, media_type=PROBLEM)


async def _unkept(_request: Request, _error: Exception) -> JSONResponse:
    """PostgreSQL keeps no zero bytes in texts, and nothing that is longer than its column."""
    problem = Problem(
        422, "Invalid request", "A text has a zero byte, or is too long to be kept.", remedy="Take it out."
    )
    return JSONResponse(problem.document(), 422, media_type=PROBLEM)


async def _fault(request: Request, error: Exception) -> JSONResponse:
    log.error("fault while answering %s %s", request.method, request.url.path, exc_info=error)
    problem = Problem(
        500, "Our mistake", "Something went wrong in clickatlas.", remedy="The server's log has more."
    )
    return JSONResponse(problem.document(), 500, media_type=PROBLEM)


if __name__ == "__main__":  # the API's document, for docs/openapi.json and the page's types
    print(json.dumps(create_app(Settings.model_validate({})).openapi(), indent=1, ensure_ascii=False))
