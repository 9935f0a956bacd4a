"""The server of this machine, as the command line reaches it.

Only one process may have the click store open. So a command that needs it asks the running
app over its Unix socket, with a token it makes for the occasion, and opens the store itself
where no server runs.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from clickatlas.errors import Problem
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
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


@contextmanager
def answer(settings: Settings, path: str) -> Iterator[http.client.HTTPResponse]:
    """The running app's answer to GET `path`; raises `Problem` where it refuses or isn't there."""
    database = LinksDatabase(settings.data)
    with database.writing() as session:
        person, workspace = keys.owner(session)
        token = keys.issue(
            session, keys.TOKEN, person, workspace, name="command line", lasts=timedelta(hours=1)
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
    except OSError as error:
        raise Problem(
            503, "No answer", f"The server runs but does not answer: {error}.", remedy="See its log."
        ) from None
    finally:
        connection.close()
        with database.writing() as session:
            keys.revoke(session, token)
        database.close()


def export_clicks(
    settings: Settings,
    kind: str,
    output: Path | None,
    *,
    links: Iterable[str],
    start: str | None,
    end: str | None,
    tz: str,
    network: Iterable[str],
    within: Iterable[str] = (),
) -> int:
    """Write clicks as csv or ndjson to `output` (None: standard output); returns how many."""
    query = [("link", code) for code in links] + [("network", name) for name in network] + [("tz", tz)]
    query += [("within", shape) for shape in within]
    query += [(name, value) for name, value in (("from", start), ("to", end)) if value]
    partial = output.with_name(output.name + ".partial") if output else None
    with partial.open("wb") if partial else _stdout() as file:
        counter = _LineCounter(file)
        if is_held(settings.data):
            with answer(settings, f"/api/export/clicks.{kind}?{urlencode(query)}") as response:
                shutil.copyfileobj(response, counter, 1 << 16)
        else:
            for piece in _from_store(settings, kind, links, start, end, tz, network, within):
                counter.write(piece.encode())
    if partial and output:
        partial.replace(output)  # never half a file under the name that was asked for
    return counter.lines - (kind == "csv")


def _from_store(
    settings: Settings, kind: str, links: Iterable[str], start: str | None, end: str | None, tz: str,
    network: Iterable[str], within: Iterable[str],
) -> Iterator[str]:  # fmt: skip
    from clickatlas.api.exports import click_rows, csv_lines
    from clickatlas.app import open_house
    from clickatlas.clicks.filter import Filter, moment, network_kinds, shapes, zone_info

    zone_info(tz)
    wanted = Filter(
        links=tuple(links),
        start=moment(start, tz, field="from") if start else None,
        end=moment(end, tz, field="to", is_end=True) if end else None,
        networks=network_kinds(list(network)),
        within=shapes(list(within)),
    )
    house = open_house(settings)
    try:
        while house.ingest.ingest.step():
            pass
        with house.links.writing() as session:
            _person, workspace = keys.owner(session)
        rows = click_rows(house.questions, workspace, wanted)
        yield from csv_lines(rows) if kind == "csv" else (json.dumps(row) + "\n" for row in rows)
    finally:
        house.store.close()


class _LineCounter:
    def __init__(self, file: Any) -> None:
        self._file = file
        self.lines = 0

    def write(self, data: bytes) -> int:
        self.lines += data.count(b"\n")
        return int(self._file.write(data))


@contextmanager
def _stdout() -> Iterator[Any]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
