"""Clicks from a file: read, checked, located, and put into the spool like any other click."""

from __future__ import annotations

import codecs
import csv
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from clickatlas.atlas import files
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.nearest import Nearest
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.ingest import Ingest
from clickatlas.errors import Problem
from clickatlas.links import keys, links
from clickatlas.links.database import LinksDatabase
from clickatlas.links.destination import checked_code, checked_url
from clickatlas.links.models import Link
from clickatlas.processes import is_held
from clickatlas.redirect.record import RECORD, Agent, Flags
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import VisitorKey, agent_term, first_language, read_agent, referrer_host
from clickatlas.settings import Settings

CHUNK = 50_000
REACH_KM = 100.0
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
Refused = Callable[[int, str], None]


class RowError(ValueError):
    """Why a row is refused, in words for its owner."""


@dataclass
class Report:
    """What became of a file's rows."""

    imported: int = 0
    refused: int = 0
    new_links: int = 0

    def sentence(self) -> str:
        """The report in one line."""
        return (
            f"{self.imported:,} clicks imported, {self.refused:,} rows refused, "
            f"{self.new_links:,} links made."
        )


@dataclass
class Row:
    """One readable row, before it is located."""

    line: int
    time_ms: int
    link: int
    address: str | None
    lat: float
    lon: float
    agent: tuple[str, str, str, bool]
    user_agent: str
    language: str
    referrer: str


def import_file(settings: Settings, file: Path, *, refused: Refused) -> Report:
    """Import `file` (CSV, or NDJSON by its ending or first character); calls `refused(row, why)`.

    The clicks stand in the spool when this returns; without a running server they are in the
    store, too. Raises `Problem` (422) where the file as a whole can't be read.
    """
    folder = files.current(settings.data / "atlas")
    assert folder is not None
    database = LinksDatabase(settings.data)
    spool = Spool(settings.data / "spool", fsync_ms=0)
    importer = _Importer(Atlas.open(folder), database, spool, settings, refused)
    try:
        rows = read_rows(file, importer.refuse)
        while chunk := list(islice(rows, CHUNK)):
            importer.take(chunk)
    finally:
        spool.close()
    if not is_held(settings.data):
        store = DuckDBStore(settings.data / "clicks.duckdb", memory=settings.store_memory)
        ingest = Ingest(settings.data / "spool", store, database)
        while ingest.step():
            pass
        store.close()
    return importer.report


def read_rows(file: Path, refuse: Refused) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, fields) of each row; a row that is no row is refused. Raises `Problem` (422)."""
    try:
        _check_encoding(file)
        with file.open(encoding="utf-8-sig", newline="") as lines:
            start = lines.read(1)
            lines.seek(0)
            if file.suffix.lower() in (".ndjson", ".jsonl", ".json") or start == "{":
                yield from _ndjson(lines, refuse)
            else:
                yield from _csv(lines, refuse)
    except UnicodeDecodeError:
        raise Problem(422, "File", f"{file} is not UTF-8 text.", remedy="Save it as UTF-8.") from None


def _check_encoding(file: Path) -> None:
    """Read the whole file once, so that a bad byte far down stops the import before it began."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open("rb") as raw:
        while piece := raw.read(1 << 20):
            decoder.decode(piece)
    decoder.decode(b"", final=True)


def _ndjson(lines: Any, refuse: Refused) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError:
            refuse(number, "is not JSON")
            continue
        if isinstance(fields, dict):
            yield number, fields
        else:
            refuse(number, "is not a JSON object")


def _csv(lines: Any, refuse: Refused) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(lines)
    names = {name.strip().lower() for name in reader.fieldnames or () if name}
    missing = {"time", "code"} - names
    if missing or not ("ip" in names or {"lat", "lon"} <= names):
        need = ", ".join(sorted(missing)) or "ip, or lat and lon"
        raise Problem(
            422, "File", f"The first line names no column {need}.",
            remedy="The first line of a CSV names the columns: time, code, and ip or lat and lon.",
        )  # fmt: skip
    try:
        for row in reader:
            yield reader.line_num, {k.strip().lower(): v for k, v in row.items() if isinstance(k, str)}
    except csv.Error as error:
        refuse(reader.line_num, f"can't be read, nor what comes after it: {error}")


