"""Which services there are, and an import from one of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from clickatlas import __version__
from clickatlas.errors import Problem
from clickatlas.imports.importer import Choices
from clickatlas.imports.report import Report
from clickatlas.imports.run import Into, Watched, bring_in
from clickatlas.imports.services import bitly, dub, kutt, rebrandly, shlink, shortio, yourls
from clickatlas.imports.services.client import Client
from clickatlas.imports.tables import Batch, text_array
from clickatlas.outside.fetch import Outside
from clickatlas.settings import Settings

BATCH = 5_000  # rows


@dataclass(frozen=True)
class Service:
    """A service that can be asked."""

    name: str  # as people write it
    base: str  # "" where everybody runs their own
    headers: Callable[[str], dict[str, str]]
    rows: Callable[[Client, str, Callable[[str], Client]], Iterator[dict[str, Any]]]
    tells: str  # what its API has


SERVICES = {
    "bitly": Service("Bitly", bitly.BASE, bitly.headers, lambda c, k, m: bitly.rows(c), "links; clicks by day and country"),
    "shlink": Service("Shlink", shlink.BASE, shlink.headers, lambda c, k, m: shlink.rows(c), "links; clicks with positions"),
    "yourls": Service("YOURLS", yourls.BASE, yourls.headers, lambda c, k, m: yourls.rows(c, k), "links; clicks by a dump of its database"),
    "kutt": Service("Kutt", kutt.BASE, kutt.headers, lambda c, k, m: kutt.rows(c), "links; clicks by its database"),
    "dub": Service("Dub", dub.BASE, dub.headers, lambda c, k, m: dub.rows(c), "links; clicks with cities"),
    "shortio": Service(
        "Short.io", shortio.BASE, shortio.headers, lambda c, k, m: shortio.rows(c, m(shortio.STATISTICS)), "links; clicks with cities"
    ),
    "rebrandly": Service("Rebrandly", rebrandly.BASE, rebrandly.headers, lambda c, k, m: rebrandly.rows(c), "links; clicks by its Clickstream"),
}  # fmt: skip


def outside_of(settings: Settings) -> Outside:
    """The way out for questions to services: bounded as every fetch is, with time for a long answer."""
    return Outside(
        allowed=settings.fetch_networks,
        ports=settings.fetch_ports,
        seconds=60.0,
        agent=f"clickatlas/{__version__} (import)",
    )


def bring_in_from(
    into: Into,
    name: str,
    key: str,
    address: str,
    choices: Choices,
    report: Report,
    watched: Watched = lambda report: None,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    wait: Callable[[float], None] | None = None,
) -> Report:
    """Ask a service for all it has, and bring it in. Raises `Problem` (422, 502)."""
    service = service_of(name, key, address)
    base = _base(service, address)
    outside = outside_of(into.settings)
    more = {} if wait is None else {"wait": wait}

    def made(at: str) -> Client:
        # With an address of its own (a test, a proxy) all of a service is asked there.
        return Client(
            base if address else at, service.headers(key.strip()), outside, cancelled=cancelled, **more
        )

    rows = service.rows(made(base), key.strip(), made)
    return bring_in(into, _batches(rows), lambda: secrets.token_hex(32), choices, report, watched)


def service_of(name: str, key: str, address: str) -> Service:
    """The service called `name`, where it can be asked so. Raises `Problem` (422)."""
    service = SERVICES.get(name)
    if service is None:
        raise Problem(
            422, "Import", f"There is no service {name[:40]!r}.", remedy=f"Known are {', '.join(SERVICES)}."
        )
    if not key.strip() or not key.isascii() or not key.strip().isprintable():
        raise Problem(422, "Import", f"{service.name} wants a key.", remedy="Make one in its settings.")
    _base(service, address)
    return service


def _base(service: Service, address: str) -> str:
    base = (address.strip() or service.base).rstrip("/")
    if not base:
        raise Problem(
            422,
            "Import",
            f"{service.name} has no address of its own.",
            remedy="Say where yours is, as https://go.example.com.",
        )
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise Problem(
            422, "Import", f"{base[:80]!r} is no address.", remedy="Write it as https://go.example.com."
        )
    return base


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[Batch]:
    """Rows of links and of clicks, each kind in batches of its own, in their order."""
    at = 1
    for kind, some in _runs(rows):
        names: dict[str, None] = {}
        for row in some:
            names.update(dict.fromkeys(row))
        if kind:
            names.setdefault("country")  # a click that nobody knows the place of is counted all the same
        columns = {name: text_array([row.get(name) for row in some]) for name in names}
        yield Batch(np.arange(at, at + len(some), dtype=np.int64), columns)
        at += len(some)


def _runs(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[bool, list[dict[str, Any]]]]:
    """(are these clicks, rows). Up to a few thousand links and clicks are gathered: links go first, clicks need them."""
    while some := list(islice(rows, BATCH)):
        for kind in (False, True):
            if part := [row for row in some if ("time" in row) == kind]:
                yield kind, part
