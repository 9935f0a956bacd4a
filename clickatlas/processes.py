"""What a process of the house does first: a street worker, the app; and what they are given.

Street workers answer short links and hold nothing but the atlas's ranges, the links they
met and their spool. The app process has the click store and the API. They share no lock:
when the app is slow or away, short links go on and the spool grows.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from clickatlas import logs
from clickatlas.errors import Problem, refused
from clickatlas.settings import Settings

AFTER_STREET = (
    10  # nobody's map may make a visitor wait: where a core is asked for twice, short links have it
)
PARENT = "_CLICKATLAS_PARENT"  # the supervisor's process number, for its children
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
FIRST_PASSED = 3  # the first descriptor that systemd passes
LIVING_S = 3.0  # a mark is waited for: one who has it and lives may be about to end
KILLED_S = 30.0  # one was killed: its children notice, and go, as soon as they get the processor
log = logging.getLogger("clickatlas")


def die_with_parent() -> None:
    """End this process when the one that started it is gone, however it went.

    A worker that outlived its killed supervisor would hold the port and the click store. Who that is, stands
    in the environment: one that was killed before this runs is not our parent any more.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = int(os.environ.get(PARENT) or os.getppid())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if os.getppid() != parent:  # it was quicker
        os._exit(1)
    threading.Thread(target=watch, daemon=True, name="parent").start()


def leave_no_core() -> None:
    """Addresses and keys are in this process's memory: no crash may write it to a disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # the limit does not hold where the kernel pipes cores to a program
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)


def run_street(
    settings: Settings, *, listener: int, slot: int, secret: int, ready: int, role: str = "serve"
) -> None:
    """Answer short links on the socket with the descriptor `listener`; see `redirect.worker.run`."""
    die_with_parent()
    leave_no_core()
    from clickatlas.redirect.worker import run

    logs.configure(settings)
    run(settings, socket.socket(fileno=listener), slot=slot, secret=secret, ready=ready, role=role)


def run_app(settings: Settings) -> None:
    """Serve the API on the app's Unix socket until told to stop."""
    _begin_beside(settings)
    from clickatlas.app import create_app

    app = create_app(settings)

    def leaving() -> None:
        if app.state.house is not None:
            app.state.house.broadcast.end()

    _answer_at(settings.app_socket, app, leaving)


def run_desk(settings: Settings, *, counts: bool) -> None:
    """Say how a role without the app is, on a Unix socket, until told to stop; with `counts`, move its clicks meanwhile."""
    _begin_beside(settings)
    from clickatlas.desk import create_desk, socket_of

    _answer_at(socket_of(settings, counts=counts), create_desk(settings, counts=counts), lambda: None)


def is_child() -> bool:
    """Whether a supervisor started this process: 'app' and 'ingest' then are the processes of these names.

    Also where that one was killed since. Who took itself for a user's 'app' then would want the mark on the data folder
    that it has itself, and keep it from everybody else.
    """
    return PARENT in os.environ


def _begin_beside(settings: Settings) -> None:
    die_with_parent()
    leave_no_core()
    _step_back()
    logs.configure(settings)


def _answer_at(path: Path, app: Any, leaving: Callable[[], None]) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            leaving()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # the street says it
        timeout_keep_alive=3600,  # street workers keep their connections
        timeout_graceful_shutdown=15,
    )
    Server(config).run([_app_listener(path)])


def _step_back() -> None:
    os.nice(AFTER_STREET)
    # Where the kernel shares the processor out between sessions first, each of our processes is one (sched(7)).
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(AFTER_STREET))


def _app_listener(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(1024)
    return listener


def notify_system(state: str) -> None:
    """Tell systemd, where it started us with ``Type=notify`` (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, suppress(OSError):
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


def hold(data: Path, mark: str = "serve") -> int:
    """Mark `data` as in use by this process; raises `Problem` (409) where another has it.

    `serve` is who counts its clicks, `redirect` who answers its short links.

    Returns the descriptor that holds the mark; closing it, or dying, gives it up.
    """
    path = data / "run" / f"{mark}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refused(data, error) from None
    began = time.monotonic()
    while time.monotonic() < began + (LIVING_S if _is_alive(fd) else KILLED_S):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            number = str(os.getpid()).encode()
            try:
                os.pwrite(fd, number, 0)  # over what was there: a full disk has room for that
                os.truncate(fd, len(number))
            except OSError as error:
                os.close(fd)
                raise refused(data, error) from None
            return fd
    os.close(fd)
    raise Problem(
        409,
        "In use",
        f"Another clickatlas is running on {data}.",
        remedy="Stop it, or choose another --data.",
    )


def _is_alive(fd: int) -> bool:
    """Whether the process lives that took the mark last. A killed one's children have it until they are gone, too."""
    text = os.pread(fd, 20, 0)
    if not text.isdigit():
        return True
    try:
        os.kill(int(text), 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def reload(data: Path) -> None:
    """Have the server on `data` replaced by what is installed now; raises `Problem` (409) where none runs."""
    marks = [mark for mark in ("serve", "redirect") if is_held(data, mark)]
    texts = {(data / "run" / f"{mark}.lock").read_text() for mark in marks}
    told = 0
    for text in texts:
        with suppress(ProcessLookupError):  # killed, and its children are on their way out
            if text.isdigit():
                os.kill(int(text), signal.SIGHUP)
                told += 1
    if not told:
        raise Problem(409, "Not running", f"No clickatlas is running on {data}.", remedy="Start it.")


def is_held(data: Path, mark: str = "serve") -> bool:
    """Whether a server is running on `data` that counts its clicks; with `redirect`, one that answers short links."""
    path = data / "run" / f"{mark}.lock"
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


def listen(settings: Settings) -> socket.socket:
    """The public port's listening socket: systemd's, where it passed one (sd_listen_fds(3)), else a new one.

    Raises `Problem` (409) where something else listens there.
    """
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=FIRST_PASSED)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for _ in range(30):
        try:
            return socket.create_server(
                (settings.host, settings.port),
                family=family,
                backlog=4096,
                dualstack_ipv6=settings.host == "::" and socket.has_dualstack_ipv6(),
            )
        except PermissionError as error:
            raise Problem(
                409, "Port", f"Port {settings.port}: {error.strerror}.", remedy="Choose a port above 1023."
            ) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Problem(
                    422,
                    "Address",
                    f"{settings.host}: {error.strerror}.",
                    remedy="Choose an address of this machine: --host 127.0.0.1, or 0.0.0.0 for all.",
                ) from None
            time.sleep(0.1)  # the children of a killed server need a moment to go
    raise Problem(
        409,
        "Port in use",
        f"Something else listens on {settings.host}:{settings.port}.",
        remedy="Choose another port: make run PORT=8001, or clickatlas serve --port 8001.",
    )
