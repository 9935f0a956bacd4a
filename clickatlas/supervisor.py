"""The supervisor: holds the public port, starts street workers and the app, and starts again what ends.

The listening socket and the visitors' key are its own, and its children inherit them: a connection that
arrives while a worker is replaced waits in the socket for another. `SIGHUP` replaces everything by what is
installed now, without refusing one connection: the program is tried first, then it takes this process's
place (`exec`), starts new workers, and ends each old one when its successor answers.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from types import FrameType
from typing import IO

from clickatlas import reserve
from clickatlas.processes import PARENT, notify_system
from clickatlas.roles import APP, DESK, INGEST, SERVE, Role
from clickatlas.settings import Settings, as_flags

log = logging.getLogger("clickatlas")
HANDOVER = "_CLICKATLAS_HANDOVER"
STREET = "street"
WHAT = {APP: "the app process", DESK: "the process that says how it is", INGEST: "the process that counts"}
AGAIN_S = 0.05  # doubled with every quick end
SLOWEST_S = 5.0
STEADY_S = {
    STREET: 2.0,
    APP: 10.0,
    DESK: 10.0,
    INGEST: 10.0,
}  # who lived so long, a street worker since it answers, didn't end quickly
READY_S = 120.0
STOP_S = 25.0


@dataclass
class Child:
    """A process that was started, by us or by whom we took the place of."""

    role: str
    slot: int  # of a street worker, from 0
    pid: int
    ready: int = -1  # a pipe's end that says when it answers; -1: it does
    leaving: bool = False
    started: float = field(default_factory=time.monotonic)

    def tell(self, number: int) -> None:
        """Send a signal, if it is still there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


@dataclass
class Held:
    """Descriptors that outlive every child, and an `exec`."""

    listener: socket.socket | None  # None where nothing is public
    address: str  # where that is, as the settings say
    secret: int  # of the visitors' key
    lock: int  # on the data folder
    second: int = -1  # another one, where the role needs two

    @property
    def descriptors(self) -> list[int]:
        """All of them that there are."""
        public = -1 if self.listener is None else self.listener.fileno()
        return [number for number in (public, self.secret) if number >= 0] + self.marks

    @property
    def marks(self) -> list[int]:
        """Those on the data folder."""
        return [number for number in (self.lock, self.second) if number >= 0]

    def as_text(self, children: list[Child]) -> str:
        """For the next program in this process."""
        pids = [[child.role, child.slot, child.pid] for child in children]
        return json.dumps(
            {
                "listener": -1 if self.listener is None else self.listener.fileno(),
                "address": self.address,
                "secret": self.secret,
                "lock": self.lock,
                "second": self.second,
                "children": pids,
            }
        )


def taken_over() -> tuple[Held, list[Child]] | None:
    """What the program before left in this process; None where there was none."""
    text = os.environ.pop(HANDOVER, None)
    if text is None:
        return None
    left = json.loads(text)
    public = socket.socket(fileno=left["listener"]) if left["listener"] >= 0 else None
    held = Held(public, left["address"], left["secret"], left["lock"], left.get("second", -1))
    for descriptor in held.descriptors:
        os.set_inheritable(descriptor, False)
    return held, [Child(*child) for child in left["children"]]


