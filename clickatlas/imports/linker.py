"""From a table's short codes to links: found here, or made from what the table says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem
from clickatlas.imports.cells import as_texts
from clickatlas.imports.report import Report
from clickatlas.imports.roles import LINK_ROLES
from clickatlas.imports.tables import Batch
from clickatlas.imports.times import Order, TimeError, milliseconds
from clickatlas.links import audit, domains, links, plans
from clickatlas.links.database import LinksDatabase
from clickatlas.links.destination import checked_code, checked_url, refuse_some
from clickatlas.links.models import Link
from clickatlas.settings import Settings

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?/", re.I)
AT_ONCE = 500  # links in one transaction: everybody else who writes waits for it
MOST_TAGS, TAG, TEXT = 50, 100, 500
NO_CODE = "has no code"
YES = frozenset(["1", "true", "yes", "t", "y", "on", "archived"])


@dataclass(frozen=True)
class Said:
    """What a row says of a link."""

    row: int
    code: str
    url: str
    title: str = ""
    tags: str = ""
    campaign: str = ""
    channel: str = ""
    created: str = ""
    expires: str = ""
    max_clicks: str = ""
    archived: str = ""


@dataclass
class Linker:
    """The links of a workspace by code. In a dry run none are made: those that would be have numbers below 0."""

    database: LinksDatabase
    workspace: int
    settings: Settings
    report: Report
    person: int | None = None
    dry: bool = False
    plan: plans.Plan | None = None  # that new links are held to; None: to none
    domain: str = ""  # of codes that come without one; "": the installation's own host
    _own: str = ""
    _domains: Sequence[str] = ()
    _left: int | None = None  # how many it lets be made
    _found: dict[str, tuple[int, str]] = field(default_factory=dict)
    _why: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._own = domains.host_of(self.settings.base_url)
        with self.database.reading() as session:
            self._domains = domains.verified(session, self.workspace)
            told = domains.unless_own(self.domain, self.settings.base_url)
            self.domain = domains.chosen(session, self.workspace, told or "")
            rows = session.execute(
                select(Link.code, Link.id, Link.url).where(Link.workspace_id == self.workspace)
            )
            self._found = {row.code: (row.id, row.url) for row in rows}
            if self.plan is not None:
                self._left = plans.links_left(session, self.workspace, self.plan)

    def code(self, text: str) -> str:
        """The code in a cell: `abc`, `/abc?x=1`, `bit.ly/abc` or `https://go.example/abc` are all `abc`, on the chosen domain.

        A short address on a verified domain of the workspace, or on our own host, is there; so is `abc@go.example`.
        """
        text, domain = text.strip(), self.domain
        if "/" in text or "?" in text:
            host = ""
            if "://" in text:
                try:
                    parts = urlsplit(text)
                    host, text = parts.hostname or "", parts.path
                except ValueError:
                    return ""
            elif _HOST.match(text):
                host, _, text = text.partition("/")
            text = unquote(text.partition("?")[0].partition("#")[0]).strip("/")
            host = domains.as_kept(host.partition(":")[0])
            domain = host if host in self._domains else "" if host == self._own else domain
        text = text if self.settings.case_sensitive_codes else text.lower()
        return domains.with_domain(text, domain) if text and "@" not in text else text

    def number(self, code: str) -> int | None:
        """The number of the link that has `code`."""
        found = self._found.get(code)
        return found[0] if found else None

    def why_none(self, code: str, url: str) -> tuple[str, str]:
        """Why `code` leads to no link, for its owner; and the kind of reason."""
        if not code:
            return NO_CODE, ""
        if why := self._why.get((code, url)):
            return why, _kind(why)
        return f"there is no link {code[:80]!r}, and no url to make one from", "there is no link of that code"

    def make(self, wanted: Iterable[Said], *, told: bool = False) -> None:
        """Make the links that are not here yet; `told`: rows are about links, so each is counted or refused."""
        todo = []
        for said in wanted:
            if not said.code:
                if told:
                    self.report.refuse(said.row, NO_CODE)
            elif told or (said.url and (said.code, said.url) not in self._why):
                todo.append(said)
        if not todo:
            return
        if self.dry:
            with self.database.reading() as session:
                for said in todo:
                    self._one(session, said, told)
        else:
            for start in range(0, len(todo), AT_ONCE):
                with self.database.writing() as session:
                    if self.plan is not None:  # others make links, too
                        self._left = plans.links_left(session, self.workspace, self.plan)
                    for said in todo[start : start + AT_ONCE]:
                        self._one(session, said, told)

    def _one(self, session: Session, said: Said, told: bool) -> None:
        try:
            url = checked_url(said.url, self.settings.app_schemes)
            if (known := self._found.get(said.code)) is not None:
                if told and known[1] != url:
                    self.report.refuse(
                        said.row,
                        f"the code {said.code[:80]!r} is taken here, and leads elsewhere",
                        "the code is taken here, and leads elsewhere",
                    )
                elif told:
                    self.report.known_links += 1
                return
            to = self.settings
            refuse_some(url, to.base_url, to.blocked_hosts, self._domains, to.app_schemes)
            if self.plan is not None and self._left is not None and self._left <= 0:
                raise plans.no_more_links(self.plan)
            draft = self._draft(said, url)
            number = (
                self._would_be(session, said.code)
                if self.dry
                else links.create(session, self.workspace, draft, self.settings.app_schemes).id
            )
        except Problem as problem:
            why = (
                f"the code {said.code[:80]!r} is taken in another workspace"
                if problem.status == 409 and "taken" in problem.detail
                else f"{problem.detail} {problem.remedy}"
                if problem.status == 403
                else problem.detail
            )
            self._why[(said.code, said.url)] = why
            if told:
                self.report.refuse(said.row, why, _kind(why))
            return
        self._found[said.code] = (number, url)
        self.report.new_links += 1
        if self._left is not None:
            self._left -= 1
        if self.person is not None and not self.dry:
            audit.record(
                session, self.workspace, self.person, "link.create", said.code, link=number, detail=url
            )

    def _would_be(self, session: Session, code: str) -> int:
        path, _, domain = code.partition("@")
        checked_code(path)
        domains.chosen(session, self.workspace, domain)
        if session.scalar(select(Link.id).where(Link.code == code)) is not None:
            raise Problem(409, "Taken", "taken", remedy="")
        return -1 - self.report.new_links

    def _draft(self, said: Said, url: str) -> links.LinkDraft:
        tags = {tag.strip(' "[]')[:TAG] for tag in re.split(r"[|,;]", said.tags) if tag.strip(' "[]')}
        path, _, domain = said.code.partition("@")
        return links.LinkDraft(
            url=url,
            code=path,
            domain=domain,
            title=said.title[:TEXT],
            tags=tuple(sorted(tags))[:MOST_TAGS],
            campaign=said.campaign[:200] or None,
            channel=said.channel[:100] or None,
            created_at=_moment(said.created),
            expires_at=_moment(said.expires, future=True),
            max_clicks=int(said.max_clicks)
            if said.max_clicks.isdigit() and 0 < len(said.max_clicks) < 10
            else None,
            archived=said.archived.lower() in YES,
        )


def said_of(batch: Batch, linker: Linker) -> list[Said]:
    """What rows say of links."""
    cells = {role: as_texts(batch.columns[role]).to_pylist() for role in LINK_ROLES if role in batch.columns}
    names = list(cells)
    return [
        _of_row(int(number), dict(zip(names, row, strict=True)), linker)
        for number, row in zip(batch.rows, zip(*cells.values(), strict=True), strict=True)
    ]


def _of_row(number: int, cells: dict[str, Any], linker: Linker) -> Said:
    texts = {name: str(value or "").strip() for name, value in cells.items()}
    texts["code"] = linker.code(texts.get("code", ""))
    return Said(row=number, url=texts.pop("url", ""), **texts)


def _moment(text: str, zone: tzinfo = UTC, order: Order = "", *, future: bool = False) -> datetime | None:
    """A time that is nice to have: what can't be read is left out."""
    try:
        if future:
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return datetime.fromtimestamp(milliseconds(text, zone, order) / 1000, UTC)
    except (TimeError, ValueError, OverflowError):
        return None


def _kind(why: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "…", why)
