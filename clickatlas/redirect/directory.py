"""Code → destination in memory, dropped the moment a link changes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, Select, func, select

from clickatlas.links.database import LinksDatabase
from clickatlas.links.destination import MAX_CODE
from clickatlas.links.models import Link, LinkChange

MAX_ENTRIES = 200_000  # about 100 MB of links; past it the oldest entries are looked up again
MAX_UNKNOWN = 50_000
PRELOAD = 100_000


class Entry(NamedTuple):
    """What a redirector needs of a link."""

    link: int
    url: bytes
    fragment: bytes
    pass_query: bool
    expires_ms: int  # 0: never


class Directory:
    """Destinations by code. One per process, used from its event loop only.

    Every look-up first reads the shared change counter (0.1 µs). Only when it moved is the
    journal read, and only the codes it names are forgotten.
    """

    def __init__(self, links: LinksDatabase, *, case_sensitive: bool = True) -> None:
        self._links = links
        self._case_sensitive = case_sensitive
        self._entries: dict[str, Entry] = {}
        self._unknown: set[str] = set()
        self._seen = links.changes.read()
        with links.reading() as session:
            self._journal = session.scalar(select(func.max(LinkChange.id))) or 0
            for row in session.execute(self._columns().order_by(Link.id.desc()).limit(PRELOAD)):
                self._entries[self._name(row[1])] = _entry(row)

    def find(self, code: str) -> Entry | None:
        """The destination of `code`, None where there is none. A miss asks the database (0.2 ms)."""
        if self._links.changes.read() != self._seen:
            self._forget_changed()
        code = self._name(code)
        entry = self._entries.get(code)
        # Longer than any code is: not worth a look, and 50,000 of them would fill the memory.
        if entry is not None or code in self._unknown or len(code) > MAX_CODE:
            return entry
        return self._look_up(code)

    def _name(self, code: str) -> str:
        return code if self._case_sensitive else code.lower()

    def _look_up(self, code: str) -> Entry | None:
        column = Link.code if self._case_sensitive else func.lower(Link.code)
        with self._links.reading() as session:
            row = session.execute(self._columns().where(column == code)).first()
        if row is None:
            if len(self._unknown) >= MAX_UNKNOWN:
                self._unknown.clear()
            self._unknown.add(code)
            return None
        if len(self._entries) >= MAX_ENTRIES:
            del self._entries[next(iter(self._entries))]
        entry = self._entries[code] = _entry(row)
        return entry

    def _forget_changed(self) -> None:
        seen = self._links.changes.read()
        with self._links.reading() as session:
            changed = session.execute(
                select(LinkChange.id, LinkChange.code)
                .where(LinkChange.id > self._journal)
                .order_by(LinkChange.id)
            ).all()
        for number, code in changed:
            self._entries.pop(self._name(code), None)
            self._unknown.discard(self._name(code))
            self._journal = number
        self._seen = seen

    @staticmethod
    def _columns() -> Select[int, str, str, bool, datetime | None]:
        return select(Link.id, Link.code, Link.url, Link.pass_query, Link.expires_at)


def _entry(row: Row[int, str, str, bool, datetime | None]) -> Entry:
    number, _code, destination, pass_query, expires_at = row
    url, mark, fragment = destination.partition("#")
    expires = int(expires_at.timestamp() * 1000) if expires_at else 0
    return Entry(number, url.encode("ascii"), (mark + fragment).encode("ascii"), pass_query, expires)
