"""What a letter says, as an e-mail message. No header can be slipped in by what somebody typed."""

from __future__ import annotations

from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from types import MappingProxyType

from clickatlas.errors import invalid
from clickatlas.links.models import now

LONGEST_SUBJECT = 150
PICTURE = "map@clickatlas"  # the content id of the one picture that a letter may have


def letter(
    *,
    to: str,
    subject: str,
    body: str,
    sender: str,
    html: str | None = None,
    picture: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> EmailMessage:
    """A message from `sender` ("Name <address>") to one address; raises `Problem` (422) where that is none.

    `picture` is a PNG that `html` shows as `cid:PICTURE`; `headers` are more, of our own making. What is no printable character becomes a space in the subject; addresses with such are refused, not mended.
    """
    message = EmailMessage()
    name, own = parseaddr(sender)
    message["From"] = _address(own, name)
    message["To"] = _address(to)
    message["Subject"] = one_line(subject)[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(domain=own.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers, please
    message.set_content(body)
    if html is not None:
        message.add_alternative(html, subtype="html")
        if picture is not None:
            [*_, shown] = message.iter_parts()
            assert isinstance(shown, EmailMessage)
            shown.add_related(
                picture, "image", "png", cid=f"<{PICTURE}>", filename="map.png", disposition="inline"
            )
    for name_, value in headers.items():
        message[name_] = value
    return message


def one_line(text: str) -> str:
    """`text` with a space for each line end and control character."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _address(text: str, name: str = "") -> Address:
    wrong = invalid("That is no e-mail address.", remedy="It looks like ann@example.com.", field="email")
    user, at, host = text.rpartition("@")
    if not (user and at and host) or not text.isprintable() or any(one in text for one in ' ,;:<>()[]"\\'):
        raise wrong
    try:
        return Address(display_name=one_line(name), username=user, domain=host.encode("idna").decode())
    except (ValueError, UnicodeError):
        raise wrong from None
