"""Answers: what the store said, kept until it has something new to say."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, NamedTuple, TypeVar

V = TypeVar("V")


class Answer(NamedTuple, Generic[V]):
    """An answer, the store's version that it holds for, when it was made (s) and what it cost (s)."""

    version: int
    made: float
    cost: float
    value: V


class Answers:
    """The last `keep` answers. Several threads may ask the same at once: one of them makes the answer.

    Under a stream of clicks an answer may rest for `times` what it cost, `longest` seconds at most.
    """

    def __init__(
        self, version: Callable[[], int], keep: int, *, times: float = 5, longest: float = 1.0
    ) -> None:
        self._version = version
        self._keep = keep
        self._times, self._longest = times, longest
        self._known: OrderedDict[Hashable, Answer[Any]] = OrderedDict()
        self._asking: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, question: Hashable, make: Callable[[], V]) -> Answer[V]:
        """The answer to `question`, made by `make` where none is known that is still good."""
        with self._lock:
            asking = self._asking.setdefault(question, threading.Lock())
        with asking:  # the tiles of one view all want the same answer: the store is asked once
            now = time.monotonic()
            version = self._version()
            known: Answer[V] | None = self._known.get(question)
            if known and (
                known.version == version or now - known.made < min(self._longest, self._times * known.cost)
            ):
                with self._lock:
                    if question in self._known:
                        self._known.move_to_end(question)
                return known
            try:
                value = make()
            except BaseException:
                with self._lock:
                    self._asking.pop(question, None)
                raise
            done = time.monotonic()
            answer = Answer(version, done, done - now, value)
            with self._lock:
                self._known[question] = answer
                self._known.move_to_end(question)
                while len(self._known) > self._keep:
                    self._asking.pop(self._known.popitem(last=False)[0], None)
        return answer
