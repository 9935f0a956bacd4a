"""Code → destination in memory, dropped the moment a link changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from clickatlas.links.database import LinksDatabase
from clickatlas.links.destination import MAX_CODE, RESERVED
from clickatlas.links.domains import held, with_domain
from clickatlas.links.lock import lock_key
from clickatlas.links.models import Link, LinkChange
from clickatlas.links.ways import Way, Ways, parted
from clickatlas.redirect.replica import Replica

Columns = tuple[
    int,
    str,
    str,
    bool,
    datetime | None,
    int,
    datetime | None,
    datetime | None,
    str | None,
    list[dict[str, Any]] | None,
    int,
]
Headers = Iterable[tuple[bytes, bytes]]
log = logging.getLogger("clickatlas.redirect")
MAX_ENTRIES = 200_000  # about 100 MB of links; past it the oldest entries are looked up again
AGAIN_S = 1.0
MAX_UNKNOWN = 50_000


class Entry(NamedTuple):
    """What a redirector needs of a link."""

    link: int
    url: bytes
    fragment: bytes
    pass_query: bool
    expires_ms: int  # 0: never
    status: int = 302
    plain: bool = True  # no start, no password and no ways: nothing to look at but its end
    starts_ms: int = 0
    lock: bytes = b""  # the key of what opens it, where it has a password
    ways: Ways | None = None
    workspace: int = 0

    def location(self, query: bytes, way: Way | None = None) -> bytes:
        """Where to go from a short link that was asked for with `query`, by a way of its own."""
        url, fragment = parted(way.url) if way is not None and way.url else (self.url, self.fragment)
        if not (query and self.pass_query):
            return url + fragment
        return url + (b"&" if b"?" in url else b"?") + query + fragment


class Domain(NamedTuple):
    """A workspace's own domain, as redirectors know it."""

    name: str
    workspace: int


