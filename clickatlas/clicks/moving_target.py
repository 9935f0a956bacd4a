"""The ClickHouse that clicks of a file are copied to: looked at beforehand, and emptied of a copy that is given up."""

from __future__ import annotations

import pyarrow as pa

from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.clickhouse_schema import KNOWN, OF_LINKS, bring_along, local, on_cluster
from clickatlas.clicks.clickhouse_server import Server
from clickatlas.clicks.moving_notes import MoveNotes
from clickatlas.clicks.moving_source import Source
from clickatlas.errors import Problem

PATIENT = {"distributed_ddl_output_mode": "null_status_on_timeout_only_active"}


class Target:
    """A store that nobody else counts into until the copy is whole."""

    def __init__(self, url: str, keep_days: int) -> None:
        self.store = ClickHouseStore(url, keep_days=keep_days, arriving=True)
        self.address = self.store.address
        self.server = Server(self.address)
        self.notes = MoveNotes(self.server)

    def begin(self, fingerprint: str, *, start_over: bool) -> tuple[str, int] | None:
        """The copy's name and how many of its pieces are in; None where all is there already.

        Raises `Problem` (409) where there is something else.
        """
        self._sync("marks")
        unfinished = self.notes.unfinished()
        if unfinished and start_over:
            self._empty()
            unfinished = {}
        if not unfinished:
            if self.notes.is_finished(fingerprint):
                return None
            self._check_empty()
            self.notes.begin(fingerprint)
            unfinished = self.notes.unfinished()
        [*names] = unfinished
        if len(names) > 1 or names[0].split()[0] != fingerprint:
            raise Problem(
                409,
                "Another copy",
                f"A copy of another file to {self.address.shown} was begun, or of this one before more was counted into it.",
                remedy="'clickatlas migrate-store --start-over' empties what was copied, and begins anew. Nobody has counted "
                "there meanwhile. Is it another installation's, name another database in 'clicks_url'.",
            )
        return names[0], unfinished[names[0]]

    def _check_empty(self) -> None:
        database = self.address.database
        used = [
            t.name
            for t in OF_LINKS
            if len(self.server.ask(f"SELECT link FROM {database}.{t.name} LIMIT 1")["link"])
        ]
        if used or self.store.begun():
            clicks = int(self.server.ask(f"SELECT sum(clicks) AS clicks FROM {database}.seen")["clicks"][0])
            raise Problem(
                409,
                "Not empty",
                f"{self.address.shown} has {clicks:,} clicks already, which were not copied from this file as it is now.",
                remedy="Clicks of two stores can't be told apart, so they are not put together. Name another database in "
                "'clicks_url': it is made where there is none.",
            )

    def _empty(self) -> None:
        """Take away what an unfinished copy has put there; the notes last, so that one cut short here is unfinished still."""
        for table in sorted((*OF_LINKS, *KNOWN), key=lambda table: table.name == "marks"):
            name = f"{self.address.database}.{local(table, self.address.cluster)}"
            self.server.do(f"TRUNCATE TABLE {name}{on_cluster(self.address.cluster)}", PATIENT)
        bring_along(self.server)

    def settle(self) -> None:
        """On a cluster: wait until each replica has what was inserted, whichever is asked then."""
        for table in OF_LINKS:
            self._sync(local(table, self.address.cluster), on_cluster(self.address.cluster))

    def _sync(self, table: str, where: str = "") -> None:
        if self.address.cluster:
            self.server.do(f"SYSTEM SYNC REPLICA{where} {self.address.database}.{table} LIGHTWEIGHT", PATIENT)

    def finish(self, name: str, source: Source) -> None:
        """What belongs to the clicks, which are all there: spool positions first of all, and that it is whole at last."""
        if len(source.removed):
            self.server.insert("removed_links", pa.table({"link": pa.array(source.removed, pa.int64())}))
        for mark, value in (("journal", source.journal), ("kept_since", source.since)):
            if value:
                self.notes.mark(mark, value)
        self.store.take_positions(source.positions)
        self.notes.finish(name)

    def close(self) -> None:
        """Let go of the connections."""
        self.server.close()
        self.store.close()
