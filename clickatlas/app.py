"""The app process: opens the rooms and wires them to the routes. Nothing imports this module."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from clickatlas import __version__
from clickatlas.api import (
    areas,
    audit,
    basemap,
    breakdown,
    clicks,
    compare,
    exports,
    filters,
    frames,
    geo,
    health,
    heat,
    hours,
    links,
    session,
    surface,
    views,
)
from clickatlas.api.armour import Armour
from clickatlas.api.caller import Callers
from clickatlas.api.document import document
from clickatlas.api.house import House
from clickatlas.api.pages import add_pages
from clickatlas.api.questions import Questions
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.atlas.watch import EVERY_S, Watch
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.ingest import Ingest, IngestThread
from clickatlas.errors import Problem
from clickatlas.links.database import LinksDatabase
from clickatlas.settings import Settings

log = logging.getLogger("clickatlas.app")
PROBLEM = "application/problem+json"


def open_house(settings: Settings) -> House:
    """Open all rooms on the data folder. Raises `Problem` where one can't be opened."""
    folder = current(settings.data / "atlas")
    if folder is None:
        raise Problem(503, "No atlas", "There is no atlas yet.", remedy="Run 'clickatlas atlas update'.")
    atlas = Atlas.open(folder)
    links_database = LinksDatabase(settings.data)
    links_database.migrate()
    links_database.changes.bump()  # in case somebody died between a change and its telling
    store = DuckDBStore(settings.data / "clicks.duckdb", memory=settings.store_memory)
    ingest = Ingest(settings.data / "spool", store, links_database, keep_days=settings.keep_clicks_days)
    return House(
        settings=settings,
        links=links_database,
        store=store,
        ingest=IngestThread(ingest, interval_ms=settings.ingest_interval_ms),
        questions=Questions(atlas, store, links_database),
    )


def create_app(settings: Settings) -> FastAPI:
    """The app, with its rooms opened at start and closed at the end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        house = app.state.house = open_house(settings)
        house.ingest.start()
        following = asyncio.create_task(_follow_atlas(house))
        try:
            yield
        finally:
            following.cancel()
            house.ingest.stop()
            house.store.close()
            house.links.close()

    app = FastAPI(
        title="clickatlas",
        version=__version__,
        description="Short links, and where in the world people click them.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.callers = Callers(settings)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(Armour, settings=settings)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)
    rooms = (
        links, geo, clicks, breakdown, hours, heat, surface, frames, compare, areas, basemap, filters, views, exports, session, audit, health,
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


async def _follow_atlas(house: House) -> None:
    """Take up an atlas that `clickatlas atlas update` put in use, while answering goes on."""
    watch = Watch(house.settings.data / "atlas")
    while True:
        await asyncio.sleep(EVERY_S)
        if folder := watch.newer():
            try:
                await asyncio.to_thread(lambda: house.questions.take(Atlas.open(folder)))
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


async def _fault(request: Request, error: Exception) -> JSONResponse:
    log.error("fault while answering %s %s", request.method, request.url.path, exc_info=error)
    problem = Problem(
        500, "Our mistake", "Something went wrong in clickatlas.", remedy="The server's log has more."
    )
    return JSONResponse(problem.document(), 500, media_type=PROBLEM)


if __name__ == "__main__":  # the API's document, for docs/openapi.json and the page's types
    print(json.dumps(create_app(Settings.model_validate({})).openapi(), indent=1, ensure_ascii=False))
