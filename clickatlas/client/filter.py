"""Which clicks: the parameters that every question takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

Words = str | Sequence[str]
Day = str | date | datetime | None
SINGLE = ("from_", "to", "tz", "min_cell")


@dataclass(frozen=True)
class Filter:
    """Which clicks; all of people's where nothing is given. Names are the API's (`from_` is its `from`).

    Of each kind any of its values; of different kinds all hold. One value may stand alone: ``Filter(link="spring")``.
    `from_` and `to` are dates (`to` inclusive) or date-times (`to` exclusive) in the zone `tz`. `within` is boxes
    (west, south, east, north) or polygons (lng, lat, lng, lat, …), as numbers or as text.
    """

    link: Words = ()
    campaign: Words = ()
    channel: Words = ()
    tag: Words = ()
    device: Words = ()
    network: Words = ()
    area: Words = ()
    within: str | Sequence[float] | Sequence[str | Sequence[float]] = ()
    browser: Words = ()
    system: Words = ()
    language: Words = ()
    referrer: Words = ()
    origin: Words = ()
    from_: Day = None
    to: Day = None
    tz: str | None = None
    min_cell: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in SINGLE:
                given = getattr(self, field.name)
                several = _shapes(given) if field.name == "within" else _words(field.name, given)
                object.__setattr__(self, field.name, several)

    def params(self, prefix: str = "") -> list[tuple[str, str]]:
        """As parameters of a request; names begin with `prefix` (``b.`` of a second filter)."""
        found = [
            (f"{prefix}{name}", one)
            for name, values in self.document().items()
            if isinstance(values, list)
            for one in values
        ]
        single = {"from": _moment(self.from_), "to": _moment(self.to), "tz": self.tz}
        found += [(f"{prefix}{name}", value) for name, value in single.items() if value]
        if self.min_cell and not prefix:  # the second filter has no minimum of its own
            found.append(("min_cell", str(self.min_cell)))
        return found

    def document(self) -> dict[str, Any]:
        """As the JSON of a share: what is given, without `min_cell`."""
        found: dict[str, Any] = {
            field.name: list(values)
            for field in fields(self)
            if field.name not in SINGLE and (values := getattr(self, field.name))
        }
        given = {"from": _moment(self.from_), "to": _moment(self.to), "tz": self.tz}
        return found | {name: value for name, value in given.items() if value}


def _words(name: str, given: Any) -> tuple[str, ...]:
    several = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(one, str) for one in several):
        raise TypeError(f"{name} takes words, not {given!r}")
    return several


def _shapes(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    shapes = list(given)
    if shapes and all(isinstance(one, int | float) for one in shapes):
        shapes = [shapes]
    return tuple(
        one if isinstance(one, str) else ",".join(f"{float(number):.10g}" for number in one) for one in shapes
    )


def _moment(value: Day) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
