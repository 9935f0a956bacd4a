"""Times as tables write them, read into milliseconds since 1970 UTC."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Literal

Order = Literal["", "dmy", "mdy"]
_MONTHS = {
    name: at
    for at, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_LOG = re.compile(
    r"\[?(\d\d?)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?: ([+-])(\d\d):?(\d\d))?\]?$"
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$|nan$|[+-]?inf(inity)?$", re.I)
_PARTS = re.compile(
    r"(\d\d?)([/.-])(\d\d?)\2(\d{4})(?:[ T,]+(\d\d?):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([ap]m)?)?$", re.I
)
SPREADSHEET_DAYS = (20_000, 80_000)  # 1954 to 2119, as spreadsheets count days


class TimeError(ValueError):
    """Why a text is no time, in words for its owner."""


def milliseconds(text: str, zone: tzinfo = UTC, order: Order = "") -> int:
    """ISO 8601, Unix seconds (also in ms, µs, ns), a web server's or a mail's; times without a zone are `zone`'s.

    12/05/2026 is read by `order` only. Raises `TimeError`.
    """
    text = text.strip()
    if not text:
        raise TimeError("has no time")
    seconds = _seconds(text, zone, order)
    if not 0 < seconds < time.time() + 86_400:
        raise TimeError(f"the time {text[:60]!r} is not between 1970 and now")
    return round(seconds * 1000)


def _seconds(text: str, zone: tzinfo, order: Order) -> float:
    if _NUMBER.match(text):
        return _of_number(text)
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        if found := _LOG.match(text):
            return _of_log(found, zone)
        if found := _PARTS.match(text):
            return _of_parts(found, text, zone, order)
        if text[:1].isalpha():
            moment = parsedate_to_datetime(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, TypeError, KeyError, OverflowError, IndexError) as error:
        if isinstance(error, TimeError):
            raise
    raise TimeError(f"the time {text[:60]!r} is neither ISO 8601 nor Unix seconds")


def _of_number(text: str) -> float:
    seconds = float(text)
    if SPREADSHEET_DAYS[0] <= seconds <= SPREADSHEET_DAYS[1]:
        raise TimeError(
            f"the time {text[:40]} is a spreadsheet's day number: format the column as text such as 2026-05-12 10:11:12"
        )
    for limit in (
        1e17,
        1e14,
        1e11,
    ):  # nanoseconds, microseconds, milliseconds, as databases and JavaScript write them
        if seconds > limit:
            return seconds / (limit / 1e8)
    return seconds


def _of_log(found: re.Match[str], zone: tzinfo) -> float:
    day, month, year, hour, minute, second, _fraction, sign, east, minutes = found.groups()
    moment = datetime(
        int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second),
        tzinfo=UTC if sign else zone,
    )  # fmt: skip
    offset = (int(east) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1) if sign else 0
    return moment.timestamp() - offset


def _of_parts(found: re.Match[str], text: str, zone: tzinfo, order: Order) -> float:
    first, mark, second, year, hour, minute, seconds, half = found.groups()
    if mark == "." or int(first) > 12:
        order = "dmy"
    elif int(second) > 12:
        order = "mdy"
    if not order:
        raise TimeError(f"the time {text[:60]!r} may be day/month or month/day: say which")
    day, month = (first, second) if order == "dmy" else (second, first)
    hours = int(hour or 0) % (12 if half else 24) + (12 if half and half.lower() == "pm" else 0)
    return datetime(
        int(year), int(month), int(day), hours, int(minute or 0), int(seconds or 0), tzinfo=zone
    ).timestamp()  # fmt: skip
