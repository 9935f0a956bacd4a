"""Every export read back by readers that know nothing of us: the same rows, whatever the format."""

from __future__ import annotations

import inspect
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import httpx
import pandas
import pyarrow.json
import pyarrow.parquet
import pyogrio
import pytest

from clickatlas import cli_export
from clickatlas.api import filters
from clickatlas.api.breakdown import Part
from clickatlas.api.clicks import Bucket
from clickatlas.api.export_tables import TABLES
from clickatlas.formats.files import Format
from clickatlas.insight.sorting import Sort
from tests.server.problems import is_problem
from tests.server.served import quickly
from tests.server.tally import Tally

FORMATS = ("csv", "ndjson", "parquet", "geojson")
AREAS = ("countries", "regions", "metros", "counties", "cities", "postal-codes")
FILTERS: list[dict[str, Any]] = [
    {"network": "all"}, {}, {"link": "tally-1"}, {"area": "country:US"}, {"within": "-10,35,30,60", "network": "all"},
    {"device": "mobile", "channel": "email"}, {"from": "2001-01-01", "to": "2001-01-02"},
]  # fmt: skip


def fetch(tally: Tally, name: str, folder: Path, **how: Any) -> tuple[Path, httpx.Response]:
    answer = tally.client.get(f"/api/export/{name}", params=how).raise_for_status()
    file = folder / name
    file.write_bytes(answer.content)
    return file, answer


def lines(tally: Tally, name: str, **how: Any) -> list[dict[str, Any]]:
    text = tally.client.get(f"/api/export/{name}.ndjson", params=how).raise_for_status().text
    return [json.loads(line) for line in text.splitlines()]


def by_duckdb(file: Path) -> int:
    reader = {".csv": "read_csv", ".parquet": "read_parquet"}.get(file.suffix, "read_json")
    [(count,)] = duckdb.sql(f"SELECT count(*) FROM {reader}('{file}')").fetchall()  # features are rows, too
    return int(count)


def by_pandas(file: Path) -> int:
    if file.suffix == ".parquet":
        return len(pandas.read_parquet(file, engine="pyarrow"))
    if file.suffix == ".geojson":
        return len(pandas.json_normalize(json.loads(file.read_text())["features"]))
    text = file.read_text()
    return len(
        pandas.read_csv(file, low_memory=False)
        if file.suffix == ".csv"
        else pandas.read_json(io.StringIO(text), lines=True)
    )


def by_gdal_or_arrow(file: Path) -> int:
    """By GDAL; its wheel has no reader of Parquet and NDJSON, which are Arrow's here."""
    if file.suffix == ".parquet":
        return pyarrow.parquet.ParquetFile(file).metadata.num_rows
    if file.suffix == ".ndjson":
        return pyarrow.json.read_json(file).num_rows if file.stat().st_size else 0
    return int(pyogrio.read_info(file, force_feature_count=True)["features"])


@pytest.mark.parametrize("how", FILTERS, ids=str)
def test_every_reader_counts_the_same(tally: Tally, tmp_path: Path, how: dict[str, Any]) -> None:
    total = tally.table("countries", **how)["total"]
    readers: list[Callable[[Path], int]] = [by_duckdb, by_pandas, by_gdal_or_arrow]
    for kind in FORMATS:
        file, answer = fetch(tally, f"clicks.{kind}", tmp_path, **how)
        assert answer.headers["rows-total"] == str(total)
        assert int(answer.headers["bytes-about"]) == pytest.approx(len(answer.content), rel=0.1)
        if total:  # readers disagree on what a file of nothing is
            assert [read(file) for read in readers] == [total] * 3


