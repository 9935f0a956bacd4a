"""Requests: bounded in time, sent again where that is safe, refusals as exceptions."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from clickatlas.client.problem import Unreachable, refusal

Params = Sequence[tuple[str, str]]
BUSY = (429, 503)
CONNECTIONS = 3  # so often a connection that breaks off is tried


class Transport:
    """One server and one token. Requests that may be sent again are: on 429 and 503, when the server says it is time."""

    def __init__(
        self, url: str, token: str, *, timeout: float = 30.0, patience: float = 60.0,
        sleep: Callable[[float], None] = time.sleep, transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no address such as https://go.example.com")
        self._patience, self._sleep = patience, sleep
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"authorization": f"Bearer {token}", "user-agent": "clickatlas-client"},
            timeout=timeout,
            transport=transport,
            follow_redirects=False,  # the token goes nowhere else
        )

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        params: Params = (),
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON that is answered (None where nothing is). Raises `ClickatlasError`."""
        with self.stream(method, path, params, json=json, headers=headers) as response:
            response.read()
            return response.json() if response.content else None

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        params: Params = (),
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
    ) -> Iterator[httpx.Response]:
        """An answer whose body is still to be read; `timeout` in place of the client's. Raises `ClickatlasError`."""
        request = self._http.build_request(
            method, path, params=list(params), json=json, headers=dict(headers or {}),
            timeout=timeout or self._http.timeout,
        )  # fmt: skip
        response = self._sent(request)
        try:
            if response.status_code >= 300:
                response.read()
                raise refusal(response)
            yield response
        except httpx.TransportError as error:  # in the middle of the body
            raise _unreachable(request, error) from error
        finally:
            response.close()

    def _sent(self, request: httpx.Request) -> httpx.Response:
        keyed = "idempotency-key" in request.headers
        reads = request.method == "GET" or keyed
        again = reads or request.method in ("PUT", "DELETE")
        deadline, tries = time.monotonic() + self._patience, 0
        while True:
            tries += 1
            try:
                response = self._http.send(request, stream=True)
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                # It may have been done: only what changes nothing the second time is asked again.
                if not reads or tries >= CONNECTIONS:
                    raise _unreachable(request, error) from error
                wait = backoff(tries)
            except httpx.HTTPError as error:
                raise _unreachable(request, error) from error
            else:
                if response.status_code not in BUSY or not again:
                    return response
                wait = wait_of(response.headers, tries)
                if time.monotonic() + wait > deadline:
                    return response
                response.close()
            self._sleep(wait)


def wait_of(headers: Mapping[str, str], tries: int, now: datetime | None = None) -> float:
    """Seconds to wait before a request is sent again: `Retry-After`, else `RateLimit`'s `t`, else longer each time."""
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", said):
        return float(said)
    if said:
        try:
            then = parsedate_to_datetime(said)
            return max(0.0, (then - (now or datetime.now(UTC))).total_seconds())
        except (ValueError, TypeError):
            pass
    limit = re.search(r";\s*t=(\d{1,9})", headers.get("ratelimit", ""))
    return float(limit[1]) if limit else backoff(tries)


def backoff(tries: int) -> float:
    """Seconds to wait after so many tries."""
    # By chance, so that many do not come back at once.
    return min(8.0, 0.25 * float(2**tries)) * random.uniform(0.75, 1.25)


def _unreachable(request: httpx.Request, error: Exception) -> Unreachable:
    host = request.url.host
    late = isinstance(error, httpx.TimeoutException)
    return Unreachable(
        "No answer",
        f"{host} did not answer in time." if late else f"{host} did not answer: {error}",
        "Ask for less, or give the client a longer timeout." if late else "See whether the address is right and the server runs.",
    )  # fmt: skip
