"""What a spreadsheet opens runs nothing; every format says the same; independent readers read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import geopandas
import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.api.export_document import markdown
from clickatlas.formats import parquet
from clickatlas.formats.files import FORMATS, Format, begun
from clickatlas.formats.frames import Cell, Coded, Column, Frame, Kind, Lookup, Moments, Table, iso, listed
from clickatlas.insight.rhythm import offsets

RUN = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "  @x",
    "\u3000=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "=cmd|' /C calc'!A0",
]
KEPT = ["a=1", "1-2", "example.com", "x@y", "Ünï", "", "'quoted'", 'a"b', "a,b", "a\nb", "0\r", "x\n"]
COLUMNS = (
    Column("name", Kind.TEXT, ""),
    Column("lat", Kind.NUMBER, ""),
    Column("lon", Kind.NUMBER, ""),
    Column("clicks", Kind.WHOLE, ""),
    Column("good", Kind.FLAG, ""),
)
Row = tuple[Cell, ...]


def text(table: Table, kind: Format) -> str:
    return b"".join(begun(table, kind).pieces).decode()


def read(value: Any) -> str:
    columns = (Column("code", Kind.TEXT, ""), Column("referrer", Kind.TEXT, ""))
    table = listed("t", columns, [("x", value)])
    [found] = csv.DictReader(io.StringIO(text(table, Format.CSV), newline=""))
    return str(found["referrer"])


@pytest.mark.parametrize("text", RUN)
def test_what_would_run_is_a_text(text: str) -> None:
    assert read(text) == f"'{text}"


@pytest.mark.parametrize("text", KEPT)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert read(text) == text


def test_numbers_stay_numbers() -> None:
    assert read(-71.1) == "-71.1"


def places(count: int) -> list[Row]:
    """Rows with every sort of gap; every tenth without a position."""
    return [
        (
            None if n % 7 == 3 else f'"pl,ace" {n % 50}\nü',
            None if n % 10 == 0 else round(-80 + n % 160 + 0.25, 2),
            None if n % 10 == 0 else round(n % 360 - 180 + 0.5, 2),
            None if n % 11 == 5 else n * 1_000_000_007,
            None if n % 13 == 1 else n % 3 == 0,
        )
        for n in range(count)
    ]


def write(table: Table, kind: Format, folder: Path) -> Path:
    file = folder / f"t.{kind}"
    file.write_bytes(b"".join(begun(table, kind).pieces))
    return file


@pytest.mark.parametrize("count", [0, 1, 7, 8, 300, 70_000])
def test_parquet_is_read_by_duckdb(tmp_path: Path, count: int) -> None:
    rows = places(count)
    file = write(listed("t", COLUMNS, rows), Format.PARQUET, tmp_path)
    assert duckdb.sql(f"FROM '{file}'").fetchall() == rows
    assert [str(kind) for kind in duckdb.sql(f"FROM '{file}'").types] == [
        "VARCHAR",
        "DOUBLE",
        "DOUBLE",
        "BIGINT",
        "BOOLEAN",
    ]


@given(st.lists(st.tuples(*[st.none() | strategy for strategy in (
    st.text(), st.floats(allow_nan=False), st.floats(allow_nan=False), st.integers(-(1 << 63), (1 << 63) - 1), st.booleans(),
)]), max_size=40))  # fmt: skip
def test_parquet_holds_whatever_there_is(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    rows = [
        (None if row[0] is None else str(row[0]).encode("utf-8", "replace").decode(), *row[1:])
        for row in rows
    ]
    file = write(listed("t", COLUMNS, rows), Format.PARQUET, tmp_path_factory.mktemp("p"))
    assert duckdb.sql(f"FROM '{file}'").fetchall() == rows


def test_parquet_of_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 1000)
    rows = places(4321)
    file = write(listed("t", COLUMNS, rows), Format.PARQUET, tmp_path)
    assert duckdb.sql(f"FROM '{file}'").fetchall() == rows
    groups = duckdb.sql(f"SELECT num_row_groups FROM parquet_file_metadata('{file}')").fetchall()
    assert groups == [(5,)]
    # What the footer says of each column lets a reader leave out the others.
    good = sum(row[3] for row in rows if row[4] and isinstance(row[3], int))
    assert duckdb.sql(f"SELECT sum(clicks) FROM '{file}' WHERE good").fetchall() == [(good,)]


def test_every_format_says_the_same(tmp_path: Path) -> None:
    rows = places(30_000)  # more than one frame
    table = listed("t", COLUMNS, rows)
    names = [column.name for column in COLUMNS]
    lines = text(table, Format.NDJSON).splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == rows
    features = json.loads(text(table, Format.GEOJSON))["features"]
    assert [tuple(one["properties"].values()) for one in features] == rows
    for feature, row in zip(features, rows, strict=True):
        point = None if row[1] is None else {"type": "Point", "coordinates": [row[2], row[1]]}
        assert feature["geometry"] == point
    cells = list(csv.reader(io.StringIO(text(table, Format.CSV), newline="")))
    assert cells[0] == names
    assert cells[1:] == [["" if cell is None else str(cell) for cell in row] for row in rows]
    read = pandas.read_csv(write(table, Format.CSV, tmp_path))
    assert len(read) == len(rows)
    assert read["good"].sum() == sum(row[4] is True for row in rows)
    found = geopandas.read_file(write(table, Format.GEOJSON, tmp_path))
    assert len(found) == len(rows)
    assert found.geometry.notna().sum() == sum(row[1] is not None for row in rows)
    assert found.crs.to_epsg() == 4326


@pytest.mark.parametrize("kind", [*Format])
def test_nothing_is_a_file_too(kind: Format, tmp_path: Path) -> None:
    file = write(listed("t", COLUMNS, []), kind, tmp_path)
    content = file.read_bytes()
    if kind is Format.CSV:
        assert content == b"name,lat,lon,clicks,good\r\n"
    elif kind is Format.NDJSON:
        assert content == b""
    elif kind is Format.GEOJSON:
        assert json.loads(content) == {"type": "FeatureCollection", "features": []}
    else:
        assert duckdb.sql(f"FROM '{file}'").fetchall() == []


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Vienna", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]
)
def test_times_are_told_as_by_the_zones_own_clock(zone: str) -> None:
    first = int(datetime(2011, 10, 1, tzinfo=UTC).timestamp() * 1000)
    times = first + np.arange(5000, dtype=np.int64) * 9_876_543
    found = [bytes(row).decode() for row in iso(times, offsets(times, zone))]
    there = ZoneInfo(zone)
    expected = [datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=time) for time in times.tolist()]
    assert found == [at.astimezone(there).isoformat(timespec="milliseconds") for at in expected]


def test_times_in_every_format(tmp_path: Path) -> None:
    columns = (Column("time", Kind.TIME, ""), Column("local", Kind.TEXT, ""))
    times = np.array([0, 1_772_366_400_123, -1], np.int64)
    ahead, known = np.array([3_600_000, -12_600_000, 0], np.int64), np.array([True, True, False])

    def frames(size: int) -> Iterator[Frame]:
        yield Frame(3, [Moments(columns[0], times), Moments(columns[1], times, ahead, known)])

    table = Table("t", columns, frames, 3)
    expected = [
        ("1970-01-01T00:00:00.000+00:00", "1970-01-01T01:00:00.000+01:00"),
        ("2026-03-01T12:00:00.123+00:00", "2026-03-01T08:30:00.123-03:30"),
        ("1969-12-31T23:59:59.999+00:00", None),
    ]
    assert [tuple(json.loads(line).values()) for line in text(table, Format.NDJSON).splitlines()] == expected
    assert text(table, Format.CSV).splitlines()[1:] == [f"{time},{local or ''}" for time, local in expected]
    file = write(table, Format.PARQUET, tmp_path)
    duckdb.sql("SET TimeZone = 'UTC'")
    read = duckdb.sql(f"SELECT epoch_ms(time), local, typeof(time) FROM '{file}'").fetchall()
    kind = "TIMESTAMP WITH TIME ZONE"
    assert read == [(time, local, kind) for time, (_, local) in zip(times.tolist(), expected, strict=True)]


def test_keys_are_made_into_text_once() -> None:
    made: list[object] = []

    def cells(key: object) -> tuple[Cell, ...]:
        made.append(key)
        return (f"word {key}",)

    columns = (Column("a", Kind.TEXT, ""), Column("b", Kind.TEXT, ""))
    words, numbers = Lookup(columns[:1], cells), Lookup(columns[1:], cells, 10)

    def frames(size: int) -> Iterator[Frame]:
        for _ in range(5):
            yield Frame(3, [
                Coded(words, ["x", "y"], np.array([1, 0, 1])), Coded.numbered(numbers, np.array([7, 7, 2]), 10),
            ])  # fmt: skip

    lines = text(Table("t", columns, frames, 15), Format.CSV).splitlines()
    assert lines == ["a,b", *["word y,word 7", "word x,word 7", "word y,word 2"] * 5]
    assert made == ["x", "y", 2, 7]


@pytest.mark.parametrize("kind", [*Format])
def test_how_large_it_will_be_is_known_when_it_begins(kind: Format) -> None:
    for count in (10, 200_000 if kind is Format.CSV else 60_000):
        about, pieces = begun(listed("t", COLUMNS, places(count)), kind)
        assert about == pytest.approx(sum(map(len, pieces)), rel=0.05)


def test_the_page_of_columns_is_printed_from_the_code() -> None:
    page = Path(__file__).parents[2] / "docs/export.md"
    assert page.read_text("utf-8") == markdown(), "run 'make docs'"
    assert all(f"| `{kind}` |" in markdown() for kind in FORMATS)
