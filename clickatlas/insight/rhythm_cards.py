"""Cards about the time of clicks: peaks of the week, East against West."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import Card, Kind, times
from clickatlas.insight.rhythms import Apart, Peak, Rhythm

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
METHOD = (
    "Clicks by week and local hour of the week as quasi-Poisson counts (dispersion {phi:.1f} over {weeks} weeks); "
    "the interval is simultaneous over all {cells}."
)
# US census regions (Census Bureau): the Northeast with the South Atlantic division, and the West.
EAST = ("CT", "ME", "MA", "NH", "RI", "VT", "NJ", "NY", "PA", "DE", "DC", "FL", "GA", "MD", "NC", "SC", "VA", "WV")  # fmt: skip
WEST = ("AZ", "CO", "ID", "MT", "NV", "NM", "UT", "WY", "AK", "CA", "HI", "OR", "WA")


def coasts(atlas: Atlas) -> npt.NDArray[np.int8]:
    """Of each place 0 for the East of the United States, 1 for its West, -1 for neither."""
    region = np.asarray(atlas.places.area[Level.REGION])
    side = np.full(len(atlas.areas) + 1, -1, np.int8)
    for value, states in enumerate((EAST, WEST)):
        for state in states:
            number = atlas.areas.number(f"region:US-{state}")
            if number is not None:
                side[number] = value
    return side[region]


def cards(found: Rhythm, *, local: bool = True, zone: str = "") -> list[Card]:
    """When clicks peak: by the local time of each place, or by the clock of `zone`. None where chance is enough."""
    clock = "local time" if local else f"{zone} time"
    if found.peak is not None:
        assert found.peak.weekday is not None
        when = f"on {WEEKDAYS[found.peak.weekday]}s at {found.peak.hour}:00 {clock}"
        return [
            _card(found, found.peak, f"Clicks peak {when} ({times(found.peak.ratio)} the average hour).", 168)
        ]
    made = []
    if found.hour is not None:
        sentence = (
            f"Clicks peak at {found.hour.hour}:00 {clock} ({times(found.hour.ratio)} the average hour)."
        )
        made.append(_card(found, found.hour, sentence, 24))
    if found.weekday is not None:
        assert found.weekday.weekday is not None
        day = WEEKDAYS[found.weekday.weekday]
        made.append(
            _card(
                found,
                found.weekday,
                f"Most clicks come on {day}s ({times(found.weekday.ratio)} the average day).",
                7,
            )
        )
    return made


def _card(found: Rhythm, peak: Peak, sentence: str, cells: int) -> Card:
    numbers: dict[str, float | int | str] = {"ratio": peak.ratio, "clicks": peak.clicks, "weeks": found.weeks}
    if peak.weekday is not None:
        numbers["weekday"] = WEEKDAYS[peak.weekday]
    if peak.hour is not None:
        numbers["hour"] = peak.hour
    what = {168: "168 hours of the week", 24: "24 hours of the day", 7: "7 weekdays"}[cells]
    return Card(
        kind=Kind.RHYTHM,
        sentence=sentence,
        numbers=numbers,
        interval=(peak.low, peak.high),
        of="ratio",
        p=peak.p,
        q=peak.p,
        method=METHOD.format(phi=found.phi, weeks=found.weeks, cells=what),
        sample=found.total,
        caveats=("When you publish shapes when people click.",),
        weight=min(0.8, 0.3 + 0.1 * peak.low),
    )


def coast_cards(found: Apart, atlas: Atlas) -> list[Card]:
    """Whether the East (group a) and the West (b) click at other hours of their own clocks: half an hour at least."""
    low, high = found.shift_low, found.shift_high
    if min(found.total_a, found.total_b) < 200 or low <= 0 <= high or abs(found.shift) < 0.5:
        return []
    later, earlier = ("East", "West") if found.shift > 0 else ("West", "East")
    return [
        Card(
            kind=Kind.RHYTHM,
            sentence=f"The US {later} clicks {abs(found.shift):.1f} hours later in its day than the {earlier}.",
            numbers={"hours": found.shift, "east": found.total_a, "west": found.total_b},
            interval=(low, high),
            of="hours",
            p=found.shift_p,
            q=found.shift_p,
            areas=tuple(
                number
                for state in (*EAST, *WEST)
                if (number := atlas.areas.number(f"region:US-{state}")) is not None
            ),
            method="Circular means of the local hours of both sides (Mardia and Jupp), with overdispersion.",
            sample=found.total_a + found.total_b,
            caveats=("East: Northeast and South Atlantic states; West: the census region.",),
            weight=min(0.6, 0.3 + abs(found.shift) / 10),
        )
    ]
