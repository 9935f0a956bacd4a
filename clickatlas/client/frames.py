"""Columns as frames of other libraries, each imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clickatlas.client.problem import MissingLibrary

if TYPE_CHECKING:
    import geopandas
    import pandas
    import polars
    import pyarrow

CRS = "EPSG:4326"  # what coordinates are in: degrees, WGS 84
SPOT = ("lon", "lat")


def library(name: str, extra: str = "") -> Any:
    """The library called `name`; raises `MissingLibrary`, naming the extra that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingLibrary(
            "A library is missing",
            f"This needs {name}, which can't be imported: {error}.",
            f'Install it: pip install "clickatlas[{extra or name}]".',
        ) from error


class Tabular:
    """Columns under names, as frames of pandas, polars, geopandas and Arrow."""

    def columns(self) -> Mapping[str, Sequence[Any]]:
        """The columns by name, all of one length."""
        raise NotImplementedError

    def to_pandas(self) -> pandas.DataFrame:
        """A DataFrame of pandas."""
        return library("pandas").DataFrame(dict(self.columns()))

    def to_polars(self) -> polars.DataFrame:
        """A DataFrame of polars."""
        frame: polars.DataFrame = library("polars").DataFrame(
            {name: list(values) for name, values in self.columns().items()}, strict=False
        )
        return frame

    def to_arrow(self) -> pyarrow.Table:
        """A table of Arrow."""
        return library("pyarrow", "arrow").table(
            {name: list(values) for name, values in self.columns().items()}
        )

    def to_geopandas(self) -> geopandas.GeoDataFrame:
        """A GeoDataFrame whose points are `lon` and `lat`; None where a row has no position. Raises ValueError."""
        return located(self.to_pandas())


def located(frame: Any) -> geopandas.GeoDataFrame:
    """A DataFrame of pandas with the points of its `lon` and `lat`. Raises ValueError where it has none."""
    geopandas = library("geopandas")
    if not set(SPOT) <= set(frame.columns):
        raise ValueError("These rows have no coordinates: ask for places, areas or clicks.")
    lon, lat = (library("pandas", "geopandas").to_numeric(frame[name]) for name in SPOT)
    points = geopandas.points_from_xy(lon, lat, crs=CRS)
    points[(lon.isna() | lat.isna()).to_numpy()] = None
    return geopandas.GeoDataFrame(frame, geometry=points)
