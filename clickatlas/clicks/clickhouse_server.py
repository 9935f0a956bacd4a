"""A ClickHouse that is asked: the connection, what goes in and out of it, and what its errors mean."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.clickhouse_address import Address
from clickatlas.clicks.clickhouse_silence import Silence
from clickatlas.clicks.store import StoreFault
from clickatlas.errors import Problem

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

OLDEST = (25, 8)  # an LTS release whose rollups take part in telling repeated batches
CONNECT_S = 5
COMMAND_S = 300  # a command on a cluster waits for all of its servers, and says nothing meanwhile
SETTINGS: dict[str, Any] = {
    "max_query_size": 1 << 28,  # a question may name 250,000 places
    "optimize_skip_unused_shards": 1,
    "distributed_foreground_insert": 1,
}
# ClickHouse's numbers of errors: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
WHO, RIGHTS, READ_ONLY = (192, 193, 194, 516), (497,), (164, 242)
NO_CLUSTER, NO_ROOM, TOO_MUCH = (170, 701), (243, 252), (241, 396, 159, 160)
log = logging.getLogger("clickatlas.store")


class ClickHouseFault(StoreFault):
    """ClickHouse did not do as it was asked; `code` is its own number of what went wrong, None where it could not be reached."""

    def __init__(self, text: str, code: int | None) -> None:
        super().__init__(text)
        self.code = code


class Server:
    """Its clients, safe for several threads. What it can't do is a `ClickHouseFault`."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._clients: dict[int, Client] = {}  # by the seconds that they bear silence
        self._silence = Silence()

    def _connected(self, at_least: int = 0) -> Client:
        patience = max(self.address.timeout, at_least) if self.address.host else 0
        if (client := self._clients.get(patience)) is None:
            client = self._clients[patience] = _connect(self.address, patience)
        return client

    def version(self) -> tuple[int, ...]:
        """The server's."""
        with self._faults():
            return tuple(int(part) for part in str(self._connected().server_version).split(".")[:2])

    def ask(self, sql: str, given: Mapping[str, Any] | None = None) -> dict[str, npt.NDArray[Any]]:
        """The columns of an answer."""
        with self._faults():
            # `strings` stay in few bytes until they are looked at: most columns are numbers.
            table = self._connected().query_arrow(sql, parameters=dict(given or {}), use_strings=True)
            return {name: table.column(at).to_numpy() for at, name in enumerate(table.column_names)}

    def do(self, sql: str, settings: Mapping[str, Any] | None = None, *, patience: int = COMMAND_S) -> None:
        """A command, which may be silent for `patience` seconds, or as long as the address says."""
        said = {name: str(value) for name, value in (settings or {}).items()}
        with self._faults():
            self._connected(patience).command(sql, settings=said)

    def insert(self, table: str, columns: pa.Table, token: str = "") -> None:
        """Rows into a table of the database: all on one server at once, and those of one `token` once; without one always."""
        settings = {
            "async_insert": "0",
            "max_partitions_per_insert_block": "0",
            # None at all would be told apart by what is in it: clicks that are alike would be taken for a repeated batch.
            "insert_deduplication_token": token or secrets.token_hex(16),
            "deduplicate_blocks_in_dependent_materialized_views": "1",
        }
        if self.address.quorum:
            settings["insert_quorum"] = self.address.quorum
        with self._faults():
            self._connected().insert_arrow(f"{self.address.database}.{table}", columns, settings=settings)

    def close(self) -> None:
        """Let go of it."""
        while self._clients:
            self._clients.popitem()[1].close()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        if not self._silence.may_ask():
            raise ClickHouseFault("it has answered nothing of late", None)
        silent = False
        try:
            yield
        except ClickHouseError as error:
            silent = _waited_in_vain(error)
            raise ClickHouseFault(self._plain(str(error)), getattr(error, "code", None)) from None
        except OSError as error:
            raise ClickHouseFault(self._plain(str(error)), None) from None
        finally:
            self._silence.lasts() if silent else self._silence.ended()

    def _plain(self, text: str) -> str:
        """What the client says, in a line, without the password: it may repeat what it was given."""
        secret = self.address.password
        text = " ".join(text.split())
        return (text.replace(secret, "…") if secret else text)[:500]


def _waited_in_vain(error: Exception) -> bool:
    """Whether nothing came within the time that was given, rather than an answer or a refusal."""
    from urllib3 import exceptions as of

    cause = getattr(error.__cause__, "reason", error.__cause__)
    return isinstance(cause, of.TimeoutError) and not isinstance(cause, of.NewConnectionError)


def _connect(address: Address, patience: int) -> Client:
    from clickhouse_connect import common
    from clickhouse_connect.driver import create_client

    common.set_setting("autogenerate_session_id", False)  # a session has one question at a time
    settings = dict(SETTINGS)
    if not address.host:
        return create_client(
            interface="chdb", path=address.path or None, settings={"max_query_size": 1 << 28}
        )
    return create_client(
        host=address.host,
        port=address.port,
        username=address.user,
        password=address.password,
        interface="https" if address.secure else "http",
        connect_timeout=CONNECT_S,
        send_receive_timeout=patience,  # told to ClickHouse, which says sooner that it is at work
        settings=settings,
        client_name="clickatlas",
    )


def explained(fault: ClickHouseFault, address: Address) -> Problem:
    """What a fault means, and what to do: a `Problem` (503)."""
    where, code = address.shown, fault.code
    if code is None and not _answered(str(fault)):
        return Problem(
            503,
            "The click store can't be reached",
            f"ClickHouse does not answer at {where}.",
            remedy="Is it running, and is 'clicks_url' its HTTP address (port 8123, or 8443 with secure=true)? Counting goes "
            "on by itself then; the spool keeps all clicks meanwhile.",
        )
    title, what, remedy = "The click store does not answer", str(fault), "See ClickHouse's log."
    if code in WHO or "AUTHENTICATION_FAILED" in str(fault):
        title, what = (
            "The click store refuses the password",
            "ClickHouse takes neither this user nor this password",
        )
        remedy = "Mend user and password in 'clicks_url'; in a URL %40 stands for @, %3A for : and %2F for /."
    elif code in RIGHTS:
        title, remedy = (
            "The click store refuses",
            (
                f"Let the user make tables: GRANT ALL ON {address.database}.* TO {address.user}"
                + (" and GRANT CLUSTER ON *.*" if address.cluster else "")
            ),
        )
    elif code in READ_ONLY:
        title, remedy = (
            "The click store can only be read",
            "See ClickHouse's log, and Keeper's, on a cluster.",
        )
    elif code in NO_CLUSTER:
        title, remedy = (
            "There is no such cluster",
            "SELECT DISTINCT cluster FROM system.clusters names those there are.",
        )
    elif code in NO_ROOM:
        title, remedy = (
            "The click store takes no more",
            "Make room on ClickHouse's disk, or let its merges catch up.",
        )
    elif code in TOO_MUCH:
        title, remedy = (
            "Too much for the click store",
            "Ask for less at once, or give ClickHouse more memory or time.",
        )
    return Problem(503, title, f"{where}: {what}", remedy=remedy)


def _answered(text: str) -> bool:
    return "Code: " in text or "received HTTP status" in text


def values(numbers: npt.NDArray[Any]) -> str:
    """Numbers with commas between them."""
    return ",".join(map(str, np.asarray(numbers).tolist()))


def text(words: object) -> str:
    """A word as SQL has it."""
    escaped = str(words).replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"
