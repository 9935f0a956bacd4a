"""The stores that are held against the protocol: each opened as often as a test likes, on a place of its own.

ClickHouse's engine in this process (chDB) may be only one, so all its stores are databases of one. A server is asked where
CLICKATLAS_TEST_CLICKHOUSE_URL names one: this is how an operator checks a cluster. What it is asked is dropped afterwards.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.clickhouse_address import address
from clickatlas.clicks.clickhouse_schema import on_cluster
from clickatlas.clicks.clickhouse_server import Server
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.store import ClickStore

SERVER = os.environ.get("CLICKATLAS_TEST_CLICKHOUSE_URL", "")
CLICKHOUSES = ["chdb", *(["server"] if SERVER else [])]
STORES = ["duckdb", *CLICKHOUSES]
Opened = Callable[[], ClickStore]
_engine: list[Server] = []  # kept open: with the last connection all of it would be gone


def url(kind: str) -> str:
    """A ClickHouse database of its own name."""
    name = f"test_{secrets.token_hex(6)}"
    if kind == "server":
        return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
    if not _engine:
        _engine.append(Server(address("chdb://memory/default")))
        _engine[0].version()
    return f"chdb://memory/{name}"


def drop(where: str) -> None:
    server = Server(address(where))
    server.do(f"DROP DATABASE IF EXISTS {server.address.database}{on_cluster(server.address.cluster)} SYNC")
    server.close()


@contextmanager
def clickhouse(kind: str) -> Iterator[Callable[[], ClickHouseStore]]:
    where = url(kind)
    try:
        yield partial(ClickHouseStore, where)
    finally:
        drop(where)


@contextmanager
def stores(kind: str, folder: Path) -> Iterator[Opened]:
    """What opens the store of a kind; what it has is gone afterwards."""
    if kind == "duckdb":
        yield partial(DuckDBStore, folder / "clicks.duckdb")
        return
    with clickhouse(kind) as opened:
        yield opened