def test_every_format_has_the_same_rows(tally: Tally, tmp_path: Path) -> None:
    rows = lines(tally, "clicks", network="all")
    features = json.loads(fetch(tally, "clicks.geojson", tmp_path, network="all")[0].read_text())["features"]
    assert [feature["properties"] for feature in features] == rows
    spots = [feature["geometry"] and feature["geometry"]["coordinates"] for feature in features]
    assert spots == [None if row["unplaced"] else [row["lon"], row["lat"]] for row in rows]
    parquet = fetch(tally, "clicks.parquet", tmp_path, network="all")[0]
    duckdb.sql("SET TimeZone = 'UTC'")
    columns = ", ".join(
        f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%g+00:00')" if name == "time" else name for name in rows[0]
    )
    assert duckdb.sql(f"SELECT {columns} FROM '{parquet}'").fetchall() == [
        tuple(row.values()) for row in rows
    ]
    frame = pandas.read_parquet(parquet)
    assert [str(kind) for kind in (frame["time"].dtype, frame["lat"].dtype)] == [
        "datetime64[ms, UTC]",
        "float64",
    ]
    assert [time.isoformat(timespec="milliseconds") for time in frame["time"]] == [
        row["time"] for row in rows
    ]
    assert frame["code"].tolist() == [row["code"] for row in rows]
    assert frame["lat"].notna().tolist() == [row["lat"] is not None for row in rows]
    read = pandas.read_csv(fetch(tally, "clicks.csv", tmp_path, network="all")[0], low_memory=False)
    assert list(read.columns) == list(rows[0])
    assert read["code"].tolist() == frame["code"].tolist()
    assert read["lat"].sum() == pytest.approx(frame["lat"].sum())
    found = geopandas.read_file(tmp_path / "clicks.geojson")
    assert found.geometry.notna().sum() == sum(not row["unplaced"] for row in rows)


def test_what_is_known_of_a_click(tally: Tally) -> None:
    rows = lines(tally, "clicks", network="all")
    assert Counter(row["campaign"] for row in rows) == Counter(
        f"campaign {v.link % 2}" for v in tally.visitors
    )
    assert Counter(row["channel"] for row in rows) == Counter(
        ("email", "qr", "social")[v.link % 3] for v in tally.visitors
    )
    assert {row["way"] for row in rows} == {None}
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    for row in rows:
        if row["local_time"]:
            assert datetime.fromisoformat(row["local_time"]) == datetime.fromisoformat(row["time"])
    # Massachusetts has one clock, the United States many.
    boston = {
        datetime.fromisoformat(r["local_time"]).utcoffset()
        for r in rows
        if r["region"] == "US-MA" and not r["unplaced"]
    }
    assert boston <= {timedelta(hours=-4), timedelta(hours=-5)}
    assert boston
    assert all(row["local_time"] is None for row in rows if row["country"] == "US" and not row["region"])
    assert all(row["county_code"][:2].isdigit() for row in rows if row["county"])


def test_little_is_told_with_min_cell(tally: Tally) -> None:
    rows = lines(tally, "clicks", network="all", min_cell=5)
    whole = lines(tally, "clicks", network="all")
    assert len(rows) == len(whole)
    for row in rows:
        assert [row[name] for name in ("lat", "lon", "radius_km", "local_time", "way")] == [None] * 5
    for column, table in (
        ("country", "countries"),
        ("region", "regions"),
        ("county_code", "counties"),
        ("metro_code", "metros"),
    ):
        shown = {row["id"].partition(":")[2] for row in tally.table(table, network="all", min_cell=5)["rows"]}
        assert {row[column] for row in rows} - {None} == shown
    assert len({row["time"] for row in rows}) < len({row["time"] for row in whole})


@pytest.mark.parametrize("name", AREAS)
def test_tables_say_what_the_page_says(tally: Tally, tmp_path: Path, name: str) -> None:
    for how in ({}, {"sort": "name", "limit": 7}, {"search": "a", "area": "country:US"}, {"min_cell": 5}):
        table = tally.table(name, **how)["rows"]
        found = lines(tally, name, **how)
        assert found == [{column: row[column] for column in found[0]} for row in table]
    for kind in FORMATS:
        file, answer = fetch(tally, f"{name}.{kind}", tmp_path)
        count = len(tally.table(name)["rows"])
        assert answer.headers["rows-total"] == str(count)
        assert by_duckdb(file) == by_pandas(file) == by_gdal_or_arrow(file) == count


