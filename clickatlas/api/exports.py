"""Everything out again: streamed, whatever the filter, in open formats."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from clickatlas.api.breakdown import Part
from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.clicks import Bucket
from clickatlas.api.export_clicks import clicks_table
from clickatlas.api.export_tables import TABLES, Wanted
from clickatlas.api.filters import FilterDep
from clickatlas.api.geo import ShownDep
from clickatlas.api.house import reaches_back
from clickatlas.errors import not_found
from clickatlas.formats.files import FORMATS, Format, begun
from clickatlas.formats.frames import Table

router = APIRouter(prefix="/api/export", tags=["export"])
_BINARY = {"type": "string", "format": "binary"}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            written.media.partition(";")[0]: {
                "schema": _BINARY if kind is Format.PARQUET else {"type": "string"}
            }
            for kind, written in FORMATS.items()
        }
    }
}


@router.get("/clicks.{kind}", response_class=StreamingResponse, responses=FILES)
def clicks(kind: str, wanted: FilterDep, opened: HouseDep, who: CallerDep) -> StreamingResponse:
    """The filter's clicks in time order, as csv, ndjson, parquet or geojson. What is not known is empty (null).

    The header `rows-total` says how many there are, and `bytes-about` how large the file will be, for a progress bar.
    Columns: see docs/export.md.

    With `min_cell` a click's place is the areas that may be shown, without a position, and its time is that of the
    first of at least so many clicks together with which it is told.

    Where single clicks are kept no longer (`keep_clicks_days`), the header `clicks-since` says since when they are.
    """
    chosen = _format(kind)
    headers = {}
    if since := reaches_back(opened, wanted):
        headers["clicks-since"] = since.isoformat()
    return _file(clicks_table(opened.questions, who.workspace, wanted), chosen, headers)


@router.get("/{table}.{kind}", response_class=StreamingResponse, responses=FILES)
def table(
    table: str,
    kind: str,
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    how: ShownDep,
    by: Annotated[Part, Query(description="Of `breakdown`: what to break clicks down by.")] = Part.LINK,
    bucket: Annotated[Bucket, Query(description="Of `times`: hour, day, week or month.")] = Bucket.DAY,
) -> StreamingResponse:
    """A table as csv, ndjson, parquet or geojson, with the same numbers as on the page. Columns: see docs/export.md.

    `table` is countries, regions, metros, counties, cities, postal-codes, links, campaigns, breakdown or times. `sort`,
    `order`, `search` and `unplaced` are for areas, `limit` for these and `breakdown`.
    """
    if table not in TABLES:
        names = ", ".join(("clicks", *TABLES))
        raise not_found(f"There is no table {table[:80]!r} to export.", remedy=f"Use one of {names}.")
    chosen = _format(kind)
    made, since = TABLES[table](opened, who, Wanted(wanted, how, by, bucket))
    return _file(made, chosen, {"clicks-since": since.isoformat()} if since else {})


def _format(kind: str) -> Format:
    if kind not in FORMATS:
        raise not_found(f"There is no export as {kind[:20]!r}.", remedy=f"Use one of {', '.join(FORMATS)}.")
    return Format(kind)


def _file(table: Table, kind: Format, headers: dict[str, str]) -> StreamingResponse:
    about, pieces = begun(table, kind)
    headers = headers | {
        "content-disposition": f'attachment; filename="{table.name}.{kind}"',
        "rows-total": str(table.total),
        "bytes-about": str(about),
    }
    return StreamingResponse(pieces, media_type=FORMATS[kind].media, headers=headers)
