"""Files over HTTP: verified, taken up again where they broke off, and credentials for one host only."""

import base64
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import NoReturn, cast

from clickatlas import __version__
from clickatlas.atlas.files import unusable
from clickatlas.progress import Progress

TIMEOUT = 30.0  # seconds without a byte
TRIES = 4  # a connection that breaks off is taken up again so many times less one
CHUNK = 1 << 18
PARTIAL, UNSATISFIABLE = 206, 416


class Login:
    """A user and a password; shows neither."""

    def __init__(self, user: str, password: str) -> None:
        self.header = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def __repr__(self) -> str:
        return "Login(…)"


def open_url(url: str, login: Login | None = None, start: int = 0) -> HTTPResponse:
    """GET `url` from byte `start` on. Raises what urllib raises: `HTTPError`, `URLError`, `OSError`.

    The login goes to the host of `url` and, by way of urllib's unredirected headers, to no other.
    """
    request = urllib.request.Request(url, headers={"User-Agent": f"clickatlas/{__version__}"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    if login:
        request.add_unredirected_header("Authorization", login.header)
    return cast("HTTPResponse", urllib.request.urlopen(request, timeout=TIMEOUT))


def resume(url: str, part: Path, what: str, progress: Progress, login: Login | None = None) -> None:
    """Bring `part` to its full length, from where it ends; a server that can't do that sends it all anew.

    A connection that breaks off is tried again. Raises `Problem` when that doesn't help, and leaves what there
    is for the next time; raises `HTTPError` when the server refuses.
    """
    broken = ""
    for _ in range(TRIES):
        start = part.stat().st_size if part.exists() else 0
        try:
            with open_url(url, login, start) as answer:
                if start and answer.status != PARTIAL:
                    start = 0
                missing = _append(answer, part, start, progress)
        except urllib.error.HTTPError as refused:
            if refused.code == UNSATISFIABLE:  # it was whole already
                return
            raise
        except (OSError, HTTPException) as error:
            broken = str(error) or type(error).__name__
            continue
        if not missing:
            return
        broken = f"{missing:,} bytes short"
    raise unusable(
        f"{what} could not be fetched: {broken}.",
        "Check the network and run the command again: it goes on where it stopped.",
    )


def _append(answer: HTTPResponse, part: Path, start: int, progress: Progress) -> int:
    """Write the body from byte `start` of `part` on; returns how many bytes are still missing."""
    length = answer.headers.get("Content-Length")
    missing = int(length) if length else 0
    whole = start + missing
    with part.open("r+b" if start else "wb") as out:
        out.seek(start)
        out.truncate()
        while chunk := answer.read(CHUNK):
            out.write(chunk)
            missing -= len(chunk)
            if whole and length:
                progress.advance(1 - missing / whole)
    return missing if length else 0


def unreachable(what: str, error: Exception) -> NoReturn:
    """Raise the `Problem` for a host that doesn't answer."""
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    raise unusable(f"{what} doesn't answer: {reason}.", "Check the network, then try again.") from None
