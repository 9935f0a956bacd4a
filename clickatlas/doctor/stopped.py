"""What a server that is not running left behind: its store, its spool, its workers' numbers."""

from __future__ import annotations

from collections.abc import Iterator

from clickatlas.doctor.finding import Finding, broken, fine
from clickatlas.doctor.streets import lost
from clickatlas.doctor.visitors import judge
from clickatlas.errors import Problem
from clickatlas.redirect.pulse import read_all
from clickatlas.settings import Settings


def look(settings: Settings) -> Iterator[Finding]:
    """Findings on a data folder that no server has. Opens the store for reading only."""
    yield from lost(read_all(settings.data / "run"))
    path = settings.data / "clicks.duckdb"
    if settings.clicks_url or not path.exists():  # a file beside a ClickHouse is of before
        yield _stopped(0)
        yield from judge(0, 0, settings.trusted_proxies)
        return
    try:
        clicks, private, waiting = _counted(settings)
    except Problem as problem:
        yield _stopped(0)
        yield broken("store", problem.detail, problem.remedy)
        return
    yield _stopped(waiting)
    yield from judge(clicks, private, settings.trusted_proxies)


def _stopped(waiting: int) -> Finding:
    more = f"; about {waiting:,} clicks wait in the spool, and none of them is lost" if waiting else ""
    return fine("server", f"The server is not running{more}.", "Start it with 'clickatlas serve'.")


def _counted(settings: Settings) -> tuple[int, int, int]:
    """Clicks, those of them from private addresses, and those that wait in the spool. Raises `Problem`."""
    import duckdb

    from clickatlas.clicks.duckdb import DuckDBStore
    from clickatlas.clicks.filter import Selection
    from clickatlas.clicks.ingest import Ingest

    path = settings.data / "clicks.duckdb"
    try:
        store = DuckDBStore(path, read_only=True)
        try:
            counts = store.place_counts(Selection())
            waiting = Ingest(settings.data / "spool", store).lag().clicks
        finally:
            store.close()
    except duckdb.Error as error:
        raise Problem(
            503,
            "Click store",
            f"The click store can't be read: {error}",
            remedy=f"Keep {path} aside and restore it from a backup; the spool keeps what is not counted yet.",
        ) from None
    return int(counts.clicks.sum()), int(counts.clicks[counts.keys == 1].sum()), waiting
