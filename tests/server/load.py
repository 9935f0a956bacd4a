"""Clicks under load, each with a mark of its own, so that a lost or doubled one shows."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from typing import Self

import httpx

from tests.server.served import Served

PAUSE_S = 0.002  # leaves the machine room to start what was killed


class Load:
    """Threads that click, with a short pause; `with Load(…):` is how long they do."""

    def __init__(
        self, port: int, code: str, name: str, threads: int = 4, *, pause_s: float = PAUSE_S
    ) -> None:
        self.sent: set[str] = set()
        self.answered: set[str] = set()
        self.refused: list[str] = []
        self.longest_s = 0.0
        self.took: list[float] = []  # seconds, one for each answer
        self._pause_s = pause_s
        self._port = port
        self._code = code
        self.name = name
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, thread: int) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        number = 0
        while not self._stopping.is_set():
            number += 1
            mark = f"{self.name}-{thread}-{number}.example"
            headers = {"X-Forwarded-For": "18.9.22.69", "Referer": f"https://{mark}/page"}
            self.sent.add(mark)
            began = time.monotonic()
            try:
                connection.request("GET", f"/{self._code}", headers=headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                connection.close()
                time.sleep(0.005)
                continue
            took = time.monotonic() - began
            self.longest_s = max(self.longest_s, took)
            self.took.append(took)
            if answer.status == 302:
                self.answered.add(mark)
                time.sleep(self._pause_s)
            else:
                self.refused.append(f"{answer.status}")
        connection.close()


def counted(client: httpx.Client) -> Counter[str]:
    """How often each mark is in the store, by the export."""
    text = client.get("/api/export/clicks.ndjson", params={"network": "all"}).raise_for_status().text
    return Counter(json.loads(line)["referrer"] or "" for line in text.splitlines())


def each_once(served: Served, client: httpx.Client, *loads: Load) -> None:
    """Every answered click is counted, none twice, and none that nobody sent."""
    answered = set().union(*(load.answered for load in loads))
    sent = set().union(*(load.sent for load in loads))
    assert len(answered) > 200
    served.settled(client, len(answered))
    names = tuple(f"{load.name}-" for load in loads)
    found = {mark: times for mark, times in counted(client).items() if mark.startswith(names)}
    assert not (lost := answered - set(found)), f"{len(lost)} of {len(answered)} lost: {sorted(lost)[:5]}"
    assert not (twice := [m for m, n in found.items() if n > 1]), f"{len(twice)} doubled: {twice[:5]}"
    assert not (strange := set(found) - sent), sorted(strange)[:5]
