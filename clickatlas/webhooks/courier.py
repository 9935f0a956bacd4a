"""The courier: a thread of the app that sends what is due. The street knows nothing of it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clickatlas import __version__
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Delivery, Webhook, now
from clickatlas.outside.fetch import Outside, OutsideError
from clickatlas.settings import Settings
from clickatlas.webhooks import outbox
from clickatlas.webhooks.signature import headers

log = logging.getLogger("clickatlas.webhooks")
EVERY_S = 1.0
AT_ONCE = 16
CLEAR_EVERY_S = 3600.0


@dataclass(frozen=True)
class Parcel:
    """One delivery, ready to be sent."""

    number: int
    url: str
    secrets: list[str]
    message: str
    body: bytes


class Courier(threading.Thread):
    """Sends due deliveries, `AT_ONCE` side by side, until `stop`; what is under way at a stop is sent again later."""

    def __init__(self, settings: Settings, links: LinksDatabase) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._links = links
        self._outside = Outside(
            allowed=settings.fetch_networks,
            ports=settings.fetch_ports,
            agent=f"clickatlas/{__version__} (webhooks)",
        )
        self._stopping = threading.Event()
        self._cleared = 0.0

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.wait(EVERY_S):
            try:
                while self.round() == AT_ONCE and not self._stopping.is_set():
                    pass
                if time.monotonic() - self._cleared > CLEAR_EVERY_S:
                    self._cleared = time.monotonic()
                    with self._links.noting() as session:
                        outbox.clear(session)
            except Exception as error:  # a busy database: it is tried again
                if not self._links.is_away(error):
                    log.exception("webhooks could not be sent; tried again")

    def stop(self) -> None:
        """End, after the round that is under way."""
        self._stopping.set()
        if self.is_alive():
            self.join(12)

    def round(self) -> int:
        """Send what is due now, at most `AT_ONCE`; how many were."""
        with self._links.reading() as session:
            parcels = _parcels(session, outbox.due(session, AT_ONCE))
        if (
            parcels and self._links.url
        ):  # SQLite's file is one machine's, and so one app's; PostgreSQL may be several'
            with self._links.noting() as session:
                parcels = _parcels(session, outbox.take(session, AT_ONCE))
        if parcels:
            asyncio.run(self._send(parcels))
        return len(parcels)

    async def _send(self, parcels: list[Parcel]) -> None:
        async def one(parcel: Parcel) -> tuple[int, int | None, str]:
            signed = headers(parcel.secrets, parcel.message, int(time.time()), parcel.body)
            try:
                answer = await self._outside.ask(
                    parcel.url, "POST", signed, parcel.body, most=300, encoded=True
                )
            except OutsideError as error:
                return parcel.number, None, str(error)
            # What an inside address said would be none of the reader's business; but none is ever reached.
            return parcel.number, answer.status, answer.body.decode("utf-8", "replace")

        for number, status, words in await asyncio.gather(*map(one, parcels)):
            with self._links.noting() as session:
                outbox.note(session, number, status, words)


def _parcels(session: Session, found: Sequence[Delivery]) -> list[Parcel]:
    made = []
    for one in found:
        hook = session.get_one(Webhook, one.webhook_id)
        secrets = outbox.secrets_of(hook, now())
        made.append(Parcel(one.id, hook.url, secrets, one.message, one.body.encode()))
    return made
