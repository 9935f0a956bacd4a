"""`clickatlas reload`: everything is replaced, and no connection is refused or broken off."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.server.load import Load, each_once
from tests.server.making import make
from tests.server.served import Served, command, environment, is_alive, until


@pytest.fixture(scope="module")
def lasting(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    served = Served(data_folder("reload"), "--workers", "2").start()
    yield served
    served.stop()


class Newcomers:
    """One connection after the other, each asked once: what a rolling restart must not refuse."""

    def __init__(self, port: int, code: str) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self._target = port, code
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Newcomers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)

    def _run(self) -> None:
        port, code = self._target
        while not self._stopping.is_set():
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                line.request("GET", f"/{code}", headers={"Connection": "close"})
                status = line.getresponse().status
                self.answered += status == 302
                if status != 302:
                    self.failed.append(str(status))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
            finally:
                line.close()
            time.sleep(0.002)


def test_a_rolling_restart_refuses_nobody(lasting: Served) -> None:
    with lasting.client() as client:
        code = make(client)["code"]
        loads = []
        for number in range(2):
            before = {*lasting.street_pids(), *lasting.app_pids()}
            assert lasting.process is not None
            head = lasting.process.pid
            with Load(lasting.port, code, f"reload{number}") as load, Newcomers(lasting.port, code) as others:
                until(lambda load=load: len(load.answered) > 100, "short links answering")
                command("reload", data=lasting.data)
                until(lambda before=before: not any(map(is_alive, before)), "all replaced", 60)
                answered = len(load.answered)
                until(lambda n=answered, load=load: len(load.answered) > n + 100, "short links go on")
            assert not load.refused
            assert load.sent == load.answered, "a connection was broken off"
            assert not others.failed
            assert others.answered > 50
            assert lasting.process.pid == head
            assert len(lasting.street_pids()) == 2
            loads.append(load)
        until(lambda: httpx.get(f"{lasting.url}/health").json()["ready"], "the app")
        each_once(lasting, client, *loads)


def test_visitors_stay_who_they_are(lasting: Served) -> None:
    """The key of their count goes from the old workers to the new ones, in memory."""
    with lasting.client() as client:
        code = make(client)["code"]
        headers = {"x-forwarded-for": "18.9.22.69"}
        assert httpx.get(f"{lasting.url}/{code}", headers=headers).status_code == 302
        before = set(lasting.street_pids())
        command("reload", data=lasting.data)
        until(lambda: not any(map(is_alive, before)), "all replaced", 60)
        assert httpx.get(f"{lasting.url}/{code}", headers=headers).status_code == 302
        until(lambda: httpx.get(f"{lasting.url}/health").json()["ready"], "the app")

        def both() -> bool:
            text = client.get("/api/export/clicks.ndjson", params={"link": code, "network": "all"}).text
            return text.count("\n") == 2

        until(both, "both counted")
    lasting.stop()
    with duckdb.connect(str(lasting.data / "clicks.duckdb"), read_only=True) as store:
        newest = (
            "SELECT count(*), count(DISTINCT visitor) FROM clicks WHERE link = (SELECT max(link) FROM clicks)"
        )
        assert store.execute(newest).fetchone() == (2, 1)
    lasting.start()


def test_a_program_that_does_not_start_changes_nothing(lasting: Served) -> None:
    settings = lasting.data / "clickatlas.toml"
    settings.write_text("spool_segment_mb = 'many'\n")
    try:
        before = {*lasting.street_pids(), *lasting.app_pids()}
        assert lasting.process is not None
        os.kill(lasting.process.pid, signal.SIGHUP)
        until(lambda: "the new program doesn't start" in lasting.log.read_text(), "said so")
        assert "spool_segment_mb" in lasting.log.read_text()
        assert {*lasting.street_pids(), *lasting.app_pids()} == before
    finally:
        settings.unlink()


def test_new_settings_hold_after_it(lasting: Served) -> None:
    settings = lasting.data / "clickatlas.toml"
    settings.write_text('blocked_hosts = ["evil.example"]\n')
    try:
        before = {*lasting.street_pids(), *lasting.app_pids()}
        command("reload", data=lasting.data)
        until(lambda: not any(map(is_alive, before)), "all replaced", 60)
        until(lambda: httpx.get(f"{lasting.url}/health").json()["ready"], "the app")
        with lasting.client() as client:
            assert client.post("/api/links", json={"url": "https://evil.example/"}).status_code == 422
    finally:
        settings.unlink()


def test_reload_without_a_server_says_so(tmp_path: Path) -> None:
    ended = command("reload", data=tmp_path, code=None)
    assert "No clickatlas is running" in ended.stderr


def test_a_socket_that_systemd_passes_is_used(data_folder: Callable[[str], Path]) -> None:
    """sd_listen_fds(3): descriptor 3, named by LISTEN_PID and LISTEN_FDS."""
    import subprocess
    import sys

    data = data_folder("activated")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3, inheritable=True); "
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); "
            "os.execv(sys.executable, [sys.executable, '-m', 'clickatlas', 'serve', *sys.argv[2:]])"
        )
        line = [sys.executable, "-c", code, str(listener.fileno()), "--data", str(data), "--port", "1"]
        with (data.parent / "activated.log").open("wb") as log:
            process = subprocess.Popen(
                line, env=environment(), pass_fds=[listener.fileno()], stdout=log, stderr=log
            )
        try:
            # The socket listens from the first moment: who comes early waits.
            assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=60).status_code in (200, 503)
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(30)
