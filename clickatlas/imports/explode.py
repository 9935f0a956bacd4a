"""Rows that stand for clicks from several countries at once, as Kutt keeps its visits: an hour, and `{"us": 3, "de": 1}`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from clickatlas.imports.cells import as_texts
from clickatlas.imports.tables import Batch

MOST = 300  # countries in a row


def by_country(batch: Batch) -> Batch:
    """A row for each country, with its count; a row whose cell can't be read stays one, of a place not known."""
    rows, countries, counts = [], [], []
    for at, cell in enumerate(as_texts(batch.columns["countries"]).to_pylist()):
        for country, count in list(_read(cell).items())[:MOST] or [("", "1")]:
            rows.append(at)
            countries.append(country)
            counts.append(str(count))
    where = np.array(rows, np.int64)
    columns: dict[str, Any] = {
        r: c.take(where) for r, c in batch.columns.items() if r not in ("countries", "country", "count")
    }
    columns |= {"country": pa.array(countries, pa.string()), "count": pa.array(counts, pa.string())}
    return Batch(batch.rows[where], columns)


def _read(cell: str | None) -> dict[str, Any]:
    try:
        found = json.loads(cell or "")
    except (ValueError, RecursionError):
        return {}
    return (
        {str(k): v for k, v in found.items() if isinstance(v, int | float)} if isinstance(found, dict) else {}
    )