def test_links_campaigns_parts_and_times(tally: Tally) -> None:
    links = lines(tally, "links", area="country:US")
    parts = lines(tally, "breakdown", by="link", area="country:US")
    assert {row["code"]: row["clicks"] for row in links if row["clicks"]} == {
        row["value"]: row["clicks"] for row in parts
    }
    assert [row["code"] for row in lines(tally, "links", campaign="campaign 1")] == [
        code for number, code in reversed([*enumerate(tally.codes)]) if number % 2
    ]
    assert links[0]["tags"].startswith("all, tag")
    campaigns = lines(tally, "campaigns")
    assert {row["name"]: row["clicks"] for row in campaigns} == {
        f"campaign {side}": sum(v.link % 2 == side for v in tally.people()) for side in (0, 1)
    }
    days = lines(tally, "times", bucket="day", network="all")
    assert sum(row["clicks"] for row in days) == len(tally.visitors)
    page = tally.client.get("/api/analytics/breakdown", params={"by": "language", "min_cell": 5}).json()[
        "rows"
    ]
    assert lines(tally, "breakdown", by="language", min_cell=5) == page


def test_what_there_is_not(tally: Tally) -> None:
    for name in ("clicks.xlsx", "people.csv", "countries.pdf", "clicks.", ".csv"):
        is_problem(tally.client.get(f"/api/export/{name}"), 404)
    is_problem(tally.client.get("/api/export/times.csv", params={"bucket": "year"}), 422)


def test_the_command_line_writes_every_format(tally: Tally, tmp_path: Path) -> None:
    total = tally.table("countries", network="all")["total"]
    for kind in FORMATS:
        file = tmp_path / f"out.{kind}"
        said = quickly("export", "--output", file, data=tally.served.data).stdout
        assert said == f"{total:,} clicks written to {file}\n"
        assert by_duckdb(file) == total


COMMANDS: list[tuple[str, list[str]]] = [
    *(
        (name, ["--area", "country:US", "--sort", "name", "--limit", "9", "--device", "mobile"])
        for name in AREAS
    ),
    ("cities", ["--unplaced", "--search", "a", "--order", "asc", "--min-cell", "2"][:5]),
    ("regions", ["--min-cell", "5", "--network", "all"]),
    ("links", ["--campaign", "campaign 1", "--tag", "all"]),
    ("campaigns", ["--channel", "email", "--channel", "qr"]),
    ("breakdown", ["--by", "origin", "--limit", "3", "--language", "en-US"]),
    (
        "times",
        ["--bucket", "week", "--tz", "Asia/Kolkata", "--within", "-10,35,30,60", "--from", "2020-01-01"],
    ),
    ("clicks", ["--browser", "Chrome", "--origin", "direct", "--system", "Windows"]),
]


def test_the_command_line_writes_every_table_beside_a_server_and_without_one(
    tally: Tally, tmp_path: Path
) -> None:
    """The server's own answer, three ways."""
    data, copied = tally.served.data, tmp_path / "copy"
    quickly(
        "restore",
        quickly("backup", tmp_path / "backups", "--no-atlas", data=data).stdout.strip(),
        data=copied,
    )
    (copied / "atlas").symlink_to((data / "atlas").resolve(), target_is_directory=True)
    for name, flags in COMMANDS:
        pairs = [
            word.removeprefix("--").replace("-", "_") if word.startswith("--") else word for word in flags
        ]
        query = [("unplaced", "true")] * ("unplaced" in pairs)
        pairs = [word for word in pairs if word != "unplaced"]
        query += zip(pairs[::2], pairs[1::2], strict=True)
        if name == "clicks":
            query.append(("network", "all"))
        said = tally.client.get(f"/api/export/{name}.ndjson", params=query).raise_for_status().text
        flags += ["--format", "ndjson", "--port", str(tally.served.port)]
        assert quickly("export", name, *flags, data=data).stdout == said, name
        assert quickly("export", name, *flags, data=copied).stdout == said, name


def test_the_command_line_knows_the_apis_words() -> None:
    assert ("clicks", *TABLES) == cli_export.TABLES
    assert tuple(Format) == cli_export.FORMATS
    assert tuple(Part) == cli_export.PARTS
    assert tuple(Bucket) == cli_export.BUCKETS
    assert tuple(Sort) == cli_export.SORTS
    taken = set(inspect.signature(filters.reader()).parameters) - {
        "request",
        "opened",
        "start",
        "end",
        "tz",
        "min_cell",
    }
    assert {name for name, _ in cli_export.MANY} == taken
