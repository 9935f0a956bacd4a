"""ClickHouse's HTTP interface in front of its own engine: `python -m tests.clickhouse_http --data FOLDER --port 8123`.

There is no ClickHouse server among Python's packages, but its engine is (chDB). What is ClickHouse's here: the parser, tables,
parts on the disk, materialised views, what a repeated batch's token does, errors and their numbers. What is ours: the socket, and
how a request becomes a statement, as https://clickhouse.com/docs/interfaces/http says. So a process can be killed, started again
on its folder, and reached through what breaks on a network. It is *not* a server's: users and rights (one password), many at
once under one memory limit, Keeper and replicas, answers sent while they are computed, a statement ended because its client left.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import secrets
import signal
import sys
import tempfile
import zlib
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame
from clickhouse_connect.driver.compression import _zstd_decompress

# Said in the URL and not a setting: https://clickhouse.com/docs/interfaces/http
NOT_SETTINGS = frozenset(("database", "query", "query_id", "default_format", "user", "password", "quota_key", "role",
    "session_id", "session_timeout", "session_check", "compress", "decompress", "buffer_size", "wait_end_of_query",
    "client_protocol_version"))  # fmt: skip
# The engine has one of these for all its sockets, of which it has none.
OF_THE_SOCKET = frozenset(("enable_http_compression", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close"))  # fmt: skip
ROWS = re.compile(rb"\s*(SELECT|WITH|SHOW|DESCRIBE|DESC|EXPLAIN|EXISTS|CHECK)\b", re.IGNORECASE)
INSERT = re.compile(rb"\s*(INSERT\s+INTO\s+[^;]*?)\s+FORMAT\s+(\w+)[ \t]*(?:\r?\n|$)", re.IGNORECASE)
FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
CODE = re.compile(r"Code: (\d+)\.")
NO_SUCH = {"60": 404, "81": 404, "47": 404, "115": 404, "516": 403, "497": 403, "62": 400}
UNPACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": _zstd_decompress,
}


class Told(NamedTuple):
    """What a statement gave."""

    body: bytes
    format: str  # "" where it gives no rows
    read: int


class Engine:
    """ClickHouse's engine on a folder; each request has a connection of its own, as nothing of a request outlives it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._kept = chdb.connect(folder)  # with the last connection the engine would end
        found = self._kept.query("SELECT version(), timezone()", "TabSeparated").bytes()
        self.version, self.zone = found.decode().split()

    def run(
        self, sql: bytes, data: bytes, settings: dict[str, str], database: str, form: str = "TabSeparated"
    ) -> Told:
        """Raises RuntimeError, whose text is ClickHouse's."""
        connection = chdb.connect(self.folder)
        try:
            if database:
                connection.query(f"USE {_quoted(database, '`')}", "TabSeparated")
            if settings:
                said = ", ".join(f"{name} = {_quoted(value)}" for name, value in settings.items())
                connection.query(f"SET {said}", "TabSeparated")
            if insert := INSERT.match(sql):
                return self._insert(
                    connection, insert[1].decode(), insert[2].decode(), sql[insert.end() :] + data
                )
            if data:
                sql += b"\n" + data
            named = FORMAT.search(sql)
            form = named[1].decode() if named else form
            found = connection.query(sql.decode(), form)
            return Told(found.bytes() or b"", form if ROWS.match(sql) else "", found.rows_read())
        finally:
            connection.close()

    def _insert(self, connection: Any, into: str, form: str, data: bytes) -> Told:
        with tempfile.NamedTemporaryFile(suffix=f".{form.lower()}") as file:
            file.write(data)
            file.flush()
            done = connection.query(f"{into} FROM INFILE {_quoted(file.name)} FORMAT {form}", "TabSeparated")
            return Told(b"", "", done.rows_read())

    def close(self) -> None:
        """Let go of the folder."""
        self._kept.close()


def _quoted(text: str, mark: str = "'") -> str:
    return mark + text.replace("\\", "\\\\").replace(mark, f"\\{mark}") + mark


class Asked(BaseHTTPRequestHandler):
    """A connection; `engine`, `user` and `password` are the server's."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine: Engine
    user, password = "default", ""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        data = self._body()
        if data is None:  # cut short: nothing of it is done
            self.close_connection = True
            return
        path = urlsplit(self.path)
        if path.path in ("/ping", "/") and not path.query and not data:
            self._send(200, b"Ok.\n")
            return
        asked = dict(parse_qsl(path.query, keep_blank_values=True))
        if not self._may(asked):
            self._failed(
                f"Code: 516. DB::Exception: {self.user}: Authentication failed: password is incorrect, or there is"
                " no user with such name. (AUTHENTICATION_FAILED)"
            )
            return
        settings = {
            name: value
            for name, value in asked.items()
            if name not in NOT_SETTINGS and name not in OF_THE_SOCKET
        }
        if self.command == "GET":
            settings["readonly"] = "2"
        sql = asked.get("query", "").encode()
        sql, data = (sql, data) if sql else (data, b"")
        try:
            told = self.engine.run(
                sql, data, settings, asked.get("database", ""), asked.get("default_format", "TabSeparated")
            )
        except RuntimeError as error:
            self._failed(str(error))
            return
        summary = json.dumps({"read_rows": str(told.read), "written_rows": str(told.read)})
        self._send(
            200,
            told.body,
            **({"X-ClickHouse-Format": told.format} if told.format else {}),
            **{
                "X-ClickHouse-Summary": summary,
                "X-ClickHouse-Query-Id": asked.get("query_id", secrets.token_hex(16)),
            },
        )

    def _may(self, asked: dict[str, str]) -> bool:
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            user, _, password = b64decode(word).decode().partition(":")
        else:
            user = self.headers.get("X-ClickHouse-User", asked.get("user", "default"))
            password = self.headers.get("X-ClickHouse-Key", asked.get("password", ""))
        return user == self.user and secrets.compare_digest(password.encode(), self.password.encode())

    def _body(self) -> bytes | None:
        """All of it, unpacked; None where the connection was cut before its end."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            whole = self._chunks()
        else:
            wanted = int(self.headers.get("Content-Length", 0))
            found = self.rfile.read(wanted)
            whole = found if len(found) == wanted else None
        return None if whole is None else UNPACKED[self.headers.get("Content-Encoding", "")](whole)

    def _chunks(self) -> bytes | None:
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0].strip() or b"-1", 16):
            part = self.rfile.read(size) if size > 0 else b""
            if len(part) < size or self.rfile.readline() != b"\r\n":
                return None
            parts.append(part)
        self.rfile.readline()
        return b"".join(parts)

    def _failed(self, text: str) -> None:
        said = CODE.search(text)
        code = said[1] if said else "1002"
        text = f"{text[text.find('Code: ') :] if said else text} (version {self.engine.version})\n"
        self._send(NO_SUCH.get(code, 500), text.encode(), **{"X-ClickHouse-Exception-Code": code})

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        headers |= {"X-ClickHouse-Server-Display-Name": "tests", "X-ClickHouse-Timezone": self.engine.zone}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to see."""


class Listener(ThreadingHTTPServer):
    """Many connections, none of which it waits for at its end."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who left before the answer is not an error of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the tables; made where there is none"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    engine = Engine(str(given.data.resolve()))
    handler = type("Handler", (Asked,), {"engine": engine, "user": given.user, "password": given.password})
    listener = Listener((given.host, given.port), handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"ClickHouse {engine.version}: http://{given.host}:{listener.server_port}", flush=True)
    try:
        listener.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    finally:
        listener.server_close()
        engine.close()


if __name__ == "__main__":
    main()
