"""The log: one event a line, as text or as JSON, the same in every process.

Nothing that a visitor sends can forge a line: control characters are escaped wherever they come from. Public
addresses are struck out, should an error's own words ever have one. A message that comes again and again is
written `MOST` times in `WINDOW_S`, and then counted.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import logging.config
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from clickatlas.settings import Settings

MOST: Final = 10  # lines of one warning or error, from one place in the code, in
WINDOW_S: Final = 60.0
LONGEST = 8192  # characters of a message: what a visitor sends can be long
_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message", "asctime", "taskName", "color_message", "unsaid",
}  # fmt: skip
# Line ends of any kind, terminal escapes, and what turns the direction of writing.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FOUR = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)")
_SIX = re.compile(r"(?<!\w)[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")  # and a port, or a sentence's end
_SIX_OF_PEOPLE = [ipaddress.ip_network(text) for text in ("2000::/3", "64:ff9b::/96", "::ffff:0:0/96")]


def plain(text: str) -> str:
    """`text` on one line, without control characters and without anyone's address."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"
    return _SIX.sub(_struck, _FOUR.sub(_struck, _CONTROL.sub(_escaped, text)))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def _struck(found: re.Match[str]) -> str:
    """Loopback and private addresses are the operator's own; any other may be a visitor's."""
    text = found[0]
    for candidate in (text, text.rstrip(":."), text.rpartition(":")[0]):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address):
            if not any(address in network for network in _SIX_OF_PEOPLE):  # such as a::b, which is a name
                return text
            address = address.ipv4_mapped or address
        if not (address.is_loopback or address.is_private):
            return "[address]" + text[len(candidate) :]
    return text


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _said(record: logging.LogRecord) -> str:
    unsaid = getattr(record, "unsaid", 0)
    return plain(record.getMessage()) + (
        f" (and {unsaid} times more since the last of these)" if unsaid else ""
    )


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as `extra`; text made plain, anything that is no number or text said by its repr."""
    found = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {name: _field(value) for name, value in found.items()}


def _field(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return plain(value if isinstance(value, str) else repr(value))


class Text(logging.Formatter):
    """Lines for people. A traceback's lines begin with `    | `, so that none looks like an event."""

    def format(self, record: logging.LogRecord) -> str:
        """The event's line, and its traceback's."""
        fields = "".join(f" {name}={json.dumps(value)}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:7} {record.name}: {_said(record)}{fields}"
        return "\n".join([line, *(f"    | {part}" for part in self._trace(record))])

    def _trace(self, record: logging.LogRecord) -> list[str]:
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        return [plain(line) for line in (record.exc_text or "").split("\n") if line]


class Json(Text):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, process, fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The event's line. ASCII only, so no reader takes a character in it for a line's end."""
        event = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _said(record),
            "process": record.process,
        }
        fields = {name: value for name, value in _fields(record).items() if name not in event}
        trace = self._trace(record)
        return json.dumps(event | fields | ({"exception": "\n".join(trace)} if trace else {}))


class Flood(logging.Filter):
    """Lets `most` warnings or errors of one place in the code through in a `window`; counts the rest."""

    def __init__(
        self, most: int = MOST, window: float = WINDOW_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._most, self._window, self._clock = most, window, clock
        self._seen: dict[tuple[str, int], list[float]] = {}  # place -> since when, said, left unsaid
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether `record` is written. Events below a warning always are: the audit log is among them."""
        if record.levelno < logging.WARNING:
            return True
        now = self._clock()
        with self._lock:
            # Grows with the program's lines, not with what anybody sends.
            seen = self._seen.setdefault((record.pathname, record.lineno), [now, 0, 0])
            if now - seen[0] >= self._window:
                record.unsaid = int(seen[2])
                seen[:] = [now, 0, 0]
            seen[1] += 1
            if seen[1] > self._most:
                seen[2] += 1
                return False
        return True


def dictionary(settings: Settings) -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`, and for servers that bring a log of their own.

    Their loggers hand over to ours; access logs, which have addresses in them, stay shut.
    """
    ours = {"level": settings.log_level.upper(), "handlers": ["log"]}
    handed, shut = (
        {"handlers": [], "propagate": True},
        {"handlers": [], "level": "CRITICAL", "propagate": False},
    )
    quiet = handed | {"level": "WARNING" if settings.log_level != "debug" else "DEBUG"}
    # What they warn of with each try is said by whoever tries, once and with what to do.
    mute = handed | {"level": "ERROR" if settings.log_level != "debug" else "DEBUG"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"log": {"()": Json if settings.log_format == "json" else Text}},
        "filters": {"flood": {"()": Flood}},
        "handlers": {
            "log": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "log",
                "filters": ["flood"],
            }
        },
        "root": ours,
        "loggers": {
            "uvicorn": quiet, "uvicorn.error": quiet, "alembic.runtime.plugins": quiet, "asyncio": quiet, "aiohttp": quiet,
            "uvicorn.access": shut, "aiohttp.access": shut, "urllib3": mute, "clickhouse_connect": mute,
        },
    }  # fmt: skip


def configure(settings: Settings) -> None:
    """Set this process's log up: first thing, before anything can have something to say."""
    logging.config.dictConfig(dictionary(settings))
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a log that can't be written must not write, either
    sys.excepthook = _uncaught
    threading.excepthook = lambda what: _uncaught(what.exc_type, what.exc_value, what.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: Any) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        logging.getLogger("clickatlas").critical("ended by a fault", exc_info=(kind, error or kind(), trace))
