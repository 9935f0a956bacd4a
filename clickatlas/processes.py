"""The processes of one machine: a supervisor, the street workers, and the app.

Street workers answer short links and hold nothing but the atlas's ranges, the links they
met and their spool. The app process has the click store and the API. They share no lock:
when the app is slow or away, short links go on and the spool grows.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clickatlas.errors import Problem
from clickatlas.settings import Settings, as_flags, load

if TYPE_CHECKING:
    from fastapi import FastAPI

    from clickatlas.redirect.secret import SharedSecret
    from clickatlas.redirect.server import Street

PARENT = "_CLICKATLAS_PARENT"
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
RESTART_S = 1.0
log = logging.getLogger("clickatlas")
_visitors: SharedSecret | None = None  # made by the supervisor; its forks, the street workers, have it, too


def die_with_parent() -> None:
    """End this process when the one that started it is gone, however it went.

    A worker that outlived its killed supervisor would hold the port and the click store.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if parent == 1:
        return
    threading.Thread(target=watch, daemon=True, name="parent").start()


def leave_no_core() -> None:
    """Addresses and keys are in this process's memory: no crash may write it to a disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # the limit does not hold where the kernel pipes cores to a program
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)


def _configure_logging(settings: Settings) -> None:
    level = settings.log_level.upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True)


def street() -> Street:
    """The ASGI application of a street worker; settings come from the environment its parent set."""
    from clickatlas.redirect.server import create_street

    die_with_parent()
    leave_no_core()
    settings = load({})
    _configure_logging(settings)
    return create_street(settings, _visitors)


def app() -> FastAPI:
    """The ASGI application of the app process; settings come from the environment its parent set."""
    from clickatlas.app import create_app

    die_with_parent()
    leave_no_core()
    settings = load({})
    _configure_logging(settings)
    return create_app(settings)


def run_app(settings: Settings) -> None:
    """Serve the API on the app's Unix socket until told to stop."""
    die_with_parent()
    path = settings.app_socket
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.environ.update(as_flags(settings))
    server = _granian("clickatlas.processes:app", settings, uds=path, workers=1)
    server.serve()


def run_street(settings: Settings, *, started: Callable[[], None]) -> None:
    """Serve short links on the public port until told to stop; `started` is called once it listens.

    Granian starts a worker that ended again, but gives up where one ends twice within 5.5 s. Short
    links must not end for that, so then it is started anew.
    """
    from clickatlas.redirect.secret import SharedSecret

    global _visitors
    if sys.platform == "linux":  # Python 3.14 would start workers that inherit nothing
        multiprocessing.set_start_method("fork", force=True)
    _visitors = SharedSecret(settings.data / "run" / "visitors.lock")
    os.environ.update(as_flags(settings))
    while True:
        server = _granian(
            "clickatlas.processes:street",
            settings,
            address=settings.host,
            port=settings.port,
            workers=settings.workers,
            backlog=4096,
        )
        server.on_startup(started)
        try:
            server.serve()
        except SystemExit:
            if server.interrupt_signal:
                raise
        if not server.interrupt_signal:
            log.error("street workers ended one after the other; they are started again")
            time.sleep(RESTART_S)  # a signal to end still reaches `server` meanwhile
        if server.interrupt_signal:
            return


def _granian(target: str, settings: Settings, **options: Any) -> Any:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    return Server(
        target,
        factory=True,
        interface=Interfaces.ASGI,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=15,
        log_level=LogLevels.warning if settings.log_level != "debug" else LogLevels.debug,
        **options,
    )


class AppProcess:
    """The app as a child process, started again whenever it ends unasked."""

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | as_flags(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="app", daemon=True)

    def start(self) -> None:
        """Start it, in the background, unless it is started already."""
        if not self._thread.is_alive():
            self._thread.start()

    def _supervise(self) -> None:
        command = [sys.executable, "-m", "clickatlas", "app"]
        while not self._stopping.is_set():
            # Started by this thread, which lives as long as the supervisor does.
            self._process = subprocess.Popen(command, env=self._environment, start_new_session=True)
            code = self._process.wait()
            if not self._stopping.is_set():
                log.error("the app process ended (%s); short links go on, it is started again", code)
                self._stopping.wait(RESTART_S)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def hold(data: Path) -> int:
    """Mark `data` as in use by this process; raises `Problem` (409) where another has it.

    Returns the descriptor that holds the mark; closing it, or dying, gives it up.
    """
    path = data / "run" / "serve.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(30):  # the children of a killed server need a moment to go
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return fd
    os.close(fd)
    raise Problem(
        409,
        "In use",
        f"Another clickatlas is running on {data}.",
        remedy="Stop it, or choose another --data.",
    )


def is_held(data: Path) -> bool:
    """Whether a server is running on `data`."""
    path = data / "run" / "serve.lock"
    if not path.exists():
        return False
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def check_port(settings: Settings) -> None:
    """Raise `Problem` (409) where something else listens on the port already."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for _ in range(30):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, settings.port))
            except PermissionError as error:
                raise Problem(
                    409,
                    "Port",
                    f"Port {settings.port}: {error.strerror}.",
                    remedy="Choose a port above 1023.",
                ) from None
            except OSError:
                time.sleep(0.1)
            else:
                return
    raise Problem(
        409,
        "Port in use",
        f"Something else listens on {settings.host}:{settings.port}.",
        remedy="Choose another port: make run PORT=8001, or clickatlas serve --port 8001.",
    )
