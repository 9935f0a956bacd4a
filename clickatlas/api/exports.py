"""Clicks out again: streamed, whatever the filter, in open formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import reaches_back
from clickatlas.api.questions import Questions
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.clicks.filter import Filter, Selection
from clickatlas.clicks.store import ClickRow, ClickStore
from clickatlas.errors import not_found
from clickatlas.links.models import Link

router = APIRouter(prefix="/api/export", tags=["export"])
KINDS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
COLUMNS = (
    "time", "code", "country", "region", "city", "postal_code", "lat", "lon", "radius_km", "unplaced",
    "network", "device", "browser", "system", "language", "referrer",
)  # fmt: skip


@router.get("/clicks.{kind}", response_class=StreamingResponse)
def clicks(kind: str, wanted: FilterDep, opened: HouseDep, who: CallerDep) -> StreamingResponse:
    """The filter's clicks in time order, as csv or ndjson. What is not known is empty (null).

    Where single clicks are kept no longer (`keep_clicks_days`), the header `clicks-since` says since when they are.
    """
    if kind not in KINDS:
        raise not_found(f"There is no export as {kind[:20]!r}.", remedy=f"Use one of {', '.join(KINDS)}.")
    rows = click_rows(opened.questions, who.workspace, wanted)
    lines = csv_lines(rows) if kind == "csv" else (json.dumps(row) + "\n" for row in rows)
    headers = {"content-disposition": f'attachment; filename="clicks.{kind}"'}
    if since := reaches_back(opened, wanted):
        headers["clicks-since"] = since.isoformat()
    return StreamingResponse(_gathered(lines), media_type=KINDS[kind], headers=headers)


def click_rows(questions: Questions, workspace: int, wanted: Filter) -> Iterator[dict[str, Any]]:
    """One dictionary per click, keys as in `COLUMNS`."""
    selection = questions.selection(workspace, wanted)
    atlas = questions.atlas
    within = questions.inside(atlas, wanted)
    with questions.links.reading() as session:
        codes: dict[int, str] = dict(
            session.execute(select(Link.id, Link.code).where(Link.workspace_id == workspace)).all()
        )
    networks = {int(kind) for kind in wanted.networks}
    return _rows(questions.store, atlas, selection, within, codes, networks)


def _rows(
    store: ClickStore,
    atlas: Atlas,
    selection: Selection,
    within: Any,
    codes: dict[int, str],
    networks: set[int],
) -> Iterator[dict[str, Any]]:
    places = atlas.places
    for chunk in store.rows(selection):
        numbers = places.number_of(np.array([row.place_key for row in chunk], np.uint64)).tolist()
        for row, place in zip(chunk, numbers, strict=True):
            if row.kind in networks and (within is None or within[max(place, 0)]):
                yield _row(atlas, row, max(place, 0), codes)


def _row(atlas: Atlas, row: ClickRow, place: int, codes: dict[int, str]) -> dict[str, Any]:
    places, areas = atlas.places, atlas.areas

    def area(level: Level) -> int | None:
        number = int(places.area[level][place])
        return number if number >= 0 else None

    country, region, city, postal = map(area, (Level.COUNTRY, Level.REGION, Level.CITY, Level.POSTAL))
    unplaced = bool(places.unplaced[place])
    return {
        "time": datetime.fromtimestamp(row.time_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "code": codes.get(row.link),
        "country": areas.code(country) if country is not None else None,
        "region": areas.code(region) if region is not None else None,
        "city": areas.name(city) if city is not None else None,
        "postal_code": areas.name(postal) if postal is not None else None,
        # A default centroid is no position: an unplaced click has none.
        "lat": None if unplaced else float(places.lat[place]),
        "lon": None if unplaced else float(places.lon[place]),
        "radius_km": None if unplaced else int(places.radius[place]),
        "unplaced": unplaced,
        "network": NetworkKind(row.kind).name.lower(),
        "device": row.device,
        "browser": row.browser or None,
        "system": row.system or None,
        "language": row.language or None,
        "referrer": row.referrer or None,
    }


def csv_lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """CSV with a header. A text that a spreadsheet would run as a formula gets a leading apostrophe."""
    yield ",".join(COLUMNS) + "\r\n"
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS)
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _inert(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _gathered(lines: Iterator[str], size: int = 1 << 16) -> Iterator[str]:
    """Lines in pieces of about `size` characters: a network packet per line would be slow."""
    piece: list[str] = []
    length = 0
    for line in lines:
        piece.append(line)
        length += len(line)
        if length >= size:
            yield "".join(piece)
            piece, length = [], 0
    yield "".join(piece)
