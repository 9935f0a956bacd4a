"""Passwords are hashed beside the event loop, few at a time, so that a flood of sign-ins takes neither memory nor machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from clickatlas.errors import Problem
from clickatlas.links import passwords

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)  # 20 MB each, and at most half of the machine
MOST_WAITING = 64  # about two seconds' work; who comes later is told to come again
T = TypeVar("T")


class Hashing:
    """Where the app's passwords are hashed and compared."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._there = 0

    def prepare(self) -> None:
        """Make, in the background, what the first sign-in would have to wait for."""
        self._pool.submit(passwords.prepare)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns; raises `Problem` (429) where too many wait already."""
        if self._there >= MOST_WAITING + AT_ONCE:
            raise Problem(
                429,
                "Too many requests",
                "Too many people sign in at this moment.",
                remedy="Wait 5 s.",
                extra={"retry_after": 5},
            )
        self._there += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._there -= 1
