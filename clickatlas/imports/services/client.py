"""Asking a service page by page: patient where it says "slow down", and within reach of the public internet only."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from clickatlas.errors import Problem
from clickatlas.outside.fetch import Fetched, Outside, OutsideError

MOST = 32 << 20  # bytes of an answer
TRIES = 6
LONGEST_WAIT_S = 120.0


class Client:
    """GETs and POSTs of JSON with one key. `cancelled` is asked before each request."""

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str],
        outside: Outside,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = base.rstrip("/")
        self._host = urlsplit(self.base).netloc
        self._headers = {"accept": "application/json", **headers}
        self._outside, self._cancelled, self._wait = outside, cancelled, wait
        self.asked = 0

    def get(self, path: str, **query: Any) -> Any:
        """The JSON that `path` (or a whole URL of the same host) answers. Raises `Problem`."""
        return self._ask("GET", self._url(path, query), None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON that `path` answers to `body`. Raises `Problem`."""
        return self._ask("POST", self._url(path, {}), json.dumps(body).encode())

    def _url(self, path: str, query: Mapping[str, Any]) -> str:
        url = path if "://" in path else self.base + path
        if urlsplit(url).netloc != self._host:  # what names the next page must not carry the key elsewhere
            raise _problem("named a next page on another host", "Import a file that it exports instead.")
        left = {name: value for name, value in query.items() if value is not None}
        return f"{url}{'&' if '?' in url else '?'}{urlencode(left)}" if left else url

    def _ask(self, method: str, url: str, body: bytes | None) -> Any:
        said = "did not answer"
        headers = self._headers if body is None else self._headers | {"content-type": "application/json"}
        for attempt in range(TRIES):
            if self._cancelled():
                raise _problem("was not asked to the end: the import was stopped", "Start it again.")
            try:
                self.asked += 1
                answer = asyncio.run(self._outside.ask(url, method, headers, body, most=MOST))
            except OutsideError as error:
                said = str(error)
                if "led to" in said:  # where nothing may be asked, however often
                    raise _problem(
                        said,
                        "Give its public address; private networks are opened by the setting fetch_networks.",
                    ) from None
                self._wait(min(2.0**attempt, 30.0))
                continue
            if answer.status == 429 or answer.status >= 500:
                said = f"answered {answer.status}"
                self._wait(_patience(answer, attempt))
                continue
            return _read(answer)
        raise _problem(f"{said}, {TRIES} times", "Try again later: what was imported is not imported twice.")


def _patience(answer: Fetched, attempt: int) -> float:
    """Seconds to wait: as the service says, else longer each time."""
    for name in ("retry-after", "x-retry-after", "x-ratelimit-reset", "ratelimit-reset"):
        text = answer.headers.get(name, "")
        if text.replace(".", "", 1).isdigit():
            seconds = float(text)
            if seconds > 1e9:  # the moment itself
                seconds = max(0.0, (seconds / 1000 if seconds > 1e11 else seconds) - time.time())
            return min(max(seconds, 0.1), LONGEST_WAIT_S)
    return min(2.0**attempt, 60.0)


def _read(answer: Fetched) -> Any:
    if answer.status in (401, 403):
        raise _problem(
            f"refused the key ({answer.status})",
            "Check the key, and that your plan there opens this part of the API.",
        )
    if answer.status == 404:
        raise _problem("knows no such thing (404)", "Check its address.")
    if not 200 <= answer.status < 300:
        raise _problem(f"answered {answer.status}", "Check the key and the address.")
    if len(answer.body) >= MOST:
        raise _problem("answered more than 32 MB at once", "Import a file that it exports instead.")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _problem("answered something that is not JSON", "Check its address.") from None


def _problem(what: str, remedy: str) -> Problem:
    return Problem(502, "The other service", f"The service {what}.", remedy=remedy)


def items(answer: Any, *names: str) -> list[dict[str, Any]]:
    """The list of objects at `names` in an answer; raises `Problem` where it is not as documented."""
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, list):
        raise _problem("answered in a shape that is not documented", "Tell us which version it is.")
    return [one for one in answer if isinstance(one, dict)]


def at(record: Any, *names: str) -> Any:
    """What stands at `names` in nested objects; None where there is nothing."""
    for name in names:
        record = record.get(name) if isinstance(record, dict) else None
    return record
