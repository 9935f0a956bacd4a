"""Servers under measurement, each a child process on a free loopback port that ends with its `with` block."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import sample
from bench.peer import DESTINATION
from clickatlas.links import keys, links
from clickatlas.links.database import LinksDatabase

CODE = "landing"
START_S = 60
STOP_S = 30

NGINX = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; location / {{ return 302 {destination}; }} }}
}}
"""


@contextmanager
def clickatlas(data: Path, demo: int = 0) -> Iterator[int]:
    """`clickatlas serve` with one worker on a new data folder with one link, and `demo` clicks; yields the port."""
    shutil.copytree(sample.atlas_root(), data / "atlas")
    database = LinksDatabase(data)
    database.migrate()
    with database.writing() as session:
        _, workspace = keys.owner(session)
        links.create(session, workspace, links.LinkDraft(DESTINATION, code=CODE))
    database.close()
    if demo:
        run = [sys.executable, "-m", "clickatlas", "demo", "--data", str(data), "--clicks", str(demo)]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port = free_port()
    with _running(
        [sys.executable, "-m", "clickatlas", "serve", "--data", str(data), "--port", str(port),
         "--workers", "1", "--trusted-proxies", "127.0.0.1/32", "--log-level", "error"],
        port,
    ):  # fmt: skip
        _wait_for_app(port)
        yield port


@contextmanager
def nginx(folder: Path) -> Iterator[int | None]:
    """nginx with one worker that answers 302 to everything; None where it isn't installed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    folder.mkdir()
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, destination=DESTINATION))
    command = [program, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    with _running(command, port):
        yield port


@contextmanager
def peer(name: str) -> Iterator[int]:
    """An application of `bench.peer`, served by uvicorn with one worker, as our street is."""
    port = free_port()
    with _running(
        [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port), "--no-access-log",
         "--http", "httptools", "--loop", "uvloop", "--log-level", "error", f"bench.peer:{name}"],
        port,
    ):  # fmt: skip
        yield port


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[None]:
    # A session of its own: Ctrl-C reaches this program, which then ends its servers in order.
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        _wait_for_redirect(process, port)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_redirect(process: subprocess.Popen[bytes], port: int) -> None:
    """Until the server sends people where it should."""
    give_up = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < give_up:
        if _ask(port, f"/{CODE}") == (302, DESTINATION):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not redirect (exit code {process.poll()})")


def _wait_for_app(port: int) -> None:
    give_up = time.monotonic() + START_S
    while _ask(port, "/health")[0] != 200 and time.monotonic() < give_up:
        time.sleep(0.1)


def _ask(port: int, path: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("location")
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
