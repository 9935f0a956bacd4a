"""A ClickHouse that takes questions and answers none: only now and then one waits for it, and all others are told at once.

Else each of the app's threads would soon wait for it, and links could be neither made nor changed meanwhile.
"""

from __future__ import annotations

import threading
import time

AGAIN_S = 2.0  # after a question that waited in vain


class Silence:
    """Of one server, for all threads that ask it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._again: float | None = None  # when somebody may ask; None: it answers
        self._asking = False

    def may_ask(self) -> bool:
        """Whether to ask; who does then says how that ended, by one of the two below."""
        with self._lock:
            if self._again is None:
                return True
            if self._asking or time.monotonic() < self._again:
                return False
            self._asking = True
            return True

    def ended(self) -> None:
        """It answered, or refused."""
        with self._lock:
            self._again, self._asking = None, False

    def lasts(self) -> None:
        """It did neither."""
        with self._lock:
            self._again, self._asking = time.monotonic() + AGAIN_S, False
