"""Insights are worked out beside everything else, few at once, so that tables and tiles don't wait for them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from clickatlas.errors import Problem

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)  # at most half of the machine
MOST_WAITING = 32  # some ten seconds' work; who comes later is told to come again
T = TypeVar("T")


class Thinking:
    """The threads that insights are worked out in. One per app, made by `create_app`."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="insights")
        self._there = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns; raises `Problem` (429) where too many wait already."""
        if self._there >= MOST_WAITING + AT_ONCE:
            raise Problem(
                429,
                "Too many requests",
                "Too many insights are being worked out at this moment.",
                remedy="Wait 10 s.",
                extra={"retry_after": 10},
            )
        self._there += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._there -= 1
