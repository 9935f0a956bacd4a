"""Street workers on a machine of a part only: without the app, or with nothing but the app. What they leave to others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from clickatlas.settings import Settings

OWN = frozenset(("health", "metrics"))  # of a machine by itself, whatever runs on it
NO_APP = (404, "Not here", "This machine answers short links only. The page and the API are on another.")
NO_STREET = (404, "Not here", "This machine has the page and the API. Short links are answered by another.")
_AS_IT_IS = "/%:@!$&'()*+,;=?-._~"


@dataclass(frozen=True)
class Apart:
    """What is not here, and where it leads: the app's paths, or short links. "" leads nowhere."""

    socket: Path  # of the process beside the workers
    app: str | None = None  # where the app is; None: here
    street: str | None = None  # where short links are answered; None: here

    def keeps(self, first: str) -> bool:
        """Whether a reserved path that begins with `first` is for the process beside the workers."""
        return self.app is None or first in OWN

    def location(self, base: str, scope: dict[str, Any]) -> bytes | None:
        """What is asked, at `base`; None where there is none, or it is where the request comes from: that would go round."""
        path = scope.get("raw_path") or scope["path"].encode()
        asked = next((value for name, value in scope["headers"] if name == b"host"), b"")
        if not base or path[:1] != b"/" or asked.decode("latin-1").lower() == urlsplit(base).netloc.lower():
            return None
        query = scope.get("query_string") or b""
        rest = path.split(b"?", 1)[0] + (b"?" + query if query else b"")
        return (base + quote(rest, safe=_AS_IT_IS)).encode("ascii")


def desk_socket(settings: Settings) -> Path:
    """Where it is asked how the street workers of a machine without the app are."""
    return settings.app_socket.with_suffix(".desk")


def apart_of(settings: Settings, role: str) -> Apart | None:
    """What street workers of the command `role` leave to others; None: nothing."""
    if role == "redirect":
        return Apart(desk_socket(settings), app=settings.app_url)
    if role == "app":
        return Apart(settings.app_socket, street=settings.public_url)
    return None
