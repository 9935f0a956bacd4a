"""A clickatlas as a user runs it: a data folder, a process, a port. Nothing here reaches into the program."""

from __future__ import annotations

import io
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import httpx

from clickatlas.cli import main
from clickatlas.links.database import LinksDatabase
from clickatlas.settings import load

PROGRAM = str(Path(sys.executable).with_name("clickatlas"))
PATIENCE_S = 30.0


class Ended(NamedTuple):
    """What a command said."""

    stdout: str
    stderr: str


def environment(**more: str) -> dict[str, str]:
    """Ours without any setting of clickatlas but the download cache."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CLICKATLAS_") or k == "CLICKATLAS_CACHE"}
    return kept | {"PYTHONUNBUFFERED": "1"} | more


def free_port() -> int:
    """A port that nobody listens on.

    Of those that no outgoing connection is given, and each of several test processes has its own: between here and
    its server's start nobody takes it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = random.SystemRandom().randrange(10_000 + worker % 10, 32_000, 10)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(true: Callable[[], Any], what: str, patience: float = PATIENCE_S) -> Any:
    """What `true` returns as soon as it is truthy; fails with `what` when it never is."""
    deadline = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < deadline, f"{what}: not within {patience:.0f} s"
        time.sleep(0.02)
    return found


def command(*arguments: str | Path, data: Path, code: int | None = 0, **env: str) -> Ended:
    """Run one command of the program to its end; `code` is the exit code it must have (None: any)."""
    line = [PROGRAM, *map(str, arguments), "--data", str(data)]
    done = subprocess.run(
        line, env=environment(**env), capture_output=True, text=True, timeout=120, check=False
    )
    assert code is None or done.returncode == code, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.stdout, done.stderr)


def quickly(*arguments: str | Path, data: Path, code: int | None = 0, **env: str) -> Ended:
    """As `command`, but inside this process: for the many cases that need no process of their own."""
    line = ["clickatlas", *map(str, arguments), "--data", str(data)]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    status: Any = 0
    with (
        patch.dict(os.environ, environment(**env), clear=True),
        patch.object(sys, "argv", line),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    assert code is None or status == code, f"{line}: {status}\n{texts}"
    return Ended(*texts)


def links_of(data: Path) -> LinksDatabase:
    """The links of a data folder, wherever its settings say they are."""
    return LinksDatabase(data, load({"data": data}).database_url)


def new_data(folder: Path, atlas: Path) -> Path:
    """A data folder that has an atlas and nothing else yet."""
    folder.mkdir(parents=True)
    (folder / "atlas").symlink_to(atlas, target_is_directory=True)
    return folder


def descendants(pid: int) -> list[int]:
    """Process ids of the children of `pid`, and of theirs."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
    found, front = list[int](), {pid}
    while front:
        front = {child for child, parent in parents.items() if parent in front}
        found += front
    return found


def is_alive(pid: int) -> bool:
    """Whether a process still runs; a zombie does not, once its last thread has let go of its files."""
    here = Path(f"/proc/{pid}")
    try:
        ended = (here / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return not ended or len(list((here / "task").iterdir())) > 1
    except OSError:
        return False


def command_line(pid: int) -> str:
    """How a process was called."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


class Served:
    """`clickatlas serve` on one data folder; start and stop as often as you like."""

    def __init__(self, data: Path, *flags: str, port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_name(f"{data.name}.log")
        self.flags = flags
        self.process: subprocess.Popen[bytes] | None = None
        self._token = ""

    def start(self, **env: str) -> Served:
        self.launch(**env)
        try:
            return self.wait()
        except BaseException:
            self.stop()  # nobody else knows of it: it would go on for ever
            raise

    def wait(self) -> Served:
        """Until it is ready."""
        until(self._ready, f"ready ({self.log})", 4 * PATIENCE_S)  # it gives way to all others
        return self

    def launch(self, **env: str) -> None:
        """Start it, and don't wait until it is ready."""
        line = [PROGRAM, "serve", "--data", str(self.data), "--port", str(self.port)]
        line += ["--trusted-proxies", "127.0.0.1/32", *self.flags]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(line, env=environment(**env), stdout=log, stderr=log)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log.read_text()}"
        try:
            return bool(httpx.get(f"{self.url}/health", timeout=10).json()["ready"])
        except (httpx.TransportError, ValueError):
            return False

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    def kill(self) -> list[int]:
        """SIGKILL the process that the user started; returns the pids of all that it had started."""
        assert self.process is not None
        family = descendants(self.process.pid)
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        return family

    def app_pids(self) -> list[int]:
        """The app process, and the worker in which it runs."""
        assert self.process is not None
        heads = [p for p in descendants(self.process.pid) if "clickatlas app" in command_line(p)]
        return [*heads, *(p for head in heads for p in descendants(head))]

    def street_pids(self) -> list[int]:
        """The processes that answer short links."""
        assert self.process is not None
        app = set(self.app_pids())
        others = [p for p in descendants(self.process.pid) if p not in app]
        return [p for p in others if "resource_tracker" not in command_line(p)]

    @property
    def token(self) -> str:
        self._token = (
            self._token
            or command("token", "create", "--name", "test", "--scope", "admin", data=self.data).stdout.strip()
        )
        return self._token

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        """An HTTP client with a token that never follows a redirect."""
        headers = {"authorization": f"Bearer {token or self.token}"} | options.pop("headers", {})
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **options)

    def settled(self, client: httpx.Client, clicks: int) -> dict[str, Any]:
        """The status once `clicks` clicks are counted and none waits."""

        def check() -> dict[str, Any] | None:
            status: dict[str, Any] = client.get("/api/status").raise_for_status().json()
            caught_up = not status["ingest"]["lag_clicks"] and not status["ingest"]["error"]
            done = caught_up and status["store"]["clicks"] >= clicks
            return status if done else None

        try:
            found: dict[str, Any] = until(check, f"{clicks} clicks counted")
        except AssertionError as error:
            raise AssertionError(f"{error}: {client.get('/api/status').text}") from None
        return found

    def sign_in_link(self) -> str:
        """The one-time link that the server printed last."""
        return re.findall(r"http://\S+/app/sign-in\?token=\S+", self.log.read_text())[-1]
