"""One who listens to clicks as they come."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx

from tests.server.served import Served


class Heard(threading.Thread):
    """Listens to one stream in a thread of its own."""

    def __init__(self, served: Served, path: str, *, token: str | None = None, **query: Any) -> None:
        super().__init__(daemon=True)
        self.events: list[dict[str, Any]] = []
        self.kind = ""
        self._served, self._path, self._query, self._token = served, path, query, token
        self._ready = threading.Event()
        self.ended = threading.Event()

    def run(self) -> None:
        with (
            self._served.client(self._token) as client,
            client.stream("GET", self._path, params=self._query) as answer,
        ):
            self.kind = answer.headers.get("content-type", "")
            try:
                for line in answer.iter_lines():
                    self._ready.set()
                    if line.startswith("data: "):
                        self.events.append(json.loads(line[6:]))
            except httpx.HTTPError:
                pass
        self.ended.set()

    def __enter__(self) -> Heard:
        self.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def clicks(self) -> list[dict[str, Any]]:
        return [click for event in self.events for click in event["clicks"]]

    @property
    def count(self) -> int:
        return sum(event["count"] for event in self.events)
