"""What goes wrong, as exceptions: the server's problem document (RFC 9457), or why there was no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx


class ClickatlasError(Exception):
    """A refusal: `title` is its kind, `detail` this occurrence, `remedy` what to do about it.

    `status` is the HTTP status (None: there was no answer), `field` the parameter at fault, `document` all that was said.
    """

    def __init__(
        self, title: str, detail: str, remedy: str = "", *, status: int | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(title, detail, remedy)
        self.title, self.detail, self.remedy, self.status = title, detail, remedy, status
        self.document: Mapping[str, Any] = document or {}
        self.field: str | None = self.document.get("field")

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.title}: {self.detail}", self.remedy)))


class NotAllowed(ClickatlasError):
    """401 and 403: nobody's token, or one that may not."""


class NotFound(ClickatlasError):
    """404 and 410: it isn't there, or no longer."""


class Invalid(ClickatlasError):
    """422: the request can't be understood; `field` names the parameter at fault."""


class TooManyRequests(ClickatlasError):
    """429: refused for longer than the client's `patience`."""


class Unreachable(ClickatlasError):
    """No answer came."""


class MissingLibrary(ClickatlasError, ImportError):
    """A library is needed that isn't installed; `remedy` says how to install it."""


KINDS: dict[int, type[ClickatlasError]] = {
    401: NotAllowed, 403: NotAllowed, 404: NotFound, 410: NotFound, 422: Invalid, 429: TooManyRequests,
}  # fmt: skip


def refusal(response: httpx.Response) -> ClickatlasError:
    """The exception for an answer of 400 and above, whose body was read."""
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict) or "title" not in document:  # a proxy's own page, say
        document = {
            "title": f"HTTP {response.status_code}",
            "detail": response.text[:200].strip() or response.reason_phrase,
        }
    kind = KINDS.get(response.status_code, ClickatlasError)
    return kind(
        str(document["title"]), str(document.get("detail", "")), str(document.get("remedy", "")),
        status=response.status_code, document=document,
    )  # fmt: skip
