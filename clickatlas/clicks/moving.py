"""Clicks copied from a data folder's DuckDB file to a ClickHouse, each once, however often that is cut short.

The file is only read, and copied in pieces, always the same ones. Each insert has a token, made of the copy's name and of
its number, so one that was taken is not taken again; a note says which pieces are in. Only when all of it was counted
on both sides are the spool positions noted, and the store open to others (decision 17).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from clickatlas.clicks import moving_source
from clickatlas.clicks.clickhouse_address import Address, address
from clickatlas.clicks.clickhouse_server import ClickHouseFault, explained
from clickatlas.clicks.duckdb_file import Damaged
from clickatlas.clicks.moving_check import differences
from clickatlas.clicks.moving_source import Piece, Source
from clickatlas.clicks.moving_target import Target
from clickatlas.clicks.opening import FILE
from clickatlas.clicks.quarantine import remedy, set_aside_before
from clickatlas.errors import Problem
from clickatlas.processes import hold
from clickatlas.progress import Progress

AGAIN = "Then run 'clickatlas migrate-store' again: it goes on where it was, and no click is counted twice."


@dataclass(frozen=True)
class Moved:
    """What is in ClickHouse now; `already` says that it was there before."""

    where: str
    single: int
    rolled: int  # clicks of days of which only counts are kept
    removed: int
    streams: int
    already: bool

    @property
    def clicks(self) -> int:
        """All of them."""
        return self.single + self.rolled


def move(data: Path, url: str, *, memory: str, keep_days: int, start_over: bool, progress: Progress) -> Moved:
    """Copy all that ``clicks.duckdb`` of `data` holds to the ClickHouse at `url`, and compare.

    Raises `Problem`: 404 without a file; 409 where `data` is in use, ClickHouse has other clicks, or what is there differs;
    503 where the file or ClickHouse can't be used. Cut short, it is simply run again.
    """
    path = data / FILE
    if not path.is_file():
        raise Problem(
            404,
            "Clicks",
            f"There is no clicks.duckdb in {data}.",
            remedy="Choose another --data. A folder that has counted no clicks needs no copy: set 'clicks_url', and start.",
        )
    if set_aside_before(data):
        raise Problem(
            409,
            "The click store was damaged",
            f"A part of the clicks of {data} is not in its file.",
            remedy=remedy(data),
        )
    with ExitStack() as undo:
        undo.callback(os.close, hold(data))
        with _resumable(address(url)):
            source = Source(path, memory)
            undo.callback(source.close)
            target = Target(url, keep_days)
            undo.callback(target.close)
            return _move(source, target, start_over=start_over, progress=progress)


def _move(source: Source, target: Target, *, start_over: bool, progress: Progress) -> Moved:
    progress.step("looking what is to be copied")
    fingerprint = source.fingerprint()
    begun = target.begin(fingerprint, start_over=start_over)
    if begun is not None:
        name, done = begun
        pieces = source.pieces()
        progress.step("copying clicks")
        _copy(source, target, name, pieces, done, progress)
        since = max(source.since, target.store.kept_since or 0)
        target.settle()
        if found := differences(source, target.server, since, progress):
            raise Problem(
                409,
                "Not equal",
                "What is in ClickHouse differs from the file:\n  " + "\n  ".join(found),
                remedy="Nobody can count into it as it is. Does another program write there? "
                "'clickatlas migrate-store --start-over' empties it and begins anew. The file is as it was.",
            )
        target.finish(name, source)
    progress.done()
    single, rolled = source.clicks()
    return Moved(
        target.address.shown,
        single,
        rolled,
        len(source.removed),
        len(source.positions),
        already=begun is None,
    )


def _copy(
    source: Source, target: Target, name: str, pieces: list[Piece], done: int, progress: Progress
) -> None:
    rows = moving_source.total(pieces) or 1
    copied = moving_source.total(pieces[:done])
    progress.advance(copied / rows)
    token = name.replace(" ", "-")
    for number, piece in enumerate(pieces[done:], done):
        for part, (table, some) in enumerate(source.tables(piece)):
            target.server.insert(table, some, f"{token}-{number}-{part}")
        target.notes.advance(name, number + 1)
        copied += piece.rows
        progress.advance(copied / rows)


@contextmanager
def _resumable(place: Address) -> Iterator[None]:
    """What ClickHouse, or the file's disk, says becomes a `Problem` that tells how to go on."""
    try:
        try:
            yield
        except ClickHouseFault as fault:
            raise explained(fault, place) from None
    except Damaged:
        raise
    except Problem as problem:
        if problem.status != 503:
            raise
        what = re.sub(r":? [Cc]ounting goes on.*", "", problem.remedy)
        what += "" if what.endswith((".", "?", "!")) else "."
        raise Problem(503, problem.title, problem.detail, remedy=f"{what} {AGAIN}") from None
