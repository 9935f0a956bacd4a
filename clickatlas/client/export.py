"""Tables taken away: streamed into a file, or as Arrow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from clickatlas.client.filter import Filter
from clickatlas.client.frames import library, located
from clickatlas.client.transport import Transport

if TYPE_CHECKING:
    import geopandas
    import pandas
    import polars
    import pyarrow

FORMATS = ("csv", "ndjson", "parquet", "geojson")
Told = Callable[[int, int], None]


class Export:
    """Clicks one by one (`table="clicks"`) and every other table, under any filter; columns as docs/export.md has them.

    Of `breakdown` say `by=`, of `times` `bucket=`; of areas `sort`, `search`, `limit` and so on.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def to_file(
        self, path: str | Path, filter: Filter | None = None, *, table: str = "clicks", format: str | None = None,
        progress: Told | None = None, **options: Any,
    ) -> int:  # fmt: skip
        """Write the table to `path` and return how many rows it has; memory doesn't grow with them.

        The format is `path`'s ending unless given. `progress` is told the bytes so far and about how many there will be.
        Until all of it has come the file has ``.partial`` behind its name.
        """
        path = Path(path)
        kind = format or path.suffix.removeprefix(".")
        if kind not in FORMATS:
            raise ValueError(f"{kind!r} is none of {', '.join(FORMATS)}: name the file so, or say format=.")
        partial = path.with_name(f"{path.name}.partial")
        with self._opened(table, kind, filter, options) as response:
            rows = int(response.headers["rows-total"])
            with partial.open("wb") as file:
                for written in _copied(response, file):
                    if progress:
                        progress(written, max(written, int(response.headers["bytes-about"])))
        partial.replace(path)
        return rows

    def to_arrow(
        self, filter: Filter | None = None, *, table: str = "clicks", **options: Any
    ) -> pyarrow.Table:
        """The table of Arrow; it comes as Parquet, some 30 bytes a click."""
        parquet = library("pyarrow.parquet", "arrow")
        file = io.BytesIO()
        with self._opened(table, "parquet", filter, options) as response:
            for _written in _copied(response, file):
                pass
        file.seek(0)
        found: pyarrow.Table = parquet.read_table(file)
        return found

    def to_pandas(
        self, filter: Filter | None = None, *, table: str = "clicks", **options: Any
    ) -> pandas.DataFrame:
        """A DataFrame of pandas."""
        library("pandas")  # before anything is fetched
        return self.to_arrow(filter, table=table, **options).to_pandas()

    def to_polars(
        self, filter: Filter | None = None, *, table: str = "clicks", **options: Any
    ) -> polars.DataFrame:
        """A DataFrame of polars."""
        frame: polars.DataFrame = library("polars").from_arrow(self.to_arrow(filter, table=table, **options))
        return frame

    def to_geopandas(
        self, filter: Filter | None = None, *, table: str = "clicks", **options: Any
    ) -> geopandas.GeoDataFrame:
        """A GeoDataFrame in EPSG:4326; unplaced clicks have no geometry."""
        library("geopandas")
        return located(self.to_pandas(filter, table=table, **options))

    @contextmanager
    def _opened(
        self, table: str, kind: str, filter: Filter | None, options: dict[str, Any]
    ) -> Iterator[httpx.Response]:
        params = [*(filter or Filter()).params(), *asked(options)]
        with self._transport.stream("GET", f"/api/export/{quote(table, safe='')}.{kind}", params) as response:
            yield response


def asked(options: dict[str, Any]) -> list[tuple[str, str]]:
    """Options as parameters; those that are None are left out."""
    words = {True: "true", False: "false"}
    return [
        (name, words[value] if isinstance(value, bool) else str(value))
        for name, value in options.items()
        if value is not None
    ]


def _copied(response: httpx.Response, file: Any) -> Iterator[int]:
    written = 0
    for piece in response.iter_bytes():
        written += file.write(piece)
        yield written
