"""A real mail server for tests: letters that arrive are kept, and can be waited for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.server.served import free_port


class Mailbox:
    """What arrived, by address."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, EmailMessage]] = []
        self.refuses = ""  # an answer such as "550 No such user"
        self._news = threading.Condition()
        self.port = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuses:
            return self.refuses
        message = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self._news:
            self.letters += [(address, message) for address in envelope.rcpt_tos]
            self._news.notify_all()
        return "250 Kept"

    def letter(self, address: str, patience: float = 20) -> EmailMessage:
        """The next letter to `address`, which is taken out."""

        def first() -> int | None:
            return next((n for n, (to, _) in enumerate(self.letters) if to == address), None)

        with self._news:
            assert self._news.wait_for(lambda: first() is not None, patience), f"nothing came for {address}"
            number = first()
            assert number is not None
            return self.letters.pop(number)[1]

    def link(self, address: str) -> str:
        """The link in the next letter to `address`."""
        text = self.letter(address).get_body(("plain",))
        assert text is not None
        found = re.search(r"https?://\S+", text.get_content())
        assert found, text.get_content()
        return found.group()


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
