"""Batches of rows, by role, become links and click records: read, matched, told from earlier ones, written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.imports.cells import Coded, coded, has_empty, numbers, read_times
from clickatlas.imports.linker import YES, Linker, said_of
from clickatlas.imports.placing import Placing
from clickatlas.imports.report import Refusals, Report
from clickatlas.imports.roles import LINK_ROLES
from clickatlas.imports.seen import Seen, mixed, text_hashes
from clickatlas.imports.tables import Batch
from clickatlas.imports.times import Order
from clickatlas.imports.visitors import hashes_of
from clickatlas.redirect.record import RECORD, Agent, Flags
from clickatlas.redirect.secret import DaySecrets
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import agent_term, first_language, read_agent, referrer_host

REACH_KM = 100.0
MOST_OF_ROW = 1_000_000  # clicks that one row may stand for
NO_REFERRER = frozenset(["", "-", "direct", "(direct)", "(none)", "none", "null", "undefined"])


@dataclass(frozen=True)
class Choices:
    """What an import may be told besides its mapping."""

    zone: tzinfo = UTC  # of times that name none
    order: Order = ""  # of 12/05/2026
    within_km: float = REACH_KM
    dry: bool = False
    again: bool = False
    domain: str = ""  # of new links; "": the installation's own host


class Importer:
    """Takes batches whose columns are named by roles. `spool` None: a dry run, which counts and writes nothing."""

    def __init__(
        self, atlas: Atlas, linker: Linker, seen: Seen, spool: Spool | None, choices: Choices, report: Report
    ) -> None:
        self.report = report
        self._keys, self._linker, self._seen = atlas.locator.keys, linker, seen
        self._spool, self._choices = spool, choices
        self._placing = Placing(atlas, choices.within_km, report)
        self._secrets = DaySecrets()

    def take(self, batch: Batch) -> None:
        """Read, match and write down one batch."""
        count = len(batch.rows)
        self.report.rows += count
        if "time" not in batch.columns:
            self._linker.make(said_of(batch, self._linker), told=True)
            return
        batch = self._links_among(batch)
        if not len(batch.rows):
            return
        why = Refusals(batch.rows)
        link = self._link(batch, why)
        self._log(batch, why)
        place, kind, addresses = self._placing.placed(batch.columns, len(batch.rows), why)
        ms, late = read_times(batch.columns["time"], self._choices.zone, self._choices.order)
        why.take(late, lambda text: "has a time that can't be read" if "time '" in text else text)
        agent, crawler = self._agent(batch)
        kind = np.where(crawler, int(NetworkKind.BOT), kind)
        good = why.good()
        why.tell(self.report)
        self._write(batch, good, ms, link, place, kind, agent, addresses)

    def _links_among(self, batch: Batch) -> Batch:
        """Rows of a mixed table (a database's dump) that are about links, not clicks, are taken out."""
        if "url" not in batch.columns or not has_empty(batch.columns["time"]):
            return batch
        when, url = coded(batch.columns["time"]), coded(batch.columns["url"])
        about = when.of(lambda t: not t, bool) & url.of(bool, bool)
        if about.any() and not any(
            _has_cells(batch, role, about) for role in ("ip", "lat", "country", "city", "postal")
        ):
            self._linker.make(said_of(_some(batch, about), self._linker), told=True)
            return _some(batch, ~about)
        return batch

    def _link(self, batch: Batch, why: Refusals) -> npt.NDArray[np.int64]:
        column = coded(batch.columns["code"])
        codes = [self._linker.code(text) for text in column.texts]
        none = Coded([""], np.zeros(len(batch.rows), np.int64))
        urls = coded(batch.columns["url"]) if "url" in batch.columns else none
        pair = column.index * len(urls.texts) + urls.index
        if rows := self._firsts(column, codes, pair):
            at = np.array(rows, np.int64)
            some = {role: cells.take(at) for role, cells in batch.columns.items() if role in LINK_ROLES}
            self._linker.make(said_of(Batch(batch.rows[at], some), self._linker))
        none_of = np.array([self._linker.number(code) is None for code in codes], bool)
        rows_without = np.flatnonzero(none_of[column.index])
        said: dict[int, tuple[str, str]] = {}
        for row in rows_without.tolist():
            key = int(pair[row])
            if key not in said:
                said[key] = self._linker.why_none(codes[column.index[row]], urls.texts[urls.index[row]])
            why.all((row,), *said[key])
        return np.array([self._linker.number(code) or 0 for code in codes], np.int64)[column.index]

    def _firsts(self, column: Coded, codes: list[str], pair: npt.NDArray[np.int64]) -> list[int]:
        """The first row of each code and URL that lead to no link."""
        none = np.array([self._linker.number(code) is None for code in codes], bool)[column.index]
        rows = np.flatnonzero(none)
        first: list[int] = rows[np.unique(pair[rows], return_index=True)[1]].tolist()
        return sorted(first)

    def _log(self, batch: Batch, why: Refusals) -> None:
        """A log has requests that were no clicks: errors, forms sent."""
        if "status" in batch.columns:
            failed = numbers(batch.columns["status"]) >= 400
            why.all(np.flatnonzero(failed), "was answered with an error", "was answered with an error")
        if "method" in batch.columns:
            other = coded(batch.columns["method"]).of(lambda t: t.upper() not in ("", "GET", "HEAD"), bool)
            why.all(
                np.flatnonzero(other),
                "is no visit: its method is not GET",
                "is no visit: its method is not GET",
            )

    def _agent(self, batch: Batch) -> tuple[Coded, npt.NDArray[np.bool_]]:
        """Terms of device, browser, system, language; and which are machines."""
        count, columns = len(batch.rows), batch.columns
        roles = ("user_agent", "device", "browser", "system", "language")
        parts = [coded(columns[role]) if role in columns else None for role in roles]
        combined, which = _combinations(parts, count)
        terms, machines = [], []
        for spot in combined.tolist():
            agent, device, browser, system, language = (
                p.texts[at] if p else "" for p, at in zip(parts, spot, strict=True)
            )
            read = read_agent(agent)
            device = (
                device.lower()
                if device.lower() in ("desktop", "mobile", "tablet")
                else _DEVICES.get(device.lower(), "")
            )
            terms.append(
                agent_term(
                    Agent(
                        device or read[0],
                        browser[:60] or read[1],
                        system[:60] or read[2],
                        first_language(language),
                    )
                )
            )
            machines.append(read[3])
        machine = np.array(machines, bool)[which]
        if "bot" in columns:
            machine |= coded(columns["bot"]).of(lambda t: t.lower() in YES or "bot" in t.lower(), bool)
        if "human" in columns:
            machine |= coded(columns["human"]).of(lambda t: bool(t) and t.lower() not in YES, bool)
        return Coded(terms, which), machine

    def _write(
        self,
        batch: Batch,
        good: Any,
        ms: Any,
        link: Any,
        place: Any,
        kind: Any,
        agent: Coded,
        addresses: list[str],
    ) -> None:
        columns, rows = batch.columns, np.flatnonzero(good)
        if not rows.size:
            return
        referrer = (
            coded(columns["referrer"])
            if "referrer" in columns
            else Coded([""], np.zeros(len(batch.rows), np.int64))
        )
        hosts = [
            "" if text.lower() in NO_REFERRER else referrer_host(text if "//" in text else f"//{text}")
            for text in referrer.texts
        ]
        key = self._keys[place[rows]]
        if "id" in columns:
            same = mixed(link[rows], coded(columns["id"]).of(_id_hash, np.uint64)[rows])
        else:
            words = text_hashes(agent.texts)[agent.index[rows]], text_hashes(hosts)[referrer.index[rows]]
            same = mixed(ms[rows], link[rows], key, *words, kind[rows])
        if "count" in columns:
            said = np.nan_to_num(numbers(columns["count"])[rows], nan=1.0)
            times = np.clip(said, 0, MOST_OF_ROW).astype(np.int64)
            rows, key, same = np.repeat(rows, times), np.repeat(key, times), np.repeat(same, times)
        if not self._choices.again:
            fresh = self._seen.fresh(same)
            self.report.repeated += int((~fresh).sum())
            rows, key = rows[fresh], key[fresh]
        self.report.imported += len(rows)
        if not len(rows):
            return
        self.report.between(int(ms[rows].min()), int(ms[rows].max()))
        if self._spool is None:
            return
        self._spool.rotate_if_due()
        records = np.zeros(len(rows), RECORD)
        records["time"], records["link"], records["place"], records["kind"] = (
            ms[rows],
            link[rows],
            key,
            kind[rows],
        )
        records["flags"] = Flags.IMPORTED
        if addresses:
            agents = coded(columns["user_agent"]) if "user_agent" in columns else None
            records["visitor"] = hashes_of(self._secrets, ms, link, addresses, agents, rows)
        records["agent"] = self._terms(agent.texts, agent.index[rows])
        records["referrer"] = self._terms(hosts, referrer.index[rows])
        self._spool.write(records)

    def _terms(self, texts: list[str], index: Any) -> Any:
        assert self._spool is not None
        numbered = np.zeros(len(texts), np.int64)
        for at in np.unique(index).tolist():
            numbered[at] = self._spool.term(texts[at])
        return numbered[index]


_DEVICES = {
    "smartphone": "mobile",
    "phone": "mobile",
    "ios": "mobile",
    "android": "mobile",
    "pc": "desktop",
    "computer": "desktop",
}


def _combinations(
    parts: list[Coded | None], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which combinations of columns there are, and which of them each row has."""
    key, size = np.zeros(count, np.int64), 1
    for part in parts:
        if part is not None and size * len(part.texts) < 1 << 62:
            key, size = key * len(part.texts) + part.index, size * len(part.texts)
    values, which = np.unique(key, return_inverse=True)
    columns = []
    for part in reversed(parts):
        width = len(part.texts) if part is not None else 1
        columns.append(values % width)
        values = values // width
    return np.column_stack(columns[::-1]), which.ravel()


def _some(batch: Batch, mask: Any) -> Batch:
    rows = np.flatnonzero(mask)
    return Batch(batch.rows[rows], {role: column.take(rows) for role, column in batch.columns.items()})


def _has_cells(batch: Batch, role: str, mask: Any) -> bool:
    return role in batch.columns and bool(coded(batch.columns[role]).of(bool, bool)[mask].any())


def _id_hash(text: str) -> int:
    return int(text_hashes([text])[0])
