"""A table of parallel columns as an answer: JSON, or CSV that a spreadsheet can open without running any of it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from fastapi import Query
from fastapi.responses import Response

from clickatlas.atlas.areas import Areas
from clickatlas.formats.text import inert
from clickatlas.insight.areas import degrees

CSV = "text/csv; charset=utf-8"
DIGITS = 6  # significant ones, of what isn't whole
SINGULAR = {"ids": "id", "names": "name"}  # a row has one


class Format(StrEnum):
    """What a table is answered as."""

    JSON = "json"
    CSV = "csv"


FormatDep = Annotated[
    Format,
    Query(alias="format", description="json: parallel lists and the figures around them; csv: the rows."),
]


def numbers(values: npt.ArrayLike, digits: int = DIGITS) -> list[Any]:
    """An array for a document: whole numbers as they are, others in `digits` significant digits, None for what isn't finite."""
    array = np.asarray(values)
    if array.dtype.kind in "iub":
        return list(array.tolist())
    return [number(value, digits) for value in array.astype(np.float64).tolist()]


def number(value: float | None, digits: int = DIGITS) -> float | None:
    """One number for a document; None where it isn't finite."""
    return float(f"{value:.{digits}g}") + 0.0 if value is not None and math.isfinite(value) else None


def places(areas: Areas, chosen: Iterable[int]) -> dict[str, Any]:
    """The first columns of each table of areas."""
    listed = [int(area) for area in chosen]
    return {
        "ids": [areas.id(area) for area in listed],
        "names": [areas.name(area) for area in listed],
        "lat": [degrees(areas.lat(area)) for area in listed],
        "lon": [degrees(areas.lon(area)) for area in listed],
    }


def as_csv(name: str, columns: Mapping[str, Sequence[Any]]) -> Response:
    """The columns as a file: a header, then a row per entry; what isn't known is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([SINGULAR.get(name, name) for name in columns])
    writer.writerows(
        [inert(value) if isinstance(value, str) else value for value in row]
        for row in zip(*columns.values(), strict=True)
    )
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(buffer.getvalue(), media_type=CSV, headers=headers)
