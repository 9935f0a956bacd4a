"""The way to the mail server: a few threads beside the event loop, as smtplib waits for each answer.

A letter that can't be sent is a `Problem` (503) that says why in a few words; the log has the server's own words and
neither address nor text, as those hold links that sign people in.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.message import EmailMessage
from functools import partial
from typing import TypeVar

from clickatlas.errors import Problem, conflict
from clickatlas.settings import Settings

log = logging.getLogger("clickatlas.mail")
AT_ONCE = 2
MOST_WAITING = 200
PATIENCE_S = 15.0
T = TypeVar("T")


class Post:
    """Sends letters where `smtp_host` is set."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="mail")
        self._there = 0
        self._later: set[asyncio.Task[None]] = set()

    @property
    def is_set(self) -> bool:
        """Whether there is a mail server."""
        return bool(self._settings.smtp_host)

    @property
    def sender(self) -> str:
        """Who letters are from."""
        settings = self._settings
        return settings.mail_from or f"clickatlas <clickatlas@{settings.smtp_host}>"

    def need(self) -> None:
        """Raise `Problem` (409) where there is no mail server."""
        if not self.is_set:
            raise conflict("No mail server is set, so no letter can be sent.", "An operator sets smtp_host.")

    async def send(self, message: EmailMessage) -> None:
        """Send, and be done when the server has taken it; raises `Problem` (503)."""
        await self._run(partial(self.deliver, message))

    async def reach(self) -> None:
        """Connect and say hello, as before sending; raises `Problem` (503).

        Asked for everybody before it is looked up who has an account: so a broken mail server tells nobody who has.
        """
        await self._run(self._hello)

    def send_later(self, write: Callable[[], EmailMessage | None]) -> None:
        """Send what `write` returns, if anything: both beside the answer, which so takes as long for who gets no letter.

        A failure is logged.
        """
        task = asyncio.get_running_loop().create_task(self._quietly(write))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def deliver_later(self, message: EmailMessage) -> None:
        """Hand a letter to the threads, from one that doesn't wait. A failure is logged."""

        def work() -> None:
            with suppress(Problem):
                self.deliver(message)

        if self.is_set:
            self._pool.submit(work)

    def deliver(self, message: EmailMessage) -> None:
        """Send from this very thread; raises `Problem` (503)."""
        try:
            with self._connected() as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _refusal(error) from None

    def close(self) -> None:
        """Let go of the threads; what waits is not sent."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _quietly(self, write: Callable[[], EmailMessage | None]) -> None:
        def work() -> None:
            if (message := write()) is not None:
                self.deliver(message)

        try:
            await self._run(work)
        except Problem as problem:
            log.error("a letter was not sent: %s", problem.detail)
        except Exception:
            log.exception("a letter was not written")

    async def _run(self, work: Callable[[], T]) -> T:
        self.need()
        if self._there >= MOST_WAITING:
            raise Problem(
                503, "Mail is late", "Too many letters wait already.", remedy="Try again in a minute."
            )
        self._there += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._there -= 1

    def _hello(self) -> None:
        try:
            with self._connected() as server:
                server.noop()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _refusal(error) from None

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        host, port = settings.smtp_host, settings.smtp_port
        trusted = ssl.create_default_context()
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE_S, context=trusted)
        else:
            server = smtplib.SMTP(host, port, timeout=PATIENCE_S)
        try:
            if settings.smtp_security == "starttls":
                server.starttls(context=trusted)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
        except BaseException:
            server.close()
            raise
        return server


def _refusal(error: Exception) -> Problem:
    """What went wrong, without the letter: servers quote addresses in what they say, so only the log has it cut short."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        why = "the mail server refuses smtp_user and smtp_password"
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        why = "the mail server doesn't do what smtp_security or smtp_user ask for"
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        why = "the mail server refuses that address"
    elif isinstance(error, smtplib.SMTPSenderRefused):
        why = "the mail server refuses mail_from"
    elif isinstance(error, smtplib.SMTPResponseException):
        why = f"the mail server answers {error.smtp_code}"
    elif isinstance(error, ssl.SSLError):
        why = "the mail server's certificate or TLS is not right"
    else:
        why = "the mail server can't be reached"
    log.error("mail: %s (%s)", why, type(error).__name__)
    return Problem(
        503,
        "The mail was not sent",
        f"The mail was not sent: {why}.",
        remedy="Try again later; an operator looks at smtp_* in the settings and at the log.",
    )
