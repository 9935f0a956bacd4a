"""A small HTTP server for tests, on a port of its own: answers by a function, remembers what it was asked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Asked(NamedTuple):
    """A request as it arrived."""

    path: str
    headers: dict[str, str]  # names in lower case


class Answer(NamedTuple):
    """What to send; `cut` ends the connection after so many bytes of a body announced whole."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None


class WebServer:
    """Where it is, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []


@contextmanager
def web_server(answer: Callable[[Asked], Answer], host: str = "127.0.0.1") -> Iterator[WebServer]:
    """Serve until the block ends. Ranges are `answer`'s business."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
            known.asked.append(asked)
            status, body, headers, cut = answer(asked)
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing to see."""

    server = ThreadingHTTPServer((host, 0), Handler)
    known = WebServer(f"http://{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
