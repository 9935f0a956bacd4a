"""Letters: written so that nothing slips in, sent to a real server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from clickatlas.errors import Problem
from clickatlas.mail.letter import letter
from clickatlas.mail.post import Post
from clickatlas.settings import Settings
from tests.mail import Mailbox, mail_server
from tests.server.served import free_port

SENDER = "Links & more <links@example.com>"


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


def post(port: int, **more: object) -> Post:
    given = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "mail_from": SENDER}
    return Post(Settings.model_validate(given | more))


def test_a_letter_arrives_as_it_was_written(box: Mailbox) -> None:
    sent = letter(to="zoe@exämple.com", subject="Ängste? ✓", body="Grüße\n", sender=SENDER)
    asyncio.run(post(box.port).send(sent))
    came = box.letter("zoe@xn--exmple-cua.com")
    assert came["subject"] == "Ängste? ✓"
    assert came["from"] == SENDER
    assert came.get_content().strip() == "Grüße"
    assert came["auto-submitted"] == "auto-generated"


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "a b@c.example", "a@b@c.example>", "a", "@b",
     "a@", "<a@b.example>", "a@b.example\x00", "a\n@b.example", '"a"@b.example', "a@.."],
)  # fmt: skip
def test_an_address_that_is_none_gets_no_letter(address: str) -> None:
    with pytest.raises(Problem) as refused:
        letter(to=address, subject="x", body="x", sender=SENDER)
    assert refused.value.status == 422


def test_a_subject_starts_no_header(box: Mailbox) -> None:
    sent = letter(to="a@b.example", subject="Hello\r\nBcc: c@d.example\r\n\r\nbody", body="x", sender=SENDER)
    asyncio.run(post(box.port).send(sent))
    came = box.letter("a@b.example")
    assert came["bcc"] is None
    assert came["subject"] == "Hello Bcc: c@d.example body"


SECRET = "https://example.com/app/enter#a-secret"


def test_what_cant_be_sent_is_said_and_logged_without_the_link(
    box: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    sent = letter(to="a@b.example", subject="x", body=SECRET, sender=SENDER)
    box.refuses = "554 No"
    cases = [
        (post(box.port), "answers 554"),
        (post(free_port()), "can't be reached"),
        (post(box.port, smtp_security="starttls"), "doesn't do"),
        (post(box.port, smtp_security="tls"), "TLS is not right"),
    ]
    with caplog.at_level(logging.DEBUG):
        for way, why in cases:
            with pytest.raises(Problem, match=why) as refused:
                asyncio.run(way.send(sent))
            assert refused.value.status == 503
            assert refused.value.remedy
    box.refuses = ""
    said = [record.getMessage() for record in caplog.records if record.name.startswith("clickatlas")]
    assert len(said) == len(cases)
    assert not any("a-secret" in line or "a@b.example" in line for line in said)
    with pytest.raises(Problem, match="No mail server"):
        asyncio.run(Post(Settings.model_validate({})).send(sent))


def test_sign_up_for_anybody_needs_mail() -> None:
    with pytest.raises(ValueError, match="needs smtp_host"):
        Settings.model_validate({"sign_up": "open"})
