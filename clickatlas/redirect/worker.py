"""A street worker: an event loop that answers short links on a socket its parent holds open."""

from __future__ import annotations

import asyncio
import os
import resource
import socket

import uvicorn

from clickatlas.redirect.apart import apart_of
from clickatlas.redirect.connection import Connection
from clickatlas.redirect.follower import Follower
from clickatlas.redirect.secret import SharedSecret
from clickatlas.redirect.server import Street, create_street
from clickatlas.settings import Settings

TEND_S = 1.0
APP_FIRST_S = (
    3.0  # following PostgreSQL is the app's, where there is one: it has no redirects to keep waiting
)
STOP_S = 15  # that answers under way get when the worker ends
SPARE_FILES = 256  # for everything that is no visitor's connection
BACKLOG = 4096


class Worker(uvicorn.Server):
    """uvicorn's server, which tends its connections, says when it is ready, and knows when it leaves."""

    def __init__(self, config: uvicorn.Config, street: Street, *, ready: int, most: int) -> None:
        super().__init__(config)
        self._street = street
        self._ready = ready
        self._most = most
        self._tending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._tending = asyncio.create_task(self._tend())
        if self._ready >= 0:
            os.write(self._ready, b"1")
            os.close(self._ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, answer what is asked, let go of the spool."""
        self._street.leaving = True
        await super().shutdown(sockets)
        if self._tending is not None:
            self._tending.cancel()

    async def _tend(self) -> None:
        """Close connections that take too long, or are too many."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TEND_S / 4 if self._street.leaving else TEND_S)
            now = loop.time()
            connections = [c for c in self.server_state.connections if isinstance(c, Connection)]
            self._street.pulse.beat()
            self._street.pulse.connections(len(connections))
            for connection in connections:
                connection.tend(now)
            if len(connections) > self._most:
                idle = sorted((c for c in connections if c.is_idle), key=lambda c: c.heard)
                for connection in idle[: len(connections) - self._most]:
                    connection.transport.close()


def run(
    settings: Settings,
    listener: socket.socket,
    *,
    slot: int = 0,
    secret: int = -1,
    ready: int = -1,
    role: str = "serve",
) -> None:
    """Answer short links that arrive at `listener`, until told to stop (SIGTERM).

    `secret` is the shared visitors' key's descriptor; a byte is written to the descriptor `ready`
    once the worker answers. Raises `Problem` without an atlas.
    """
    shared = SharedSecret(settings.data / "run" / "visitors.lock", secret)
    street = create_street(settings, shared, slot, apart=apart_of(settings, role))
    if settings.database_url:
        Follower(settings.data, settings.database_url, after=APP_FIRST_S).start()
    config = uvicorn.Config(
        street,
        http=Connection,
        ws="none",
        lifespan="on",
        interface="asgi3",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )
    config.load()
    config.loaded_app = street  # as it is: a connection asks it directly
    Worker(config, street, ready=ready, most=_raise_open_files() - SPARE_FILES).run([listener])


def _raise_open_files() -> int:
    """As many open files as this process may have; how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1 << 20 if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):
        return soft
    return wanted
