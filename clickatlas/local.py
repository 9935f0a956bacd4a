"""The server of this machine, as the command line reaches it.

Only one process may have the click store open. So a command that needs it asks the running
app over its Unix socket, with a token it makes for the occasion, and opens the store itself
where no server runs.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from clickatlas.errors import Problem
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.roles import OPERATOR, READ
from clickatlas.processes import is_held
from clickatlas.settings import Settings


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("clickatlas", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


def asked(
    settings: Settings, path: str, headers: dict[str, str] | None = None, socket: Path | None = None
) -> tuple[int, bytes]:
    """Status and body of the running app's answer to GET `path`; raises OSError where it doesn't answer.

    Another process that listens at a `socket` is asked there.
    """
    connection = _SocketConnection(socket or settings.app_socket)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


@contextmanager
def answer(settings: Settings, path: str) -> Iterator[http.client.HTTPResponse]:
    """The running app's answer to GET `path`; raises `Problem` where it refuses or isn't there."""
    database = LinksDatabase(settings.data, settings.database_url)
    with database.writing() as session:
        person, workspace = keys.owner(session)
        token = keys.issue(
            session,
            keys.TOKEN,
            person,
            workspace,
            name="command line",
            lasts=timedelta(hours=1),
            scopes=[READ, OPERATOR],
        )
    connection = _SocketConnection(settings.app_socket)
    try:
        connection.request("GET", path, headers={"authorization": f"Bearer {token}"})
        response = connection.getresponse()
        if response.status >= 400:
            document = json.loads(response.read() or b"{}")
            raise Problem(
                response.status,
                document.get("title", "Refused"),
                document.get("detail", f"the server answered {response.status}"),
                remedy=document.get("remedy", ""),
            )
        yield response
    except (OSError, http.client.HTTPException) as error:
        raise Problem(
            503, "No answer", f"The server runs but does not answer: {error}.", remedy="See its log."
        ) from None
    finally:
        connection.close()
        with database.writing() as session:
            keys.revoke(session, token)
        database.close()


def remove_clicks(settings: Settings) -> str:
    """Delete the clicks of links that were deleted, in words; a running server does it by itself."""
    if is_held(settings.data):
        return "Their clicks go within a second. 'clickatlas compact', with the server stopped, clears the files."
    return compact(settings)


def compact(settings: Settings) -> str:
    """Take in what is in the spool and write the click store anew, in words; raises `Problem` (409, 503).

    Of clicks whose links were deleted nothing is left then: not in the spool, nor in the store's free blocks.
    """
    from clickatlas.clicks.duckdb_rewrite import rewrite
    from clickatlas.clicks.ingest import Ingest
    from clickatlas.clicks.opening import open_store

    if is_held(settings.data):
        raise Problem(409, "In use", "The server runs on this data folder.", remedy="Stop it, and try again.")
    links = LinksDatabase(settings.data, settings.database_url)
    store = open_store(
        settings.clicks_url, settings.data, memory=settings.store_memory, keep_days=settings.keep_clicks_days
    )
    ingest = Ingest(settings.data / "spool", store, links)
    while ingest.step():
        pass
    store.close()
    links.clear_up()
    links.close()
    if settings.clicks_url:
        return "All of the spool is in ClickHouse, which writes its tables anew by itself."
    before, after = rewrite(settings.data / "clicks.duckdb", memory=settings.store_memory)
    return f"The click store was written anew: {before:,} bytes before, {after:,} now."
