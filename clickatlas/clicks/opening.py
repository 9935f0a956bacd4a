"""The click store that the settings name: the file in the data folder, or a ClickHouse."""

from __future__ import annotations

from pathlib import Path

from clickatlas.clicks.store import ClickStore

FILE = "clicks.duckdb"


def open_store(
    url: str, data: Path, *, memory: str, quarantine: bool = False, keep_days: int = 0
) -> ClickStore:
    """Open it, made or brought along where that is due. Raises `Problem` (503) where it can't be.

    A new ClickHouse is not begun while there are clicks in the file that were not copied to it. `memory` and `quarantine`
    are the file's; ClickHouse lets go by itself of single clicks older than `keep_days`.
    """
    if url:
        from clickatlas.clicks.clickhouse import ClickHouseStore

        return ClickHouseStore(url, keep_days=keep_days, file=data / FILE)
    from clickatlas.clicks.duckdb import DuckDBStore

    return DuckDBStore(data / FILE, memory=memory, quarantine=quarantine)