class Supervisor:
    """All processes of one `clickatlas serve`, or of another role. `old` are children of the program before."""

    def __init__(
        self, settings: Settings, held: Held, old: list[Child] | None = None, role: Role = SERVE
    ) -> None:
        self._settings = settings
        self._role = role
        self._workers = settings.workers if role.streets else 0
        self._held = held
        self._environment = os.environ | as_flags(settings) | {PARENT: str(os.getpid())}
        self._children: dict[int, Child] = {}
        self._old = {child.pid: child for child in old or []}
        self._popen: dict[int, subprocess.Popen[bytes]] = {}
        self._due: list[tuple[float, str, int]] = []  # what to start when
        self._quick: dict[tuple[str, int], int] = {}
        self._stopping = 0
        self._stop_by = 0.0
        self._reload = False
        self._again_by = [sys.executable, "-m", "clickatlas", *sys.argv[1:]]
        self._outside = dict(os.environ)
        self._trial: tuple[subprocess.Popen[bytes], IO[bytes]] | None = None  # of the program to reload
        self._renew_at = 0.0  # when to see to the disk's reserve
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def start_app(self) -> None:
        """Start the app (or what is in its place), unless it is there; an old one has to let go of the click store first."""
        if any(child.role != STREET for child in self._children.values()):
            return
        for child in [child for child in self._old.values() if child.role != STREET]:
            child.tell(signal.SIGTERM)
            self._await(child)
        self._start(self._role.beside, 0)

    def _await(self, child: Child) -> None:
        for _ in range(200):
            if os.waitpid(child.pid, os.WNOHANG)[0]:
                break
            time.sleep(0.1)
        else:
            child.tell(signal.SIGKILL)
            os.waitpid(child.pid, 0)
        self._old.pop(child.pid, None)

    def run(self, *, started: Callable[[], None]) -> None:
        """Run until told to stop; `started` is called once all street workers answer."""
        signal.set_wakeup_fd(self._waker)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._on_signal)
        self.start_app()
        taken = {child.slot for child in self._old.values() if child.role == STREET}
        free = (slot for slot in count() if slot not in taken)
        for slot in islice(free, self._workers):
            self._start(STREET, slot)
        told = False
        while not self._ended():
            self._wait()
            self._reap()
            if self._stopping:
                self._stop()
                continue
            self._start_due()
            self._end_stuck()
            self._renew()
            if not told and self._streets_ready():
                told = True
                self._end_old()
                notify_system("READY=1")
                started()
            if self._trial is not None and self._trial[0].returncode is not None:
                self._replace(*self._trial)
            if self._reload and self._trial is None:
                self._reload = False
                self._try()

    def _renew(self) -> None:
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + reserve.EVERY_S
            reserve.renew(self._settings.data)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stopping += 1
            self._stop_by = self._stop_by or time.monotonic() + STOP_S
        elif number == signal.SIGHUP:
            self._reload = True

    def _wait(self) -> None:
        pipes = [child.ready for child in self._children.values() if child.ready >= 0]
        soonest = min((due for due, _, _ in self._due), default=time.monotonic() + 1)
        seen, _, _ = select.select([self._wake, *pipes], [], [], max(0.0, soonest - time.monotonic()))
        if self._wake in seen:
            with suppress(BlockingIOError):
                os.read(self._wake, 512)
        for child in self._children.values():
            if child.ready in seen:
                os.close(child.ready)
                child.ready, child.started = -1, time.monotonic()

    def _end_stuck(self) -> None:
        """A worker that does not come to answer is ended, and so started again."""
        for child in self._children.values():
            if child.ready >= 0 and time.monotonic() - child.started > READY_S:
                log.error("street worker %d does not answer after %.0f s; it is ended", child.slot, READY_S)
                child.tell(signal.SIGKILL)

    def _start(self, role: str, slot: int) -> None:
        command = [sys.executable, "-m", "clickatlas", role]
        ready = -1
        passed = self._held.marks  # who starts after a kill waits until the last child is gone, with the port
        if role == STREET:
            ready, telling = os.pipe2(os.O_CLOEXEC)
            assert self._held.listener is not None
            listener, secret = self._held.listener.fileno(), self._held.secret
            command += ["--listener", str(listener), "--secret", str(secret), "--ready", str(telling)]
            command += ["--slot", str(slot), "--role", self._role.name]
            passed += [fd for fd in (listener, secret, telling) if fd >= 0]
        # A session of its own: Ctrl-C reaches this process, which then ends the others in order.
        try:
            process = subprocess.Popen(
                command,
                env=self._environment,
                start_new_session=True,
                pass_fds=passed,
                stdin=subprocess.DEVNULL,
            )
        except OSError as error:  # no memory or no process left: what runs goes on
            log.error("%s can't be started (%s); tried again in %.0f s", command[3], error, SLOWEST_S)
            self._due.append((time.monotonic() + SLOWEST_S, role, slot))
            if ready >= 0:
                os.close(ready)
            return
        finally:
            if role == STREET:
                os.close(telling)
        self._popen[process.pid] = process
        self._children[process.pid] = Child(role, slot, process.pid, ready)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._old.pop(pid, None)
            child = self._children.pop(pid, None)
            process = self._popen.pop(pid, None)
            if process is not None:
                process.returncode = os.waitstatus_to_exitcode(status)
            if child is None:
                continue
            if not (self._stopping or child.leaving):
                self._again(child, os.waitstatus_to_exitcode(status))
            if child.ready >= 0:
                os.close(child.ready)

    def _again(self, child: Child, code: int) -> None:
        place = child.role, child.slot
        now = time.monotonic()
        # A worker that takes long to start and never answers ends quickly, too.
        is_quick = child.ready >= 0 or now - child.started < STEADY_S[child.role]
        quick = self._quick.get(place, 0) + 1 if is_quick else 0
        self._quick[place] = quick
        wait = min(AGAIN_S * 2**quick, SLOWEST_S)
        what = WHAT.get(child.role, f"street worker {child.slot}")
        waits = child.role == STREET and self._workers == 1
        goes_on = "short links wait" if waits else "short links go on"
        log.error("%s ended (%s); %s, it is started again", what, code, goes_on)
        self._due.append((now + wait, *place))

    def _start_due(self) -> None:
        now = time.monotonic()
        due, self._due = [d for d in self._due if d[0] <= now], [d for d in self._due if d[0] > now]
        for _, role, slot in due:
            self._start(role, slot)

    def _streets_ready(self) -> bool:
        streets = [child for child in self._children.values() if child.role == STREET]
        return len(streets) >= self._workers and all(child.ready < 0 for child in streets)

    def _end_old(self) -> None:
        for child in self._old.values():
            child.leaving = True
            child.tell(signal.SIGTERM)

    def _ended(self) -> bool:
        return bool(self._stopping) and not self._children and not self._old

    def _stop(self) -> None:
        """Street workers first: what they forwarded is still being answered by the app."""
        self._due.clear()
        if self._trial is not None and self._trial[0].returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._trial[0].pid, signal.SIGKILL)
        family = [*self._children.values(), *self._old.values()]
        streets = [child for child in family if child.role == STREET]
        for child in streets or family:
            if not child.leaving:
                child.leaving = True
                child.tell(signal.SIGTERM)
        if self._stopping > 1 or time.monotonic() > self._stop_by:
            for child in family:
                child.tell(signal.SIGKILL)

    def _try(self) -> None:
        """Have the program that is installed now see whether it starts, while this one goes on."""
        said = os.fdopen(os.memfd_create("trial"), "w+b")  # no disk that could be full
        command = [*self._again_by, "--check"]
        try:
            process = subprocess.Popen(
                command, env=self._outside, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        except OSError as error:
            log.error("reload: the new program can't be tried, so the running one goes on: %s", error)
            said.close()
            return
        self._popen[process.pid] = process
        self._trial = process, said

    def _replace(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        """Become the program that was tried, if it starts."""
        self._trial = None
        said.seek(0)
        text = said.read().decode("utf-8", "replace").strip()[-2000:]
        said.close()
        if process.returncode:
            log.error("reload: the new program doesn't start, so the running one goes on: %s", text)
            return
        log.info("reload: new workers take over")
        for descriptor in self._held.descriptors:
            os.set_inheritable(descriptor, True)
        children = [*self._children.values(), *self._old.values()]
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the next program listens to it
        os.execve(sys.executable, self._again_by, self._outside | {HANDOVER: self._held.as_text(children)})
