"""The one shape in which an error reaches a person: RFC 9457 problem details.

Every refusal is a `Problem`: what happened, and what to do about it. Routes and the
command line raise it; the app turns it into ``application/problem+json``, the command
line into two plain lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

PROBLEM = "application/problem+json"  # the media type of such a document


class Problem(Exception):
    """A refusal that tells its reader what to do next.

    `status` is the HTTP status, `title` the kind of problem in a few words, `detail` this
    occurrence, `remedy` what the reader can do, `extra` further members of the document.
    """

    def __init__(
        self, status: int, title: str, detail: str, *, remedy: str = "", extra: dict[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.remedy = remedy
        self.extra = extra or {}

    def document(self) -> dict[str, Any]:
        """The RFC 9457 members, ready for JSON."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.remedy:
            body["remedy"] = self.remedy
        return body | self.extra


def not_found(what: str, remedy: str = "") -> Problem:
    """404: `what` doesn't exist in this workspace."""
    return Problem(404, "Not found", what, remedy=remedy)


def invalid(detail: str, remedy: str = "", field: str | None = None) -> Problem:
    """422: the request can't be understood; `field` names the parameter at fault."""
    return Problem(422, "Invalid request", detail, remedy=remedy, extra={"field": field} if field else None)


def conflict(detail: str, remedy: str = "") -> Problem:
    """409: the request is understood but something is in its way."""
    return Problem(409, "Conflict", detail, remedy=remedy)


def unauthenticated() -> Problem:
    """401: nobody is signed in and no valid token came along."""
    return Problem(
        401,
        "Sign in first",
        "This needs a signed-in session or a token.",
        remedy="Send 'Authorization: Bearer TOKEN' (make one with 'clickatlas token create --name NAME'), "
        "or open a sign-in link ('clickatlas sign-in' prints one).",
    )


def refused(folder: Path, error: OSError) -> Problem:
    """507: the disk of `folder` lets nothing be written."""
    return Problem(
        507,
        "The disk refuses",
        f"Nothing can be written to {folder}: {error.strerror or error}.",
        remedy="Make it writable for the user that runs clickatlas, make room on its disk, or use another --data.",
    )
