"""The visitor's address is nowhere on several machines either: not in PostgreSQL, ClickHouse, a redirector's folder, a log, nor
in what leaves the house (shared maps, webhooks, exports, figures)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.server.cluster import Cluster
from tests.server.served import until
from tests.server.test_privacy import FOUR, SIX, spellings

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
ALL = [*FOUR, *SIX]


@pytest.fixture(scope="module")
def cluster(
    data_folder: Callable[[str], Path], shared_postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """An app with another log, a redirector, PostgreSQL and ClickHouse."""
    folders = [data_folder(name) for name in ("apart-app", "apart-one")]
    made = Cluster(tmp_path_factory.mktemp("apart"), folders, shared_postgres_url)
    for part in (made.app, made.machines[0].redirect, made.machines[0].ingest):
        part.flags = (*part.flags, "--log-level", "debug")
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def written(cluster: Cluster) -> dict[str, bytes]:
    """All that was written or said after clicks of every address, by where it was."""
    api, redirect = cluster.api, cluster.machines[0].redirect
    hook = api.post(
        "/api/webhooks", json={"url": "https://example.com/hook", "events": ["click", "link.created"]}
    )
    hook.raise_for_status()
    share = api.post("/api/shares", json={"title": "apart"}).raise_for_status().json()
    before = _clicks(cluster)
    with httpx.Client(base_url=redirect.url, timeout=30) as visitor:
        for address in ALL:
            for name, value in (("x-forwarded-for", address), ("forwarded", f'for="[{address}]:443"')):
                headers = {name: value, "user-agent": AGENT, "referer": "https://social.example/"}
                assert visitor.get(f"/{cluster.code}", headers=headers).status_code == 302
                visitor.get("/nobody-knows", headers=headers)
                visitor.get("/health", headers=headers)
                api.get("/api/links", headers=headers).raise_for_status()
    until(lambda: _clicks(cluster) >= before + 2 * len(ALL), "counted", 120)
    made = {}
    secret = share["url"].rstrip("/").rpartition("/")[2]
    for name, path in (
        ("shared", f"/api/shared/{secret}"),
        ("deliveries", f"/api/webhooks/{hook.json()['id']}/deliveries"),
        ("audit", "/api/audit"),
        ("export", "/api/export/clicks.ndjson?network=all"),
    ):
        made[name] = api.get(path).raise_for_status().content
    made["figures"] = httpx.get(f"{redirect.url}/health").content
    return made | _postgres(cluster) | _clickhouse(cluster) | _files(cluster)


def _clicks(cluster: Cluster) -> int:
    return int(cluster.ask("SELECT count() FROM clickatlas.clicks")[0][0])


def _postgres(cluster: Cluster) -> dict[str, bytes]:
    found = {}
    with psycopg.connect(cluster.database_url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            rows = connection.execute(f'SELECT t::text FROM "{name}" t'.encode()).fetchall()
            found[f"PostgreSQL {name}"] = "\n".join(row[0] for row in rows).encode()
    return found


def _clickhouse(cluster: Cluster) -> dict[str, bytes]:
    """Its tables as text; its files are compressed."""
    tables = cluster.ask(
        "SELECT name FROM system.tables WHERE database = 'clickatlas' AND engine NOT LIKE '%View'"
    )
    return {
        f"ClickHouse {name}": "\n".join(
            "\t".join(row) for row in cluster.ask(f"SELECT * FROM clickatlas.{name}")
        ).encode()
        for (name,) in tables
    }


def _files(cluster: Cluster) -> dict[str, bytes]:
    folders = [cluster.app.data, cluster.machines[0].data]
    found = {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "atlas" not in path.relative_to(folder).parts
    }
    logs = [part.log for part in (cluster.app, cluster.machines[0].redirect, cluster.machines[0].ingest)]
    return found | {str(path): path.read_bytes() for path in [*logs, cluster.clickhouse.log]}


def test_no_text_of_an_address_is_anywhere(written: dict[str, bytes]) -> None:
    for where, content in written.items():
        for address in ALL:
            for spelling in spellings(address):
                assert spelling not in content, f"{address} as {spelling!r} in {where}"


def test_what_was_searched_is_all_there_is(written: dict[str, bytes], cluster: Cluster) -> None:
    """Each of these has what was asked for, so that an empty one proves nothing by chance."""
    assert cluster.code.encode() in written["PostgreSQL links"]
    assert b"Firefox" in written["ClickHouse clicks"]
    assert b"social.example" in written["export"]
    assert b"Firefox" in written["export"]
    assert len(written["shared"]) > 50
    names = " ".join(written)
    for part in (
        "redirects.sqlite",
        ".spool",
        "-redirect.log",
        "-ingest.log",
        "-app.log",
        "PostgreSQL audit",
        "marks",
    ):
        assert part in names, names
