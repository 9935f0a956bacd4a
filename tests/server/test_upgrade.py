"""A newer program on an older folder, and an older program on a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from alembic import command as alembic
from alembic.config import Config

from clickatlas.clicks.duckdb_file import VERSION
from clickatlas.links import database
from tests.server.served import Served, quickly
from tests.unit.test_store_file import version_1


def test_a_folder_of_the_first_version_is_brought_along(
    data_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    data = data_folder("older")
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    opened = database.LinksDatabase(data)
    with opened.engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
    opened.close()
    with closing(sqlite3.connect(data / "links.sqlite")) as links:
        columns = [row[1] for row in links.execute("PRAGMA table_info(workspaces)")]
    assert columns
    version_1(data / "clicks.duckdb", 5000)
    served = Served(data).start()
    try:
        with served.client() as client:
            assert client.get("/api/links").raise_for_status().json()["rows"] == []
    finally:
        served.stop()
    with duckdb.connect(str(data / "clicks.duckdb"), read_only=True) as store:
        assert store.execute("SELECT count(*), max(version) FROM clicks, format").fetchone() == (
            4000,
            VERSION,
        )
    assert "0 links and 4,000 clicks" in quickly("backup", tmp_path, "--no-atlas", data=data).stderr


@pytest.mark.parametrize("part", ["links", "clicks"])
def test_an_older_program_says_what_to_do(
    data_folder: Callable[[str], Path], tmp_path: Path, part: str
) -> None:
    data = data_folder("newer")
    quickly("link", "create", "https://example.com", data=data)
    quickly("export", data=data)  # makes the store
    made = quickly("backup", tmp_path, "--no-atlas", data=data).stdout.strip()
    if part == "links":
        with closing(sqlite3.connect(data / "links.sqlite")) as links, links:
            links.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        with duckdb.connect(str(data / "clicks.duckdb")) as store:
            store.execute("UPDATE format SET version = 99")
    said = quickly("serve" if part == "links" else "export", data=data, code=1).stderr
    assert "was written by a newer clickatlas" in said
    assert f"the last one is {made} of 20" in said
    assert "Traceback" not in said
    quickly("restore", made, data=tmp_path / "back")
    assert len(quickly("link", "list", data=tmp_path / "back").stdout.splitlines()) == 1