class Directory:
    """Destinations by code, and on workspaces' own domains by code and domain. One per process, used from its event loop only.

    Every look-up first reads the shared change counter (0.1 µs). Only when it moved is the
    journal read, and only the codes it names are forgotten.

    As long as all links are in here, a code that is not in here leads nowhere: only those that the journal named
    since are looked up. So a storm of made-up codes costs no look-up and no memory.

    A host that is nobody's verified domain has the installation's own links: an address, a name inside, a proxy's own
    word. As long as there is no such domain, no request's host is looked at.
    """

    def __init__(self, links: LinksDatabase | Replica, *, case_sensitive: bool = True) -> None:
        self._links = links
        self._case_sensitive = case_sensitive
        self._entries: dict[str, Entry] = {}  # of the installation's own host
        self._elsewhere: dict[str, Entry] = {}  # "spring@go.example.com", verified or not
        self._domains: dict[bytes, Domain] = {}
        self._unknown: set[str] = set()
        self._seen = links.changes.read()
        self._again = 0.0  # when the journal is read again, after the database refused
        with links.reading() as session:
            self._journal = session.scalar(select(func.max(LinkChange.id))) or 0
            self._read_domains(session)
            rows = session.execute(self._columns().order_by(Link.id.desc()).limit(MAX_ENTRIES + 1)).all()
        for row in rows:
            if row[1].lower() not in RESERVED:  # it may have become so
                self._held(row[1]).setdefault(self._name(row[1]), _entry(row))
        self._complete = len(rows) <= MAX_ENTRIES
        self._changed: set[str] = set()  # in the journal since; not looked up yet

    @property
    def is_unsure(self) -> bool:
        """Whether there may be links that are not known here: they are PostgreSQL's, and it was not heard of lately."""
        return isinstance(self._links, Replica) and self._links.nearby.is_cut_off

    def domain(self, headers: Headers) -> Domain | None:
        """The workspace's domain that is asked; None for any other host."""
        self._follow()
        return self._asked(headers) if self._domains else None

    def find(self, code: str, domain: Domain | None = None) -> Entry | None:
        """The destination of `code`, None where there is none. A code not met yet asks the database (0.2 ms)."""
        self._follow()
        # Longer than any code is: not worth a look, and 50,000 of them would fill the memory.
        if len(code) > MAX_CODE or "@" in code:
            return None
        name = self._name(with_domain(code, domain.name) if domain else code)
        entry = self._held(name).get(name)
        if entry is None and name not in self._unknown and not (self._complete and name not in self._changed):
            entry = self._look_up(name)
        return entry if entry is None or domain is None or entry.workspace == domain.workspace else None

    def known(self, path: bytes, headers: Headers) -> Entry | None:
        """The destination of a request's path where it is in memory, and the path is the plain ``/code``."""
        self._follow()
        code = path[1:].decode("latin-1")
        if not self._case_sensitive:
            code = code.lower()
        if self._domains and (domain := self._asked(headers)) is not None:
            entry = self._elsewhere.get(f"{code}@{domain.name}")
            return entry if entry is not None and entry.workspace == domain.workspace else None
        return self._entries.get(code)

    def _asked(self, headers: Headers) -> Domain | None:
        for name, value in headers:
            if name == b"host":
                # A port, a dot at its end and capital letters make no other host.
                return self._domains.get(value.partition(b":")[0].lower().removesuffix(b"."))
        return None

    def _held(self, name: str) -> dict[str, Entry]:
        return self._elsewhere if "@" in name else self._entries

    def _read_domains(self, session: Session) -> None:
        self._domains = {name.encode(): Domain(name, workspace) for name, workspace in held(session).items()}

    def _name(self, code: str) -> str:
        return code if self._case_sensitive else code.lower()

    def _look_up(self, code: str) -> Entry | None:
        column = Link.code if self._case_sensitive else func.lower(Link.code)
        with self._links.reading() as session:
            row = session.execute(self._columns().where(column == code)).first()
        self._changed.discard(code)
        if row is None:
            if self._complete:
                return None
            if len(self._unknown) >= MAX_UNKNOWN:
                self._unknown.clear()
            self._unknown.add(code)
            return None
        if len(self._entries) + len(self._elsewhere) >= MAX_ENTRIES:
            fullest = max(self._entries, self._elsewhere, key=len)
            del fullest[next(iter(fullest))]
            self._complete = False
            self._changed.clear()
        entry = self._held(code)[code] = _entry(row)
        return entry

    def _follow(self) -> None:
        """Forget what changed. While the database can't be read, known links are answered as they were."""
        if self._links.changes.read() == self._seen or time.monotonic() < self._again:
            return
        try:
            self._forget_changed()
        except SQLAlchemyError as error:
            self._again = time.monotonic() + AGAIN_S
            log.error("links can't be read, those in memory are answered as they were: %s", error)

    def _forget_changed(self) -> None:
        seen = self._links.changes.read()
        with self._links.reading() as session:
            changed = session.execute(
                select(LinkChange.id, LinkChange.code)
                .where(LinkChange.id > self._journal)
                .order_by(LinkChange.id)
            ).all()
            if any(code.startswith("@") for _number, code in changed):
                self._read_domains(session)
        for number, code in changed:
            name = self._name(code)
            self._held(name).pop(name, None)
            self._unknown.discard(name)
            if self._complete and name[:1] != "@":
                self._changed.add(name)
            self._journal = number
        self._seen = seen

    @staticmethod
    def _columns() -> Select[*Columns]:
        return select(
            Link.id, Link.code, Link.url, Link.pass_query, Link.expires_at,
            Link.status, Link.starts_at, Link.spent_at, Link.password, Link.ways, Link.workspace_id,
        )  # fmt: skip


def _entry(row: Row[*Columns]) -> Entry:
    (
        number,
        _code,
        destination,
        pass_query,
        expires_at,
        status,
        starts_at,
        spent_at,
        password,
        stored,
        workspace,
    ) = row
    url, fragment = parted(destination)
    ends = min((moment for moment in (expires_at, spent_at) if moment), default=None)
    ways = Ways.read(stored)
    return Entry(
        number,
        url,
        fragment,
        pass_query,
        _milliseconds(ends),
        status,
        plain=not (starts_at or password or ways),
        starts_ms=_milliseconds(starts_at),
        lock=lock_key(password) if password else b"",
        ways=ways,
        workspace=workspace,
    )


def _milliseconds(moment: datetime | None) -> int:
    return int(moment.timestamp() * 1000) if moment else 0