class _Importer:
    def __init__(
        self, atlas: Atlas, database: LinksDatabase, spool: Spool, settings: Settings, refused: Refused
    ) -> None:
        self.report = Report()
        self._atlas = atlas
        self._database = database
        self._spool = spool
        self._settings = settings
        self._refused = refused
        self._nearest: Nearest | None = None
        self._key = VisitorKey()
        with database.writing() as session:
            _person, self._workspace = keys.owner(session)
            self._links = dict(
                session.execute(select(Link.code, Link.id).where(Link.workspace_id == self._workspace)).all()
            )

    def refuse(self, line: int, why: str) -> None:
        self.report.refused += 1
        self._refused(line, why)

    def take(self, chunk: list[tuple[int, dict[str, Any]]]) -> None:
        """Check, locate and write down one chunk of rows."""
        self._make_links(chunk)
        rows = []
        for line, fields in chunk:
            try:
                rows.append(self._row(line, fields))
            except RowError as error:
                self.refuse(line, str(error))
        places, kinds = self._locate(rows)
        records = np.zeros(len(rows), RECORD)
        self._spool.rotate_if_due()
        used = 0
        for row, place, kind in zip(rows, places.tolist(), kinds.tolist(), strict=True):
            if place < 0:
                self.refuse(row.line, f"no place is known within {REACH_KM:.0f} km of {row.lat}, {row.lon}")
                continue
            device, browser, system, crawler = row.agent
            visitor = self._key.hash(row.time_ms, row.address, row.user_agent, row.link) if row.address else 0
            records[used] = (
                row.time_ms, row.link, self._atlas.locator.keys[place], visitor,
                self._spool.term(agent_term(Agent(device, browser, system, row.language))),
                self._spool.term(row.referrer),
                NetworkKind.BOT if crawler else kind, Flags.IMPORTED, 0, 0,
            )  # fmt: skip
            used += 1
        if used:
            self._spool.write(records[:used])
        self.report.imported += used

    def _make_links(self, chunk: list[tuple[int, dict[str, Any]]]) -> None:
        """An unknown code becomes a link when its row tells where it leads."""
        wanted: dict[str, str] = {}
        for _line, fields in chunk:
            code, url = self._code(fields), fields.get("url")
            if code and code not in self._links and isinstance(url, str) and url.strip():
                wanted.setdefault(code, url)
        if not wanted:
            return
        with self._database.writing() as session:
            for code, url in wanted.items():
                try:
                    draft = links.LinkDraft(url=url, code=code)
                    self._links[code] = links.create(session, self._workspace, draft).id
                    self.report.new_links += 1
                except Problem:
                    continue  # its rows are refused one by one, with the reason

    def _code(self, fields: dict[str, Any]) -> str:
        code = _text(fields, "code")
        return code if self._settings.case_sensitive_codes else code.lower()

    def _row(self, line: int, fields: dict[str, Any]) -> Row:
        code = self._code(fields)
        if not code:
            raise RowError("has no code")
        link = self._links.get(code)
        if link is None:
            raise RowError(self._why_no_link(code, fields.get("url")))
        address = _text(fields, "ip") or None
        lat = lon = 0.0
        if address is None:
            lat, lon = _position(fields)
        elif not _is_address(address):
            raise RowError(f"{address[:60]!r} is not an IP address")
        user_agent = _text(fields, "user_agent")
        language = first_language(_text(fields, "language"))
        referrer = referrer_host(_text(fields, "referrer"))
        return Row(
            line, _time(fields.get("time")), link, address, lat, lon, read_agent(user_agent), user_agent,
            language, referrer,
        )  # fmt: skip

    def _why_no_link(self, code: str, url: Any) -> str:
        if not url:
            return f"there is no link {code[:80]!r}, and no url to make one from"
        try:
            checked_code(code)
            checked_url(str(url))
        except Problem as problem:
            return problem.detail
        return f"the code {code[:80]!r} is taken in another workspace"

    def _locate(self, rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
        places = np.full(len(rows), -1, np.int32)
        kinds = np.zeros(len(rows), np.int32)
        by_address = [i for i, row in enumerate(rows) if row.address is not None]
        by_position = [i for i, row in enumerate(rows) if row.address is None]
        if by_address:
            addresses = [rows[i].address or "" for i in by_address]
            places[by_address] = self._atlas.locator.locate(addresses)
            kinds[by_address] = self._atlas.locator.kinds(addresses)
        if by_position:
            self._nearest = self._nearest or Nearest(self._atlas.places)
            lat = np.array([rows[i].lat for i in by_position])
            lon = np.array([rows[i].lon for i in by_position])
            places[by_position] = self._nearest.places(lat, lon, within_km=REACH_KM)
        return places, kinds


def _text(fields: dict[str, Any], name: str) -> str:
    """A field's text. Control characters and halves of surrogate pairs, which JSON can carry and no
    header, are put out of harm's way: the spool uses the former as separators, no store holds the latter."""
    return _UNSAFE.sub("\ufffd", str(fields.get(name) or "").strip())


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _position(fields: dict[str, Any]) -> tuple[float, float]:
    if fields.get("lat") in (None, "") or fields.get("lon") in (None, ""):
        raise RowError("has neither ip nor lat and lon")
    try:
        lat, lon = float(fields["lat"]), float(fields["lon"])
    except (TypeError, ValueError, OverflowError):
        raise RowError("lat and lon are not numbers") from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise RowError(f"lat {lat}, lon {lon} is not on the Earth")
    return lat, lon


def _time(value: Any) -> int:
    """ISO 8601 (UTC unless it says) or Unix seconds, as ms UTC."""
    text = str(value if value is not None else "").strip()
    if not text:
        raise RowError("has no time")
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise RowError(f"the time {text[:60]!r} is neither ISO 8601 nor Unix seconds") from None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if seconds > 1e11:
        seconds /= 1000  # milliseconds, as JavaScript writes them
    if not 0 < seconds < time.time() + 86_400:
        raise RowError(f"the time {text[:60]!r} is not between 1970 and now")
    return round(seconds * 1000)
