"""One import from its first byte to its last: read, taken in, landed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from clickatlas.atlas.atlas import Atlas
from clickatlas.imports.cells import as_texts, constant
from clickatlas.imports.explode import by_country
from clickatlas.imports.importer import Choices, Importer
from clickatlas.imports.landing import Landing, seen_files
from clickatlas.imports.linker import Linker
from clickatlas.imports.report import Report
from clickatlas.imports.roles import Columns, Guess, guesses
from clickatlas.imports.seen import Seen
from clickatlas.imports.tables import WHOLE, Batch, Refuse, Table, open_table
from clickatlas.links.database import LinksDatabase
from clickatlas.links.plans import Plan
from clickatlas.redirect.spool import Spool
from clickatlas.settings import Settings

SAMPLE = 200  # rows that a guess is made from
SHOWN = 20  # rows of a preview
CELL = 120  # characters of a cell in a preview
Watched = Callable[[Report], None]


@dataclass(frozen=True)
class Into:
    """Where an import goes, and who brings it."""

    settings: Settings
    atlas: Atlas
    database: LinksDatabase
    workspace: int
    person: int | None = None
    plan: Plan | None = None  # that new links are held to; the command line is held to none


class Hashed:
    """A stream whose checksum is known once it was read; `read_on` reads what is left."""

    def __init__(self, source: Any) -> None:
        self._source, self._sum, self.size = source, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        """As for every stream."""
        piece: bytes = self._source.read(size)
        self._sum.update(piece)
        self.size += len(piece)
        return piece

    def seekable(self) -> bool:
        """It is not: its checksum would be another."""
        return False

    def digest(self) -> str:
        """The checksum of all of it."""
        while self.read(1 << 20):
            pass
        return self._sum.hexdigest()


@dataclass(frozen=True)
class Preview:
    """A table's beginning, and what its columns seem to be."""

    table: Table
    guessed: dict[str, Guess]
    rows: list[dict[str, str | None]]


def preview(
    source: Any, name: str, refuse: Refuse = lambda row, why: None, *, part: bool = False, whole: int = WHOLE
) -> Preview:
    """Look at a table's first rows; the table still goes on from its beginning. Raises `Problem` (422)."""
    table = open_table(source, name, refuse, part=part, whole=whole)
    first = next(table.batches, None)
    samples: dict[str, list[str]] = {}
    rows: list[dict[str, str | None]] = []
    if first is not None:
        cells = {
            name: as_texts(column.slice(0, SAMPLE)).to_pylist() for name, column in first.columns.items()
        }
        samples = {name: [cell for cell in column if cell and cell.strip()] for name, column in cells.items()}
        shown = min(SHOWN, len(first.rows))
        rows = [{n: None if c[at] is None else c[at][:CELL] for n, c in cells.items()} for at in range(shown)]
        table.batches = _again(first, table.batches)
    return Preview(table, guesses(table.names, samples), rows)


def _again(first: Batch, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield first
    yield from rest


def columns_of(looked: Preview, told: dict[str, str]) -> Columns:
    """The mapping: what was guessed, but for what was `told` ("" takes a role away). Raises `Problem` (422)."""
    columns = {role: guess.column for role, guess in looked.guessed.items()}
    for role, column in told.items():
        if column:
            columns = {r: c for r, c in columns.items() if c != column or r == role}
            columns[role] = column
        else:
            columns.pop(role, None)
    return Columns(columns).checked(looked.table.names)


def by_role(batches: Iterable[Batch], columns: Columns) -> Iterator[Batch]:
    """The batches of a table with their columns named by roles."""
    for batch in batches:
        cells = {}
        for role, column in columns.columns.items():
            if column.startswith("="):
                cells[role] = constant(column[1:], len(batch.rows))
            else:
                cells[role] = batch.columns.get(column, pa.nulls(len(batch.rows), pa.string()))
        mapped = Batch(batch.rows, cells)
        yield by_country(mapped) if "countries" in cells else mapped


def bring_in(
    into: Into,
    batches: Iterable[Batch],
    digest: Callable[[], str],
    choices: Choices,
    report: Report,
    watched: Watched = lambda report: None,
    *,
    known: str | None = None,
) -> Report:
    """Bring in `batches`, named by roles: all of their clicks or, where this is cut short, none.

    `digest` is asked at the end, `known` is the same thing where it is known before. Raises `Problem`.
    """
    if choices.dry:
        return _looked_through(into, batches, digest, choices, report, watched)
    landing = Landing(into.settings.data, into.workspace)
    try:
        if known and not choices.again and (told := landing.before(known)):
            report.earlier = _earlier(told)
            return report
        spool, seen = Spool(landing.folder, fsync_ms=0), Seen(landing.seen())
        try:
            _take(into, batches, seen, spool, choices, report, watched)
        finally:
            spool.close()
        checksum = digest()
        if not choices.again and (told := landing.before(checksum)):
            report.earlier = _earlier(told)
        elif report.imported:
            landing.land(spool.stream, checksum, report.counts(), seen.remembered())
    finally:
        landing.close()
    return report


def _looked_through(
    into: Into,
    batches: Iterable[Batch],
    digest: Callable[[], str],
    choices: Choices,
    report: Report,
    watched: Watched,
) -> Report:
    report.dry = True
    seen = Seen(seen_files(into.settings.data, into.workspace))
    _take(into, batches, seen, None, choices, report, watched)
    digest()
    return report


def _take(
    into: Into,
    batches: Iterable[Batch],
    seen: Seen,
    spool: Spool | None,
    choices: Choices,
    report: Report,
    watched: Watched,
) -> None:
    linker = Linker(
        into.database,
        into.workspace,
        into.settings,
        report,
        person=into.person,
        dry=choices.dry,
        plan=into.plan,
        domain=choices.domain,
    )
    importer = Importer(into.atlas, linker, seen, spool, choices, report)
    for batch in batches:
        importer.take(batch)
        watched(report)


def _earlier(told: dict[str, Any]) -> Report:
    return Report(imported=told["imported"], refused=told["refused"], new_links=told["new_links"])


def import_table(
    into: Into,
    source: BinaryIO,
    name: str,
    told: dict[str, str],
    choices: Choices,
    report: Report,
    watched: Watched = lambda report: None,
    *,
    whole: int = WHOLE,
) -> Report:
    """Bring in a table from a stream that can be read once."""
    hashed = Hashed(source)
    looked = preview(hashed, name, _refusing(report), whole=whole)
    columns = columns_of(looked, told)
    return bring_in(into, by_role(looked.table.batches, columns), hashed.digest, choices, report, watched)


def import_path(
    into: Into,
    path: Path,
    told: dict[str, str],
    choices: Choices,
    report: Report,
    watched: Watched = lambda report: None,
) -> Report:
    """Bring in a file: what was imported before is seen before it is read. Parquet is read from where it lies."""
    with path.open("rb") as content:
        checksum = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        looked = preview(content, path.name, _refusing(report))
        columns = columns_of(looked, told)
        rows = by_role(looked.table.batches, columns)
        return bring_in(into, rows, lambda: checksum, choices, report, watched, known=checksum)


def _refusing(report: Report) -> Refuse:
    return lambda row, why: report.refuse(row, why, why.partition(":")[0])
