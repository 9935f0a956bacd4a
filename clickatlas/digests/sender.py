"""The sender: looks each minute which digests are due, works them out and sends them.

At most once: a digest is marked as sent in the links database, then handed to the mail server. A crash in the second
between the two loses that one, where the other order would send it twice; a mail server that refuses gives it back, to be
tried again every quarter of an hour for two days. A webhook's is put into the outbox in one piece with its mark.
"""

from __future__ import annotations

import logging
import threading
import time
from email.message import EmailMessage

from clickatlas.api.house import House, is_away
from clickatlas.digests import figures
from clickatlas.digests.figures import Told
from clickatlas.digests.schedule import Period, due
from clickatlas.digests.words import letter_of
from clickatlas.errors import Problem
from clickatlas.links import digests, secret
from clickatlas.links.models import Person, Webhook, now
from clickatlas.links.models_told import Digest
from clickatlas.mail.letter import letter
from clickatlas.webhooks import outbox

log = logging.getLogger("clickatlas.digests")
EVERY_S = 60.0
AGAIN_S = 900.0
UNSUBSCRIBES_S = 400 * 86_400  # how long a letter's link to have no more of them holds


class Sender(threading.Thread):
    """Sends what is due, one digest after the other, until `stop`."""

    def __init__(self, house: House) -> None:
        super().__init__(name="digests", daemon=True)
        self._house = house
        self._stopping = threading.Event()
        self._refused: dict[int, float] = {}  # digest -> when it may be tried again

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.wait(EVERY_S):
            try:
                self.round()
            except Exception as error:  # a busy database or store: it is looked at again
                if not (self._stopping.is_set() or is_away(self._house, error)):
                    log.exception("digests could not be sent; tried again")

    def stop(self) -> None:
        """End; a digest that is being worked out is sent another time."""
        self._stopping.set()
        if self.is_alive():
            self.join(20)  # a letter that the mail server is being told may be finished

    def round(self) -> int:
        """Send what is due; how many were."""
        house, at = self._house, now()
        with house.links.reading() as session:
            hooks = outbox.listening(session, outbox.DIGEST)
            followed = [digest for digest, person in digests.readers(session) if person is None]
            strangers = digests.strangers(session)
        if strangers or not digests.follows(followed, hooks):
            with house.links.noting() as session:
                digests.follow_webhooks(session, hooks)
                digests.forget(session, strangers)
        with house.links.reading() as session:
            rows = digests.readers(session)
        sent = 0
        made: dict[tuple[int, str, Period], Told] = {}  # several of a team want the same one
        for digest, person in rows:
            period = due(digests.schedule_of(digest), at)
            if self._stopping.is_set() or period is None or digest.done == period.name:
                continue
            if self._refused.get(digest.id, 0) > time.monotonic() or (person and not house.post.is_set):
                continue
            name = (digest.workspace_id, digest.every, period)
            try:
                if name not in made:
                    every = digests.schedule_of(digest).every
                    made[name] = figures.told(house, digest.workspace_id, every, period)
                sent += self._send(digest, person, period, made[name])
            except Exception as error:  # the others' are sent all the same
                self._refused[digest.id] = time.monotonic() + AGAIN_S
                if not (self._stopping.is_set() or is_away(self._house, error)):
                    log.exception(
                        "digest %d could not be sent; tried again in a quarter of an hour", digest.id
                    )
        return sent

    def _send(self, digest: Digest, person: Person | None, period: Period, told: Told) -> bool:
        house = self._house
        quiet = not told.figures.clicks and not told.figures.before
        written = message(house, digest, person.email or "", told) if person and not quiet else None
        with house.links.noting() as session:
            if not digests.claim(session, digest.id, period.name):
                return False
            if person is None and not quiet:
                hook = session.get_one(Webhook, digest.webhook_id)
                outbox.put(session, hook, outbox.DIGEST, told.figures.model_dump(mode="json"))
        if written is None:
            return not quiet
        try:
            house.post.deliver(written)
        except Problem:  # it is in the log
            self._refused[digest.id] = time.monotonic() + AGAIN_S
            with house.links.noting() as session:
                digests.give_back(session, digest.id, period.name, digest.done)
            return False
        return True


def message(house: House, digest: Digest, address: str, told: Told) -> EmailMessage:
    """The letter, with the headers that let a mail program unsubscribe at a press (RFC 2369, RFC 8058)."""
    leave = f"{house.settings.base_url}/app/unsubscribe/{digest.id}/{leaving(digest)}"
    said = letter_of(told.figures, digests.schedule_of(digest), leave, drawn=told.picture is not None)
    return letter(
        to=address,
        subject=said.subject,
        body=said.text,
        html=said.html,
        picture=told.picture,
        sender=house.post.sender,
        headers={
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def leaving(digest: Digest) -> str:
    """The ticket that ends a digest."""
    return secret.ticket(bytes.fromhex(digest.key), f"digest {digest.id}", UNSUBSCRIBES_S)


def may_leave(digest: Digest, given: str) -> bool:
    """Whether `given` is such a ticket."""
    return secret.is_good(given, bytes.fromhex(digest.key), f"digest {digest.id}")
